//! The wrapper that keeps a string that its enum does not know.

use alloc::{boxed::Box, string::String};
use core::{convert::Infallible, fmt, str::FromStr};

use crate::{DataType, OpenEnum};

/// A value of the enum `E`, or a string that is not one of its values.
///
/// A plain enum reads an unknown string as its fallback, and writes the value of the fallback. This wrapper writes the string
/// that it read, so that a program can pass on a record unchanged. Memory is allocated for unknown strings only.
///
/// With the feature `serde` it is written and read as the value; a [`DataType`] also in upper case, by the module `upper_case`.
/// Anything but a string is an error.
///
/// ```
/// use encord_enums::{DataType, Lossless};
///
/// let known = Lossless::<DataType>::from_value("video");
/// assert_eq!(known, DataType::Video);
/// assert_eq!(known.unknown(), None);
///
/// let unknown = Lossless::<DataType>::from_value("hologram");
/// assert_eq!(unknown.known(), DataType::MissingDataType);
/// assert_eq!(unknown.unknown(), Some("hologram"));
/// assert_eq!(unknown.as_str(), "hologram");
/// ```
///
/// # The two forms
///
/// A data type has two forms, and a string is known in one of them only: `VIDEO` in upper case, `video` in lower case. An
/// unknown string is not converted: both [`as_str`](Self::as_str) and [`to_upper_case_string`](Lossless::to_upper_case_string)
/// return it as it was. A program that uses one form only writes every string as it was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lossless<E>(Text<E>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Text<E> {
    Known(E),
    Unknown(Box<str>),
}

impl<E: OpenEnum> Lossless<E> {
    /// Makes a known value if the string is a value of `E` (also if it is that of the fallback), else an unknown one.
    pub fn from_value(value: &str) -> Self {
        Self::new(E::from_value(value), E::as_str, value)
    }

    /// Returns the variant, or the fallback for an unknown string.
    pub fn known(&self) -> E {
        match self.0 {
            Text::Known(known) => known,
            Text::Unknown(_) => E::MISSING,
        }
    }

    /// Returns the string if it is unknown.
    pub fn unknown(&self) -> Option<&str> {
        match &self.0 {
            Text::Known(_) => None,
            Text::Unknown(text) => Some(text),
        }
    }

    /// Returns the value, or the unknown string as it was.
    pub fn as_str(&self) -> &str {
        self.unknown().unwrap_or_else(|| self.known().as_str())
    }

    /// Makes a value of `text`, which was read as `variant`. If `variant` has another value, `text` is unknown.
    fn new(variant: E, write: fn(E) -> &'static str, text: impl AsRef<str> + Into<Box<str>>) -> Self {
        if write(variant) == text.as_ref() { Self(Text::Known(variant)) } else { Self(Text::Unknown(text.into())) }
    }
}

/// The upper-case form, which only data types have.
impl Lossless<DataType> {
    /// Makes a known value if the string is exactly the value of a variant in upper case, else an unknown one.
    ///
    /// ```
    /// use encord_enums::{DataType, Lossless};
    ///
    /// let known = Lossless::<DataType>::from_upper_case_string("DICOM_STUDY");
    /// assert_eq!(known.as_str(), "dicom_study");
    ///
    /// let unknown = Lossless::<DataType>::from_upper_case_string("HOLOGRAM");
    /// assert_eq!(unknown.to_upper_case_string(), "HOLOGRAM");
    /// ```
    pub fn from_upper_case_string(string: &str) -> Self {
        Self::new(DataType::from_upper_case_string(string), DataType::to_upper_case_string, string)
    }

    /// Returns the value in upper case, or the unknown string as it was.
    pub fn to_upper_case_string(&self) -> &str {
        self.unknown().unwrap_or_else(|| self.known().to_upper_case_string())
    }
}

impl<E: OpenEnum> From<E> for Lossless<E> {
    fn from(known: E) -> Self {
        Self(Text::Known(known))
    }
}

/// Reads as [`Lossless::from_value`] does.
impl<E: OpenEnum> From<&str> for Lossless<E> {
    fn from(value: &str) -> Self {
        Self::from_value(value)
    }
}

/// Reads as [`Lossless::from_value`] does, and keeps the memory of the string.
impl<E: OpenEnum> From<String> for Lossless<E> {
    fn from(value: String) -> Self {
        Self::new(E::from_value(&value), E::as_str, value)
    }
}

/// Reads as [`Lossless::from_value`] does.
impl<E: OpenEnum> FromStr for Lossless<E> {
    type Err = Infallible;

    fn from_str(value: &str) -> Result<Self, Infallible> {
        Ok(Self::from_value(value))
    }
}

/// An unknown string is equal to no variant, not even to the fallback.
impl<E: OpenEnum> PartialEq<E> for Lossless<E> {
    fn eq(&self, other: &E) -> bool {
        matches!(&self.0, Text::Known(known) if known == other)
    }
}

/// Writes [`Lossless::as_str`].
impl<E: OpenEnum> fmt::Display for Lossless<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Writes [`Lossless::as_str`].
impl<E: OpenEnum> AsRef<str> for Lossless<E> {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

/// Writes [`Lossless::as_str`].
#[cfg(feature = "serde")]
impl<E: OpenEnum> serde::Serialize for Lossless<E> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Reads a string as [`Lossless::from_value`] does. Anything else is an error, because it could not be kept.
#[cfg(feature = "serde")]
impl<'de, E: OpenEnum> serde::Deserialize<'de> for Lossless<E> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::strict(deserializer, crate::text::Reading { kind: E::KIND, read: Self::from_value })
    }
}
