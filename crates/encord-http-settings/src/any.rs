//! A value of any type from a file, and its conversion to the types of the fields.

use core::fmt;

use alloc::string::String;
use alloc::vec::Vec;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::{BackoffFactor, Timeout};

/// Shown in place of a text with a URL in it.
pub(crate) const A_URL: &str = "a URL";

/// Any value of a file.
pub(crate) enum Any {
    Null,
    Flag(bool),
    Integer(i128),
    Decimal(f64),
    Text(String),
    List,
    Table(Entries),
}

/// The entries of a table as they were written, repeated keys included.
pub(crate) type Entries = Vec<(String, Any)>;

/// Accepts a table only.
pub(crate) struct EntriesVisitor {
    pub(crate) expecting: &'static str,
}

/// A type that a value can be converted to. A value of another type is returned as it is.
pub(crate) trait FromAny: Sized {
    fn from_any(any: Any) -> Result<Self, Any>;
}

/// The type of a field that can only be null.
pub(crate) enum Never {}

impl fmt::Display for Any {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Flag(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Decimal(value) => write!(f, "{value:?}"),
            // A user may pass a manifest as the settings file, and a signed URL is a credential.
            Self::Text(value) if is_url(value) => f.write_str(A_URL),
            Self::Text(value) => write!(f, "{value:?}"),
            Self::List => f.write_str("a list"),
            Self::Table(_) => f.write_str("a table"),
        }
    }
}

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyVisitor)
    }
}

impl FromAny for u32 {
    fn from_any(any: Any) -> Result<Self, Any> {
        let count = match any {
            Any::Integer(number) => Self::try_from(number).ok(),
            Any::Decimal(number) => whole(number),
            _ => None,
        };
        count.ok_or(any)
    }
}

impl FromAny for BackoffFactor {
    fn from_any(any: Any) -> Result<Self, Any> {
        let factor = match any {
            #[expect(clippy::cast_precision_loss, reason = "the nearest factor is meant")]
            Any::Integer(number) => Self::new(number as f64).ok(),
            Any::Decimal(number) => Self::new(number).ok(),
            _ => None,
        };
        factor.ok_or(any)
    }
}

impl FromAny for Timeout {
    fn from_any(any: Any) -> Result<Self, Any> {
        let timeout = match &any {
            Any::Integer(number) => u64::try_from(*number).ok().and_then(|seconds| Self::from_secs(seconds).ok()),
            Any::Decimal(number) => Self::from_secs_f64(*number).ok(),
            Any::Text(text) => Self::read(text),
            _ => None,
        };
        timeout.ok_or(any)
    }
}

impl FromAny for bool {
    fn from_any(any: Any) -> Result<Self, Any> {
        match any {
            Any::Flag(value) => Ok(value),
            other => Err(other),
        }
    }
}

impl FromAny for Entries {
    fn from_any(any: Any) -> Result<Self, Any> {
        match any {
            Any::Table(entries) => Ok(entries),
            other => Err(other),
        }
    }
}

impl FromAny for Never {
    fn from_any(any: Any) -> Result<Self, Any> {
        Err(any)
    }
}

/// Returns the decimal as a count if it has no fraction.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "a number that does not survive the way there and back is refused"
)]
fn whole(number: f64) -> Option<u32> {
    let count = number as u32;
    (f64::from(count) == number).then_some(count)
}

pub(crate) fn is_url(text: &str) -> bool {
    text.contains("://")
}

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(entries)
    }
}

struct AnyVisitor;

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = Any;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Any, E> {
        Ok(Any::Flag(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Any, E> {
        Ok(Any::Integer(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Any, E> {
        Ok(Any::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Any, E> {
        Ok(Any::Integer(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Any, E> {
        Ok(Any::Decimal(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Any, E> {
        Ok(Any::Text(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<Any, E> {
        Ok(Any::Text(value))
    }

    fn visit_unit<E>(self) -> Result<Any, E> {
        Ok(Any::Null)
    }

    fn visit_none<E>(self) -> Result<Any, E> {
        Ok(Any::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Any, D::Error> {
        Any::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Any, D::Error> {
        Any::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Any, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Any::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Any, A::Error> {
        let expecting = "a table";
        EntriesVisitor { expecting }.visit_map(map).map(Any::Table)
    }
}
