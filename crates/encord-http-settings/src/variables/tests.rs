//! What variables set, and what is refused.

use std::string::ToString;

use crate::{BackoffFactor, PartialCloudUploadSettings, PartialRequestsSettings, SettingsLayer, Timeout};

#[track_caller]
fn check(variables: &[(&str, &str)], expected: Result<SettingsLayer, &str>) {
    let layer = SettingsLayer::from_variables(variables.iter().copied());
    assert_eq!(layer.map_err(|error| error.to_string()), expected.map_err(ToString::to_string));
}

fn requests(requests: PartialRequestsSettings) -> SettingsLayer {
    SettingsLayer { requests, ..Default::default() }
}

fn allow_failures(value: bool) -> SettingsLayer {
    SettingsLayer {
        upload: PartialCloudUploadSettings { allow_failures: Some(value), ..Default::default() },
        ..Default::default()
    }
}

#[test]
fn each_variable_sets_its_field() {
    check(
        &[
            ("ENCORD_MAX_RETRIES", "0"),
            ("ENCORD_BACKOFF_FACTOR", " 0.5 "),
            ("ENCORD_CONNECTION_RETRIES", "4294967295"),
            ("ENCORD_CONNECT_TIMEOUT", "1"),
            ("ENCORD_READ_TIMEOUT", "2.5"),
            ("ENCORD_WRITE_TIMEOUT", "UNLIMITED"),
        ],
        Ok(requests(PartialRequestsSettings {
            max_retries: Some(0),
            backoff_factor: Some(BackoffFactor::new(0.5).unwrap()),
            connection_retries: Some(u32::MAX),
            connect_timeout: Some(Timeout::from_secs(1).unwrap()),
            read_timeout: Some(Timeout::from_secs_f64(2.5).unwrap()),
            write_timeout: Some(Timeout::UNLIMITED),
        })),
    );
    for text in ["true", "TRUE", "yes", "on", "1"] {
        check(&[("ENCORD_ALLOW_FAILURES", text)], Ok(allow_failures(true)));
    }
    for text in ["false", "No", "off", "0"] {
        check(&[("ENCORD_ALLOW_FAILURES", text)], Ok(allow_failures(false)));
    }
}

#[test]
fn empty_and_foreign_variables_are_ignored() {
    check(
        &[
            ("ENCORD_MAX_RETRIES", ""),
            ("ENCORD_READ_TIMEOUT", "  \t"),
            ("ENCORD_SETTINGS", "settings.toml"),
            ("ENCORD_SSH_KEY", "-1"),
            ("encord_max_retries", "-1"),
            ("PATH", "/bin"),
        ],
        Ok(SettingsLayer::default()),
    );
}

#[test]
fn r12_all_bad_variables_are_named_at_once() {
    check(
        &[
            ("ENCORD_MAX_RETRIES", "-1"),
            ("ENCORD_BACKOFF_FACTOR", "inf"),
            ("ENCORD_CONNECTION_RETRIES", "3.0"),
            ("ENCORD_CONNECT_TIMEOUT", "0"),
            ("ENCORD_READ_TIMEOUT", "soon\n"),
            ("ENCORD_WRITE_TIMEOUT", "1e300"),
            ("ENCORD_ALLOW_FAILURES", "2"),
        ],
        Err(concat!(
            r#"`ENCORD_MAX_RETRIES` must be a whole number from 0 to 4294967295, not "-1"; "#,
            r#"`ENCORD_BACKOFF_FACTOR` must be a finite number of 0 or more, not "inf"; "#,
            r#"`ENCORD_CONNECTION_RETRIES` must be a whole number from 0 to 4294967295, not "3.0"; "#,
            r#"`ENCORD_CONNECT_TIMEOUT` must be a number of seconds above 0, a time such as "90s" or "5min", or "unlimited", not "0"; "#,
            r#"`ENCORD_READ_TIMEOUT` must be a number of seconds above 0, a time such as "90s" or "5min", or "unlimited", not "soon"; "#,
            r#"`ENCORD_WRITE_TIMEOUT` must be a number of seconds above 0, a time such as "90s" or "5min", or "unlimited", not "1e300"; "#,
            r#"`ENCORD_ALLOW_FAILURES` must be true or false, not "2""#,
        )),
    );
}

#[test]
fn r12_a_variable_that_is_given_twice_is_refused() {
    check(
        &[("ENCORD_MAX_RETRIES", "3"), ("ENCORD_MAX_RETRIES", "5")],
        Err("`ENCORD_MAX_RETRIES` is set more than once: 3, 5"),
    );
}

#[test]
fn r12_a_problem_gives_field_and_value() {
    let error = SettingsLayer::from_variables([("ENCORD_MAX_RETRIES", "many")]).unwrap_err();
    let problem = error.problems().next().unwrap();
    assert_eq!(problem.field(), "ENCORD_MAX_RETRIES");
    assert_eq!(problem.value(), "\"many\"");
}
