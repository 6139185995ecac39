//! What is read from JSON and TOML, what is refused, and that what is written is read again.

use core::fmt::Debug;
use core::time::Duration;

use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::de::value::BytesDeserializer;
use serde_json::json;

use super::*;
use crate::layer::tests::layers;
use crate::{EffectiveUploadSettings, FieldValue};

#[track_caller]
fn check<T: DeserializeOwned + PartialEq + Debug>(json: &str, expected: &T) {
    assert_eq!(serde_json::from_str::<T>(json).unwrap(), *expected);
}

/// The message without the position that `serde_json` adds to some.
#[track_caller]
fn check_error<T: DeserializeOwned + Debug>(json: &str, expected: &str) {
    let message = serde_json::from_str::<T>(json).unwrap_err().to_string();
    assert_eq!(message.split(" at line ").next(), Some(expected));
}

fn seconds(seconds: f64) -> Timeout {
    Timeout::from_secs_f64(seconds).unwrap()
}

#[test]
fn the_asdict_forms_of_the_sdk_are_read() {
    // As `json.dumps(dataclasses.asdict(...))` prints them, encord 0.1.98 and 0.1.211.
    let seed = r#"{"max_retries": 3, "backoff_factor": 1.5, "connection_retries": 3,
        "connect_timeout": 180, "read_timeout": 180, "write_timeout": 180}"#;
    check(seed, &RequestsSettings::default());
    let current = r#"{"max_retries": 3, "backoff_factor": 1.5, "connection_retries": 3,
        "connect_timeout": 180, "read_timeout": 180, "write_timeout": 180,
        "trace_id_provider": null}"#;
    check(current, &RequestsSettings::default());
    check(r#"{"max_retries": null, "backoff_factor": null, "allow_failures": false}"#, &CloudUploadSettings::default());
}

#[test]
fn missing_keys_have_their_defaults() {
    check("{}", &RequestsSettings::default());
    check("{}", &PartialRequestsSettings::default());
    check("{}", &CloudUploadSettings::default());
    check("{}", &PartialCloudUploadSettings::default());
    check("{}", &SettingsLayer::default());
    check(
        r#"{"max_retries": 0, "read_timeout": 0.25, "write_timeout": "unlimited"}"#,
        &RequestsSettings {
            max_retries: 0,
            read_timeout: seconds(0.25),
            write_timeout: Timeout::UNLIMITED,
            ..Default::default()
        },
    );
    check(
        r#"{"max_retries": 0, "backoff_factor": 0, "allow_failures": true}"#,
        &CloudUploadSettings {
            max_retries: Some(0),
            backoff_factor: Some(BackoffFactor::new(0.0).unwrap()),
            allow_failures: true,
        },
    );
}

