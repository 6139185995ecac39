//! Replaces the module `args` of the command, whose types clap fills.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

#[derive(Clone, PartialEq)]
pub(crate) enum Stream {
    Standard,
    File(PathBuf),
}

#[derive(Default)]
pub(crate) struct SettingsOptions {
    pub(crate) settings: Option<Stream>,
    pub(crate) allow_failures: Option<bool>,
    pub(crate) max_retries: Option<String>,
    pub(crate) backoff_factor: Option<String>,
    pub(crate) connection_retries: Option<String>,
    pub(crate) connect_timeout: Option<String>,
    pub(crate) read_timeout: Option<String>,
    pub(crate) write_timeout: Option<String>,
}

impl From<OsString> for Stream {
    fn from(path: OsString) -> Self {
        Self::File(path.into())
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard => f.write_str("standard input"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}
