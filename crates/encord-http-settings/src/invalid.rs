//! The errors of settings that are read from text. One error names all bad fields.

use core::fmt;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// The error of invalid settings (rule R12). It names every bad field with its value, not only the first one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", joined(problems, "; ", ToString::to_string))]
pub struct InvalidSettings {
    problems: Vec<Problem>,
}

/// One bad field of [`InvalidSettings`]. It is shown as
/// ``ENCORD_MAX_RETRIES` must be a whole number from 0 to 4294967295, not "many"``.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    field: String,
    value: String,
    reason: Reason,
}

/// The error of a single value that was read from text. It does not name the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be {expected}, not {value:?}")]
pub struct ParseValueError {
    value: String,
    expected: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Expected(&'static str),
    Repeated,
    #[cfg(feature = "serde")]
    Unknown(Vec<&'static str>),
}

impl InvalidSettings {
    /// Returns the bad fields. There is at least one.
    pub fn problems(&self) -> impl ExactSizeIterator<Item = &Problem> {
        self.problems.iter()
    }

    /// Returns `Ok` if there is no problem.
    pub(crate) fn check(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self { problems }) }
    }
}

impl Problem {
    /// Returns the name of the field as it was written: `max_retries`, `requests.max_retries` in a file with sections, or
    /// `ENCORD_MAX_RETRIES` for a variable.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Returns the value as it was written. Text is in quotes, a URL is not shown, and the values of a field that is set more
    /// than once are separated by commas.
    pub fn value(&self) -> &str {
        &self.value
    }

    pub(crate) fn new(field: impl Into<String>, value: &dyn fmt::Display, reason: Reason) -> Self {
        Self { field: field.into(), value: value.to_string(), reason }
    }

    pub(crate) fn of_variable(name: &str, error: &ParseValueError) -> Self {
        let value = format!("{:?}", error.value);
        Self::new(name, &value, Reason::Expected(error.expected))
    }
}

impl ParseValueError {
    /// Returns the text that was refused.
    pub fn value(&self) -> &str {
        &self.value
    }

    pub(crate) fn new(value: &str, expected: &'static str) -> Self {
        Self { value: value.into(), expected }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, value, reason } = self;
        match reason {
            Reason::Expected(expected) => write!(f, "`{field}` must be {expected}, not {value}"),
            Reason::Repeated => write!(f, "`{field}` is set more than once: {value}"),
            #[cfg(feature = "serde")]
            Reason::Unknown(known) => {
                let known = joined(known, ", ", |name| format!("`{name}`"));
                write!(f, "`{field}` (set to {value}) is unknown, known are {known}")
            }
        }
    }
}

fn joined<T>(items: &[T], separator: &str, show: impl FnMut(&T) -> String) -> String {
    items.iter().map(show).collect::<Vec<_>>().join(separator)
}
