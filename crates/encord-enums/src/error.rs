//! The error of the strict way in.

use alloc::boxed::Box;
use core::fmt;

use crate::OpenEnum;

/// A string that is not a value of the enum, met while parsing strictly.
///
/// The message names the string and lists the known values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {kind} {value:?}, expected one of {}", Listed(known))]
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

struct Listed<'a>(&'a [&'a str]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, value) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { ", " };
            write!(f, "{separator}{value}")?;
        }
        Ok(())
    }
}
