//! Settings from environment variables, given as pairs: this crate does not read the environment.

use core::fmt;

use alloc::format;
use alloc::vec::Vec;

use crate::invalid::{COUNT_EXPECTED, FLAG_EXPECTED, Reason};
use crate::{InvalidSettings, ParseValueError, Problem, SettingsLayer};

impl SettingsLayer {
    /// Reads the layer that variables set.
    ///
    /// | variable | field | values |
    /// |---|---|---|
    /// | `ENCORD_MAX_RETRIES` | `requests.max_retries` | whole number |
    /// | `ENCORD_BACKOFF_FACTOR` | `requests.backoff_factor` | number of 0 or more |
    /// | `ENCORD_CONNECTION_RETRIES` | `requests.connection_retries` | whole number |
    /// | `ENCORD_CONNECT_TIMEOUT` | `requests.connect_timeout` | seconds, or `unlimited` |
    /// | `ENCORD_READ_TIMEOUT` | `requests.read_timeout` | seconds, or `unlimited` |
    /// | `ENCORD_WRITE_TIMEOUT` | `requests.write_timeout` | seconds, or `unlimited` |
    /// | `ENCORD_ALLOW_FAILURES` | `upload.allow_failures` | `true`, `yes`, `on`, `1`, `false`, `no`, `off`, `0` |
    ///
    /// All other variables are ignored, also those that begin with `ENCORD_`. Names are exact; in
    /// values, blanks around the text and the case of words do not matter. An empty value counts
    /// as not set, since many tools can only blank a variable, not remove it.
    ///
    /// ```
    /// use encord_http_settings::SettingsLayer;
    ///
    /// let layer = SettingsLayer::from_variables([
    ///     ("ENCORD_READ_TIMEOUT", "unlimited"),
    ///     ("ENCORD_ALLOW_FAILURES", "1"),
    ///     ("HOME", "/root"),
    /// ])?;
    /// assert_eq!(layer.upload.allow_failures, Some(true));
    ///
    /// let error = SettingsLayer::from_variables([
    ///     ("ENCORD_MAX_RETRIES", "-1"),
    ///     ("ENCORD_BACKOFF_FACTOR", "nan"),
    /// ])
    /// .unwrap_err();
    /// assert_eq!(error.problems().len(), 2);
    /// # Ok::<(), encord_http_settings::InvalidSettings>(())
    /// ```
    ///
    /// # Errors
    ///
    /// All values that cannot be read, and all variables that are given twice.
    pub fn from_variables<K, V>(variables: impl IntoIterator<Item = (K, V)>) -> Result<Self, InvalidSettings>
    where
        K: AsRef<str>,
        V: AsRef<str>,
    {
        let mut layer = Self::default();
        let mut problems = Vec::new();
        let Self { requests, upload } = &mut layer;
        for (name, value) in variables {
            let (name, value) = (name.as_ref(), value.as_ref().trim());
            if value.is_empty() {
                continue;
            }
            let outcome = match name {
                "ENCORD_MAX_RETRIES" => set(&mut requests.max_retries, name, value, count),
                "ENCORD_BACKOFF_FACTOR" => set(&mut requests.backoff_factor, name, value, str::parse),
                "ENCORD_CONNECTION_RETRIES" => set(&mut requests.connection_retries, name, value, count),
                "ENCORD_CONNECT_TIMEOUT" => set(&mut requests.connect_timeout, name, value, str::parse),
                "ENCORD_READ_TIMEOUT" => set(&mut requests.read_timeout, name, value, str::parse),
                "ENCORD_WRITE_TIMEOUT" => set(&mut requests.write_timeout, name, value, str::parse),
                "ENCORD_ALLOW_FAILURES" => set(&mut upload.allow_failures, name, value, flag),
                _ => Ok(()),
            };
            problems.extend(outcome.err());
        }
        InvalidSettings::check(problems).map(|()| layer)
    }
}

/// How a value is read; `str::parse` is one.
type Parse<T> = fn(&str) -> Result<T, ParseValueError>;

fn set<T: fmt::Display>(field: &mut Option<T>, name: &str, text: &str, parse: Parse<T>) -> Result<(), Problem> {
    let value = parse(text).map_err(|error| Problem::of_variable(name, &error))?;
    if let Some(first) = field {
        let values = format!("{first}, {value}");
        return Err(Problem::new(name, &values, Reason::Repeated));
    }
    *field = Some(value);
    Ok(())
}

fn count(text: &str) -> Result<u32, ParseValueError> {
    text.parse().map_err(|_| ParseValueError::new(text, COUNT_EXPECTED))
}

fn flag(text: &str) -> Result<bool, ParseValueError> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(ParseValueError::new(text, FLAG_EXPECTED)),
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;
    use crate::{BackoffFactor, PartialCloudUploadSettings, PartialRequestsSettings, Timeout};

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
                r#"`ENCORD_CONNECT_TIMEOUT` must be a number of seconds from 1e-9 to 2^64, or "unlimited", not "0"; "#,
                r#"`ENCORD_READ_TIMEOUT` must be a number of seconds from 1e-9 to 2^64, or "unlimited", not "soon"; "#,
                r#"`ENCORD_WRITE_TIMEOUT` must be a number of seconds from 1e-9 to 2^64, or "unlimited", not "1e300"; "#,
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
}
