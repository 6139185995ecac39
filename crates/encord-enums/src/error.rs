//! The error of the strict way in.

use alloc::boxed::Box;
use core::fmt;

use crate::OpenEnum;

/// A string that is not a value of the enum, met while parsing strictly.
///
/// The message names the string and lists the known values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownValueError {
    kind: &'static str,
    value: Box<str>,
    known: &'static [&'static str],
}

impl UnknownValueError {
    /// The string that was not recognised.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The known values, in the order of the enum, without that of its fallback.
    pub fn known(&self) -> &'static [&'static str] {
        self.known
    }

    pub(crate) fn new<E: OpenEnum>(value: &str) -> Self {
        Self { kind: E::KIND, value: value.into(), known: E::KNOWN_VALUES }
    }
}

// By hand: thiserror would be three more crates that a dependant builds, one of them a second syn.
impl core::error::Error for UnknownValueError {}

impl fmt::Display for UnknownValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, value, known } = self;
        write!(f, "unknown {kind} {value:?}, expected one of ")?;
        for (i, value) in known.iter().enumerate() {
            let separator = if i == 0 { "" } else { ", " };
            write!(f, "{separator}{value}")?;
        }
        Ok(())
    }
}
