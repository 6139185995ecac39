//! The types of the fields: how their values are shown and read from text.

use core::fmt;

use crate::{BackoffFactor, ParseValueError, Timeout, factor, timeout};

/// A value of any field. It is shown as `3`, `1.5`, `180 s`, `unlimited` or `true`.
///
/// With the feature `serde` it is written as the field is: a number, a boolean, or the string `"unlimited"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(untagged))]
pub enum FieldValue {
    /// A number of retries.
    Count(u32),
    /// A backoff factor.
    Factor(BackoffFactor),
    /// A time limit.
    Timeout(Timeout),
    /// A choice.
    Flag(bool),
}

impl fmt::Display for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(value) => value.fmt(f),
            Self::Factor(value) => value.fmt(f),
            Self::Timeout(value) => value.fmt(f),
            Self::Flag(value) => value.fmt(f),
        }
    }
}

/// The type of a field.
pub(crate) trait Field: Copy + fmt::Display + Into<FieldValue> + MaybeRead {
    /// The description of valid values, for the error of an invalid one.
    const EXPECTED: &'static str;

    /// Reads the value of a variable.
    fn from_text(text: &str) -> Option<Self>;

    fn parse(text: &str) -> Result<Self, ParseValueError> {
        Self::from_text(text).ok_or_else(|| ParseValueError::new(text, Self::EXPECTED))
    }
}

#[cfg(feature = "serde")]
pub(crate) use crate::any::FromAny as MaybeRead;

/// Without serde there is nothing to read from a file.
#[cfg(not(feature = "serde"))]
pub(crate) trait MaybeRead {}
#[cfg(not(feature = "serde"))]
impl<T> MaybeRead for T {}

impl Field for u32 {
    const EXPECTED: &'static str = "a whole number from 0 to 4294967295";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Field for BackoffFactor {
    const EXPECTED: &'static str = factor::EXPECTED;

    fn from_text(text: &str) -> Option<Self> {
        Self::new(text.parse().ok()?).ok()
    }
}

impl Field for Timeout {
    const EXPECTED: &'static str = timeout::EXPECTED;

    fn from_text(text: &str) -> Option<Self> {
        Self::read(text)
    }
}

impl Field for bool {
    const EXPECTED: &'static str = "true or false";

    fn from_text(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        }
    }
}

impl From<u32> for FieldValue {
    fn from(value: u32) -> Self {
        Self::Count(value)
    }
}

impl From<BackoffFactor> for FieldValue {
    fn from(value: BackoffFactor) -> Self {
        Self::Factor(value)
    }
}

impl From<Timeout> for FieldValue {
    fn from(value: Timeout) -> Self {
        Self::Timeout(value)
    }
}

impl From<bool> for FieldValue {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}
