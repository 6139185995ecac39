//! The upper-case form of data types for serde: `#[serde(with = "encord_enums::upper_case")]`.
//!
//! The platform uses upper case in data rows, in the metadata of label rows and in the filter of data rows, and lower case in
//! label rows.
//!
//! ```
//! use encord_enums::{DataType, Lossless};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Deserialize, Serialize)]
//! struct DataRow {
//!     #[serde(with = "encord_enums::upper_case")]
//!     data_type: Lossless<DataType>,
//! }
//!
//! let json = r#"{"data_type":"DICOM_STUDY"}"#;
//! let row: DataRow = serde_json::from_str(json)?;
//! assert_eq!(row.data_type, DataType::DicomStudy);
//! assert_eq!(serde_json::to_string(&row)?, json);
//!
//! let json = r#"{"data_type":"HOLOGRAM"}"#;
//! let row: DataRow = serde_json::from_str(json)?;
//! assert_eq!(row.data_type.known(), DataType::MissingDataType);
//! assert_eq!(serde_json::to_string(&row)?, json);
//! # Ok::<(), serde_json::Error>(())
//! ```

use alloc::vec::Vec;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text::{self, Reading};
use crate::{DataType, Lossless, OpenEnum};

/// Writes the upper-case form.
///
/// # Errors
///
/// The errors of the serialiser.
pub fn serialize<T: UpperCase, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    value.serialize_upper_case(serializer)
}

/// Reads the upper-case form.
///
/// # Errors
///
/// The errors of the deserialiser, and for a [`Lossless`] anything but a string. An unknown string is no error: it becomes the
/// fallback, or is kept.
pub fn deserialize<'de, T: UpperCase, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::deserialize_upper_case(deserializer)
}

/// A type that has an upper-case form: [`DataType`], its [`Lossless`], and an [`Option`] or a [`Vec`] of these.
pub trait UpperCase: Sized {
    /// Writes the upper-case form.
    ///
    /// # Errors
    ///
    /// The errors of the serialiser.
    fn serialize_upper_case<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Reads the upper-case form.
    ///
    /// # Errors
    ///
    /// The errors of the deserialiser.
    fn deserialize_upper_case<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

impl UpperCase for DataType {
    fn serialize_upper_case<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.to_upper_case_string())
    }

    fn deserialize_upper_case<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let reading = Reading { kind: Self::KIND, read: Self::from_upper_case_string };
        text::lenient(deserializer, Self::MISSING, reading)
    }
}

impl UpperCase for Lossless<DataType> {
    fn serialize_upper_case<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.to_upper_case_string())
    }

    fn deserialize_upper_case<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let reading = Reading { kind: DataType::KIND, read: Self::from_upper_case_string };
        text::strict(deserializer, reading)
    }
}

/// A field that may be absent needs `#[serde(default)]` too.
impl<T: UpperCase> UpperCase for Option<T> {
    fn serialize_upper_case<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().map(Written).serialize(serializer)
    }

    fn deserialize_upper_case<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map(|Read(value)| value))
    }
}

impl<T: UpperCase> UpperCase for Vec<T> {
    fn serialize_upper_case<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Written))
    }

    fn deserialize_upper_case<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = Vec::deserialize(deserializer)?;
        Ok(values.into_iter().map(|Read(value)| value).collect())
    }
}

struct Written<'a, T>(&'a T);

impl<T: UpperCase> Serialize for Written<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize_upper_case(serializer)
    }
}

struct Read<T>(T);

impl<'de, T: UpperCase> Deserialize<'de> for Read<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize_upper_case(deserializer).map(Self)
    }
}
