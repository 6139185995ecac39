//! The wrapper that keeps what an enum does not know.

use alloc::{boxed::Box, string::String};
use core::{convert::Infallible, fmt, str::FromStr};

use crate::{DataType, OpenEnum};

/// A value of the enum `E`, or the string that is none.
///
/// A plain enum reads a string that it does not know as its fallback, and writes the fallback's
/// value. This wrapper writes the string that it read, so a record goes through a program unharmed.
/// Only an unknown string is allocated.
///
/// With the feature `serde` it is written and read as the value, or in upper case by the module
/// `upper_case`; what is not a string is an error.
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
/// Whether a string is known depends on the form in which it came: `VIDEO` is a value in upper
/// case only, `video` in lower case only. An unknown string has no case to convert, so both
/// [`as_str`](Self::as_str) and [`to_upper_case_string`](Self::to_upper_case_string) give it back as
/// it was. In each form alone, what is read is what is written, for every string.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lossless<E>(Text<E>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Text<E> {
    Known(E),
    Unknown(Box<str>),
}

impl<E: OpenEnum> Lossless<E> {
    /// Known if this is a value of `E`, that of the fallback included.
    pub fn from_value(value: &str) -> Self {
        Self::new(E::from_value(value), E::as_str, value)
    }

    /// The variant; the fallback for an unknown string.
    pub fn known(&self) -> E {
        match self.0 {
            Text::Known(known) => known,
            Text::Unknown(_) => E::MISSING,
        }
    }

    /// The string that is not known, if it is not.
    pub fn unknown(&self) -> Option<&str> {
        match &self.0 {
            Text::Known(_) => None,
            Text::Unknown(text) => Some(text),
        }
    }

    /// The value, or the unknown string as it was.
    pub fn as_str(&self) -> &str {
        self.unknown().unwrap_or_else(|| self.known().as_str())
    }

    /// `variant` is what `text` means; if it is not written as `text`, then only as the fallback.
    fn new(variant: E, write: fn(E) -> &'static str, text: impl AsRef<str> + Into<Box<str>>) -> Self {
        if write(variant) == text.as_ref() { Self(Text::Known(variant)) } else { Self(Text::Unknown(text.into())) }
    }
}

/// The upper-case form, which only data types have.
impl Lossless<DataType> {
    /// Known if this is exactly the upper-cased value of a variant of `E`.
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

    /// The value in upper case, or the unknown string as it was.
    pub fn to_upper_case_string(&self) -> &str {
        self.unknown().unwrap_or_else(|| self.known().to_upper_case_string())
    }
}

impl<E: OpenEnum> From<E> for Lossless<E> {
    fn from(known: E) -> Self {
        Self(Text::Known(known))
    }
}

/// [`Lossless::from_value`].
impl<E: OpenEnum> From<&str> for Lossless<E> {
    fn from(value: &str) -> Self {
        Self::from_value(value)
    }
}

/// [`Lossless::from_value`], which keeps the string's memory.
impl<E: OpenEnum> From<String> for Lossless<E> {
    fn from(value: String) -> Self {
        Self::new(E::from_value(&value), E::as_str, value)
    }
}

/// [`Lossless::from_value`].
impl<E: OpenEnum> FromStr for Lossless<E> {
    type Err = Infallible;

    fn from_str(value: &str) -> Result<Self, Infallible> {
        Ok(Self::from_value(value))
    }
}

/// An unknown string is equal to no variant, also not to the fallback.
impl<E: OpenEnum> PartialEq<E> for Lossless<E> {
    fn eq(&self, other: &E) -> bool {
        matches!(&self.0, Text::Known(known) if known == other)
    }
}

/// [`Lossless::as_str`].
impl<E: OpenEnum> fmt::Display for Lossless<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// [`Lossless::as_str`].
impl<E: OpenEnum> AsRef<str> for Lossless<E> {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

/// [`Lossless::as_str`].
#[cfg(feature = "serde")]
impl<E: OpenEnum> serde::Serialize for Lossless<E> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// [`Lossless::from_value`] of a string; anything else is an error, because it could not be kept.
#[cfg(feature = "serde")]
impl<'de, E: OpenEnum> serde::Deserialize<'de> for Lossless<E> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::lossless(deserializer, Self::from_value)
    }
}
