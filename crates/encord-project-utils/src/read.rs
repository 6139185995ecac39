//! Reads the distinct uids from JSON without making the models.

mod seeds;

use std::io::{self, BufReader};

use indexmap::IndexSet;
use serde::de::DeserializeSeed;
use serde_json::Deserializer;

use self::seeds::Models;
use crate::UidHasher;

/// Reads a JSON array of model configurations, and returns its distinct model iteration uids in order of first appearance.
///
/// Use it for a list that is too large for memory: it keeps only the distinct uids. It reads only `model_iteration_uids` of each
/// model; the other fields must be valid JSON. The reader is read to its end and needs no buffer of its own.
///
/// ```
/// use encord_project_utils::read_model_iteration_uids;
///
/// let json = r#"[
///     {"title": "Lesions", "model_iteration_uids": ["b", "a"]},
///     {"title": "Organs", "model_iteration_uids": ["c", "b"]}
/// ]"#;
/// let uids = read_model_iteration_uids(json.as_bytes())?;
/// assert!(uids.iter().eq(["b", "a", "c"]));
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
/// The reader fails; the input is not exactly one JSON array of objects; one of the objects does not have
/// `model_iteration_uids` exactly once, or it is not a list of strings.
pub fn read_model_iteration_uids(reader: impl io::Read) -> Result<IndexSet<String, UidHasher>, ReadError> {
    const BUFFER_BYTES: usize = 64 * 1024;

    read(Deserializer::from_reader(BufReader::with_capacity(BUFFER_BYTES, reader)))
}

/// Returns the distinct model iteration uids of a JSON array of model configurations in memory, in order of first appearance.
///
/// It does the same as [`read_model_iteration_uids`], and is several times as fast.
///
/// ```
/// use encord_project_utils::model_iteration_uids_from_slice;
///
/// let json = br#"[{"model_iteration_uids": ["b", "a"]}, {"model_iteration_uids": ["c", "b"]}]"#;
/// let uids = model_iteration_uids_from_slice(json)?;
/// assert!(uids.iter().eq(["b", "a", "c"]));
/// # Ok::<(), encord_project_utils::ReadError>(())
/// ```
///
/// # Errors
///
/// The input is not exactly one JSON array of objects; one of the objects does not have `model_iteration_uids` exactly
/// once, or it is not a list of strings.
pub fn model_iteration_uids_from_slice(json: &[u8]) -> Result<IndexSet<String, UidHasher>, ReadError> {
    read(Deserializer::from_slice(json))
}

/// The error of [`read_model_iteration_uids`] and [`model_iteration_uids_from_slice`].
///
/// The message says what was expected, and where. If the reader failed, the [source](std::error::Error::source) is its
/// [`io::Error`].
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ReadError(Cause);

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error("cannot read the model configurations: {0}")]
    Io(#[source] io::Error),
    #[error("malformed model configurations: {0}")]
    Malformed(serde_json::Error),
}

impl ReadError {
    /// Returns the place where the input is malformed: line and column, counted from 1, the column in bytes. It is `None` if
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

fn read<'de>(mut json: Deserializer<impl serde_json::de::Read<'de>>) -> Result<IndexSet<String, UidHasher>, ReadError> {
    let mut uids = IndexSet::default();
    Models(&mut uids).deserialize(&mut json)?;
    json.end()?;
    Ok(uids)
}
