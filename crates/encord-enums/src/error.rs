//! The error of strict parsing.

use alloc::boxed::Box;

/// A string that was parsed strictly and is not a value of the enum.
///
/// The message names the string and lists the known values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {kind} {value:?}, expected one of {}", known.join(", "))]
pub struct UnknownValueError {
    kind: &'static str,
    value: Box<str>,
    known: &'static [&'static str],
}

impl UnknownValueError {
    /// Returns the string that is unknown.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Returns the known values in the order of the enum, without the value of the fallback.
    pub fn known(&self) -> &'static [&'static str] {
        self.known
    }

    pub(crate) fn new(kind: &'static str, value: &str, known: &'static [&'static str]) -> Self {
        Self { kind, value: value.into(), known }
    }
}
