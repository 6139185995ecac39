//! A file, or a standard stream, as an argument.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

/// A file, or with `-` one of the standard streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Standard,
    File(PathBuf),
}

impl From<OsString> for Stream {
    fn from(argument: OsString) -> Self {
        if argument == "-" { Self::Standard } else { Self::File(argument.into()) }
    }
}

impl Stream {
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Standard => None,
            Self::File(path) => Some(path),
        }
    }
}

/// The stream as an input.
impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard => f.write_str("standard input"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}
