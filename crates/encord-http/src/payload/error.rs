//! Why a payload could not be read.

use std::error::Error as StdError;
use std::io;

use crate::fault::{Fault, FaultKind};
use crate::rules::classify;

pub(super) type BoxError = Box<dyn StdError + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub(super) enum PayloadError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("not a regular file")]
    NotAFile,
    #[error("it says that it is empty, and holds more than 16 MiB")]
    TooMuch,
    #[error("it shrank")]
    Shrank,
    #[error("it grew")]
    Grew,
    #[error("it was changed")]
    Changed,
    #[error("the stream ended before its stated length")]
    TooShort,
    #[error("the stream is longer than its stated length")]
    TooLong,
    #[error("the stream can be read only once and has been read")]
    Consumed,
    #[error("{0}")]
    Stream(BoxError),
}

impl From<PayloadError> for Fault {
    fn from(error: PayloadError) -> Self {
        let kind = match error {
            PayloadError::Io(error) => return classify::of_file(error),
            PayloadError::Shrank | PayloadError::Grew | PayloadError::Changed => FaultKind::Changed,
            PayloadError::NotAFile
            | PayloadError::TooMuch
            | PayloadError::TooShort
            | PayloadError::TooLong
            | PayloadError::Consumed
            | PayloadError::Stream(_) => FaultKind::Payload,
        };
        Self::new(kind, error.to_string()).with_source(error)
    }
}