#[test]
fn null_is_not_set_in_a_layer() {
    check(
        r#"{"max_retries": null, "read_timeout": null, "trace_id_provider": null}"#,
        &PartialRequestsSettings::default(),
    );
    check(r#"{"max_retries": null, "allow_failures": null}"#, &PartialCloudUploadSettings::default());
    check(r#"{"requests": null, "upload": {"backoff_factor": null}}"#, &SettingsLayer::default());
}

#[test]
fn integers_and_decimals_are_read() {
    let settings = |json: &str| serde_json::from_str::<RequestsSettings>(json).unwrap();
    assert_eq!(settings(r#"{"max_retries": 3.0}"#).max_retries, 3);
    assert_eq!(settings(r#"{"max_retries": -0.0}"#).max_retries, 0);
    assert_eq!(settings(r#"{"max_retries": 4294967295}"#).max_retries, u32::MAX);
    assert_eq!(settings(r#"{"backoff_factor": 2}"#).backoff_factor, BackoffFactor::new(2.0).unwrap());
    assert_eq!(settings(r#"{"read_timeout": 30.0}"#).read_timeout, seconds(30.0));
    assert_eq!(
        settings(r#"{"read_timeout": 18446744073709551615}"#).read_timeout,
        Timeout::from_secs(u64::MAX).unwrap()
    );
}

#[test]
fn a_time_may_be_a_text_with_a_unit() {
    let layer: SettingsLayer =
        toml::from_str("[requests]\nread_timeout = \"60s\"\nwrite_timeout = \"1.5 min\"").unwrap();
    assert_eq!(layer.requests.read_timeout, Some(seconds(60.0)));
    assert_eq!(layer.requests.write_timeout, Some(seconds(90.0)));
    check(r#"{"connect_timeout": "180"}"#, &RequestsSettings::DEFAULT);
}

#[test]
fn r12_a_full_form_refuses_null() {
    check_error::<RequestsSettings>(
        r#"{"max_retries": null}"#,
        "`max_retries` must be a whole number from 0 to 4294967295, not null",
    );
    check_error::<CloudUploadSettings>(
        r#"{"allow_failures": null}"#,
        "`allow_failures` must be true or false, not null",
    );
}

#[test]
fn r12_counts() {
    for bad in ["-1", "-1.0", "3.5", "4294967296", "1e300", "true", "[]", "{}"] {
        let shown = match bad {
            "[]" => "a list",
            "{}" => "a table",
            number => number,
        };
        check_error::<RequestsSettings>(
            &format!(r#"{{"connection_retries": {bad}}}"#),
            &format!("`connection_retries` must be a whole number from 0 to 4294967295, not {shown}"),
        );
    }
    check_error::<CloudUploadSettings>(
        r#"{"max_retries": "3"}"#,
        r#"`max_retries` must be a whole number from 0 to 4294967295, not "3""#,
    );
}

#[test]
fn r12_factors_and_timeouts() {
    for bad in ["-1", "-0.5", "false", r#""1.5""#, r#""inf""#] {
        check_error::<RequestsSettings>(
            &format!(r#"{{"backoff_factor": {bad}}}"#),
            &format!("`backoff_factor` must be a finite number of 0 or more, not {bad}"),
        );
    }
    for bad in ["0", "0.0", "-3", "1e-10", "1e300", r#""0s""#, r#""none""#] {
        check_error::<RequestsSettings>(
            &format!(r#"{{"write_timeout": {bad}}}"#),
            &format!(
                "`write_timeout` must be a number of seconds above 0, a time such as \"90s\" or \"5min\", or \"unlimited\", not {bad}"
            ),
        );
    }
    for bad in ["nan", "-nan", "inf", "-inf"] {
        let error =
            toml::from_str::<SettingsLayer>(&format!("[requests]\nbackoff_factor = {bad}\nread_timeout = {bad}"))
                .unwrap_err();
        let shown = if bad.ends_with("nan") { "NaN" } else { bad };
        assert_eq!(
            error.message(),
            format!(
                "`requests.backoff_factor` must be a finite number of 0 or more, not {shown}; \
                 `requests.read_timeout` must be a number of seconds above 0, a time such as \"90s\" or \"5min\", or \"unlimited\", not {shown}"
            )
        );
    }
}

#[test]
fn r12_flags() {
    for bad in ["0", "1", r#""true""#] {
        check_error::<CloudUploadSettings>(
            &format!(r#"{{"allow_failures": {bad}}}"#),
            &format!("`allow_failures` must be true or false, not {bad}"),
        );
    }
}

#[test]
fn r12_unknown_keys() {
    check_error::<RequestsSettings>(
        r#"{"max_retrys": 3}"#,
        "`max_retrys` (set to 3) is unknown, known are `max_retries`, `backoff_factor`, \
         `connection_retries`, `connect_timeout`, `read_timeout`, `write_timeout`",
    );
    check_error::<CloudUploadSettings>(
        r#"{"read_timeout": null}"#,
        "`read_timeout` (set to null) is unknown, known are `max_retries`, `backoff_factor`, \
         `allow_failures`",
    );
    check_error::<SettingsLayer>(
        r#"{"uploads": {"max_retries": 3}}"#,
        "`uploads` (set to a table) is unknown, known are `requests`, `upload`",
    );
    check_error::<RequestsSettings>(
        r#"{"trace_id_provider": "uuid4"}"#,
        r#"`trace_id_provider` must be null, not "uuid4""#,
    );
}

#[test]
fn u9_r12_no_url_is_repeated() {
    const URL: &str = "https://storage.example/b/a.jpg?X-Signature=s3cret";
    #[track_caller]
    fn check(json: &str, expected: &str) {
        check_error::<SettingsLayer>(&json.replace("URL", URL), expected);
    }
    const KNOWN: &str = "is unknown, known are `requests`, `upload`";
    check(r#"{"signed_url": "URL"}"#, &format!("`signed_url` (set to a URL) {KNOWN}"));
    check(r#"{"URL": 1}"#, &format!("`a URL` (set to 1) {KNOWN}"));
    check(
        r#"{"requests": {"max_retries": "URL", "read_timeout": "URL"}}"#,
        "`requests.max_retries` must be a whole number from 0 to 4294967295, not a URL; \
         `requests.read_timeout` must be a number of seconds above 0, a time such as \"90s\" or \"5min\", or \"unlimited\", not a URL",
    );
    check(r#"{"upload": "URL"}"#, "`upload` must be a table, not a URL");
    check(r#"{"upload": {}, "upload": "URL"}"#, "`upload` is set more than once: a table, a URL");
}

#[test]
fn r12_repeated_keys() {
    check_error::<RequestsSettings>(
        r#"{"max_retries": 3, "read_timeout": 1, "max_retries": 5}"#,
        "`max_retries` is set more than once: 3, 5",
    );
    check_error::<SettingsLayer>(r#"{"upload": {}, "upload": {}}"#, "`upload` is set more than once: a table, a table");
}

#[test]
fn r12_all_bad_fields_are_named_at_once() {
    let error = toml::from_str::<SettingsLayer>(
        r#"
        colour = "red"
        [requests]
        max_retries = -1
        backoff_factor = inf
        connection_retries = 2.5
        connect_timeout = 0
        read_timeout = "soon"
        write_timeout = -180
        pool = 4
        [upload]
        max_retries = "many"
        backoff_factor = nan
        allow_failures = 1
        "#,
    )
    .unwrap_err();
    let expected = [
        "`requests.max_retries` must be a whole number from 0 to 4294967295, not -1",
        "`requests.backoff_factor` must be a finite number of 0 or more, not inf",
        "`requests.connection_retries` must be a whole number from 0 to 4294967295, not 2.5",
        r#"`requests.connect_timeout` must be a number of seconds above 0, a time such as "90s" or "5min", or "unlimited", not 0"#,
        r#"`requests.read_timeout` must be a number of seconds above 0, a time such as "90s" or "5min", or "unlimited", not "soon""#,
        r#"`requests.write_timeout` must be a number of seconds above 0, a time such as "90s" or "5min", or "unlimited", not -180"#,
        "`requests.pool` (set to 4) is unknown, known are `max_retries`, `backoff_factor`, \
         `connection_retries`, `connect_timeout`, `read_timeout`, `write_timeout`",
        r#"`upload.max_retries` must be a whole number from 0 to 4294967295, not "many""#,
        "`upload.backoff_factor` must be a finite number of 0 or more, not NaN",
        "`upload.allow_failures` must be true or false, not 1",
        r#"`colour` (set to "red") is unknown, known are `requests`, `upload`"#,
    ];
    assert_eq!(error.message(), expected.join("; "));
}

#[test]
fn r12_wrong_shapes() {
    check_error::<SettingsLayer>(
        r#"{"requests": [1], "upload": 3}"#,
        "`requests` must be a table, not a list; `upload` must be a table, not 3",
    );
    check_error::<RequestsSettings>("3", "invalid type: integer `3`, expected request settings");
    check_error::<CloudUploadSettings>("[]", "invalid type: sequence, expected upload settings");
    check_error::<BackoffFactor>("-1", "a backoff factor must be a finite number of 0 or more, not -1");
    check_error::<Timeout>(
        r#""ever""#,
        r#"a timeout must be a number of seconds above 0, a time such as "90s" or "5min", or "unlimited", not "ever""#,
    );
    let bytes = BytesDeserializer::<serde::de::value::Error>::new(b"180");
    let error = Timeout::deserialize(bytes).unwrap_err();
    assert_eq!(error.to_string(), "invalid type: byte array, expected a value");
}

#[test]
fn settings_are_written_as_asdict_writes_them() {
    let upload = CloudUploadSettings::default();
    let effective = EffectiveUploadSettings::default();
    let requests = json!({
        "max_retries": 3, "backoff_factor": 1.5, "connection_retries": 3,
        "connect_timeout": 180, "read_timeout": 180, "write_timeout": 180,
    });
    assert_eq!(json!(effective.requests), requests);
    assert_eq!(json!(upload), json!({"max_retries": null, "backoff_factor": null, "allow_failures": false}));
    assert_eq!(json!(effective), json!({"requests": requests, "allow_failures": false}));
    let layer = SettingsLayer {
        requests: PartialRequestsSettings { read_timeout: Some(Timeout::UNLIMITED), ..Default::default() },
        ..Default::default()
    };
    assert_eq!(json!(layer), json!({"requests": {"read_timeout": "unlimited"}, "upload": {}}));
}

#[test]
fn field_values_are_written_bare() {
    let values: [FieldValue; 5] = [
        3.into(),
        BackoffFactor::new(1.5).unwrap().into(),
        seconds(0.5).into(),
        Timeout::UNLIMITED.into(),
        true.into(),
    ];
    assert_eq!(json!(values), json!([3, 1.5, 0.5, "unlimited", true]));
}

proptest! {
    #[test]
    fn layers_round_trip(layer in layers()) {
        let json = serde_json::to_string(&layer).unwrap();
        prop_assert_eq!(serde_json::from_str::<SettingsLayer>(&json).unwrap(), layer);
        let toml = toml::to_string(&layer).unwrap();
        prop_assert_eq!(toml::from_str::<SettingsLayer>(&toml).unwrap(), layer);

        let settings = layer.resolve_requests();
        let json = serde_json::to_string(&settings).unwrap();
        prop_assert_eq!(serde_json::from_str::<RequestsSettings>(&json).unwrap(), settings);
        let settings = layer.upload.over(CloudUploadSettings::default());
        let json = serde_json::to_string(&settings).unwrap();
        prop_assert_eq!(serde_json::from_str::<CloudUploadSettings>(&json).unwrap(), settings);
    }

    #[test]
    fn timeouts_round_trip(seconds in 0u64..1 << 22, nanos in 1u32..1_000_000_000) {
        let timeout = Timeout::new(Duration::new(seconds, nanos)).unwrap();
        // Not through text, where `serde_json` may be off by the last bit.
        let json = serde_json::to_value(timeout).unwrap();
        prop_assert_eq!(serde_json::from_value::<Timeout>(json).unwrap(), timeout);
    }
}
