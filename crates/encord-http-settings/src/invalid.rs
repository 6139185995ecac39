//! What is wrong with settings that were read from text, all of it at once.

use core::fmt;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub(crate) const COUNT_EXPECTED: &str = "a whole number from 0 to 4294967295";
pub(crate) const FLAG_EXPECTED: &str = "true or false";

/// The error of settings that cannot be meant (contract rule R12): every bad field, not only the
/// first, each with its name and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSettings {
    problems: Vec<Problem>,
}

/// One bad field of [`InvalidSettings`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    field: String,
    value: String,
    reason: Reason,
}

/// The error of a single value that was given as text, without the name of its field.
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
    Unknown(&'static [&'static str]),
}

impl InvalidSettings {
    /// The bad fields. There is at least one.
    pub fn problems(&self) -> impl ExactSizeIterator<Item = &Problem> {
        self.problems.iter()
    }

    /// `Ok` when there is no problem.
    pub(crate) fn check(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self { problems }) }
    }
}

impl Problem {
    /// The name of the field as it was written: `max_retries`, `requests.max_retries` in a file
    /// with sections, `ENCORD_MAX_RETRIES` for a variable.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// The value as it was written; text is in quotes, a URL is not shown, and the values of a
    /// field that is set more than once are separated by commas.
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
    /// The text that was refused.
    pub fn value(&self) -> &str {
        &self.value
    }

    pub(crate) fn new(value: &str, expected: &'static str) -> Self {
        Self { value: value.into(), expected }
    }
}

impl core::error::Error for InvalidSettings {}

impl fmt::Display for InvalidSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
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
                write!(f, "`{field}` (set to {value}) is unknown, known are ")?;
                for (index, name) in known.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(f, "{separator}`{name}`")?;
                }
                Ok(())
            }
        }
    }
}
