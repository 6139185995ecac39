//! The distinct uids straight from JSON, without the models.

mod chunks;
mod visit;

use std::{
    borrow::Cow,
    io::{self, Read},
};

use serde::de::DeserializeSeed;

use self::{chunks::Chunks, visit::Models};
use crate::UidSet;

/// The distinct model iteration uids of a JSON array of model configurations, in order of first
/// appearance.
///
/// For lists that are too large to hold: memory is that of the distinct uids and of one model, at
/// most about 4 MiB of it. Of each model only `model_iteration_uids` is looked at, the rest must
/// only be JSON. The reader is read to its end, in pieces of 256 KiB; it needs no buffer of its own.
///
/// ```
/// use encord_project_utils::read_model_iteration_uids;
///
/// let json = r#"[
///     {"title": "Lesions", "model_iteration_uids": ["b", "a"]},
///     {"title": "Organs", "model_iteration_uids": ["c", "b"]}
/// ]"#;
/// let uids = read_model_iteration_uids(json.as_bytes())?;
/// assert!(uids.iter().map(|uid| &**uid).eq(["b", "a", "c"]));
///
/// let error = read_model_iteration_uids("[{}]".as_bytes()).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "malformed model configurations: missing field `model_iteration_uids` at line 1 column 3",
/// );
/// # Ok::<(), encord_project_utils::ReadError>(())
/// ```
///
/// # Errors
///
/// The reader fails; the input is not exactly one JSON array of objects; one of them does not have
/// `model_iteration_uids` exactly once, or it is not a list of strings.
pub fn read_model_iteration_uids(reader: impl Read) -> Result<UidSet<Box<str>>, ReadError> {
    let mut uids = UidSet::default();
    let mut chunks = Chunks::new(reader);
    if !chunks.read_models(&mut uids) {
        // A list that is not plain to take apart, or none: whatever it is, this says so.
        let mut json = serde_json::Deserializer::from_reader(chunks.into_unread());
        Models(&mut uids).deserialize(&mut json)?;
        json.end()?;
    }
    Ok(uids)
}

/// The distinct model iteration uids of a JSON array of model configurations that is in memory, in
/// order of first appearance.
///
/// The uids are borrowed from the input, but for those that are written with escapes. In all else
/// this is [`read_model_iteration_uids`], and faster.
///
/// ```
/// use encord_project_utils::model_iteration_uids_from_slice;
///
/// let json = br#"[{"model_iteration_uids": ["b", "a"]}, {"model_iteration_uids": ["c", "b"]}]"#;
/// let uids = model_iteration_uids_from_slice(json)?;
/// assert_eq!(uids.as_slice(), ["b", "a", "c"]);
/// # Ok::<(), encord_project_utils::ReadError>(())
/// ```
///
/// # Errors
///
/// The input is not exactly one JSON array of objects; one of them does not have
/// `model_iteration_uids` exactly once, or it is not a list of strings.
pub fn model_iteration_uids_from_slice(json: &[u8]) -> Result<UidSet<Cow<'_, str>>, ReadError> {
    let mut uids = UidSet::default();
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    Models(&mut uids).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(uids)
}

/// Why [`read_model_iteration_uids`] or [`model_iteration_uids_from_slice`] failed.
///
/// The message says what was expected where. The [source](std::error::Error::source) is the
/// [`io::Error`] of a reader that failed.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ReadError(#[from] Cause);

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error("cannot read the model configurations: {0}")]
    Io(#[source] io::Error),
    #[error("malformed model configurations: {0}")]
    Malformed(serde_json::Error),
}

impl ReadError {
    /// Where the input is malformed: line and column, counted from 1, the column in bytes. None if
    /// the reader failed.
    pub fn position(&self) -> Option<(usize, usize)> {
        match &self.0 {
            Cause::Io(_) => None,
            Cause::Malformed(error) => Some((error.line(), error.column())),
        }
    }
}

impl From<serde_json::Error> for ReadError {
    fn from(error: serde_json::Error) -> Self {
        Self(if error.is_io() { Cause::Io(error.into()) } else { Cause::Malformed(error) })
    }
}
