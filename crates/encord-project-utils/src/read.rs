//! The distinct uids straight from JSON, without the models.

use std::{
    fmt,
    io::{self, BufReader, Read},
};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::UidSet;

/// Bytes that are asked of the reader at once.
const BUFFER: usize = 128 * 1024;

/// The distinct model iteration uids of a JSON array of model configurations, in order of first
/// appearance.
///
/// For lists that are too large to hold: memory is that of the distinct uids. Of each model only
/// `model_iteration_uids` is looked at, the rest must only be JSON. The reader is read to its end,
/// through a buffer; it needs none of its own.
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
    let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(BUFFER, reader));
    Models(&mut uids).deserialize(&mut json)?;
    json.end()?;
    Ok(uids)
}

/// Why [`read_model_iteration_uids`] failed.
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

type Uids = UidSet<Box<str>>;

struct Models<'a>(&'a mut Uids);

impl<'de> DeserializeSeed<'de> for Models<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Models<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of model configurations")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut models: A) -> Result<(), A::Error> {
        while models.next_element_seed(Model(self.0))?.is_some() {}
        Ok(())
    }
}

struct Model<'a>(&'a mut Uids);

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Field {
    ModelIterationUids,
    #[serde(other)]
    Other,
}

impl<'de> DeserializeSeed<'de> for Model<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Model<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a model configuration")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut model: A) -> Result<(), A::Error> {
        const FIELD: &str = "model_iteration_uids";
        let mut found = false;
        while let Some(field) = model.next_key()? {
            match field {
                Field::ModelIterationUids if found => return Err(A::Error::duplicate_field(FIELD)),
                Field::ModelIterationUids => {
                    model.next_value_seed(ModelIterationUids(self.0))?;
                    found = true;
                }
                Field::Other => {
                    model.next_value::<IgnoredAny>()?;
                }
            }
        }
        if found { Ok(()) } else { Err(A::Error::missing_field(FIELD)) }
    }
}

struct ModelIterationUids<'a>(&'a mut Uids);

impl<'de> DeserializeSeed<'de> for ModelIterationUids<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ModelIterationUids<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of model iteration uids")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut uids: A) -> Result<(), A::Error> {
        while uids.next_element_seed(Uid(self.0))?.is_some() {}
        Ok(())
    }
}

struct Uid<'a>(&'a mut Uids);

impl<'de> DeserializeSeed<'de> for Uid<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Uid<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a model iteration uid as a string")
    }

    fn visit_str<E: Error>(self, uid: &str) -> Result<(), E> {
        // Asked first, so that only a new uid is allocated.
        if !self.0.contains(uid) {
            self.0.insert(uid.into());
        }
        Ok(())
    }
}
