//! Deserialisation of a string without a copy.

use core::fmt;

use serde::{
    Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// How the values of an enum are read; `kind` is its name in words.
#[derive(Clone, Copy)]
pub(crate) struct Reading<T> {
    pub(crate) kind: &'static str,
    pub(crate) read: fn(&str) -> T,
}

/// Reads any value: a string by `reading`, everything else as `missing`.
pub(crate) fn lenient<'de, T: Copy, D: Deserializer<'de>>(
    deserializer: D,
    missing: T,
    reading: Reading<T>,
) -> Result<T, D::Error> {
    let visitor = Lenient { missing, reading };
    // Formats that are not human-readable often do not store the type of a value.
    if deserializer.is_human_readable() {
        deserializer.deserialize_any(visitor)
    } else {
        deserializer.deserialize_str(visitor)
    }
}

/// Reads a string by `reading`.
pub(crate) fn strict<'de, T, D: Deserializer<'de>>(deserializer: D, reading: Reading<T>) -> Result<T, D::Error> {
    deserializer.deserialize_str(reading)
}

struct Lenient<T> {
    missing: T,
    reading: Reading<T>,
}

impl<'de, T: Copy> Visitor<'de> for Lenient<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reading.expecting(f)
    }

    fn visit_str<X: Error>(self, text: &str) -> Result<T, X> {
        Ok((self.reading.read)(text))
    }

    fn visit_unit<X: Error>(self) -> Result<T, X> {
        Ok(self.missing)
    }

    fn visit_bool<X: Error>(self, _: bool) -> Result<T, X> {
        Ok(self.missing)
    }

    fn visit_i64<X: Error>(self, _: i64) -> Result<T, X> {
        Ok(self.missing)
    }

    fn visit_u64<X: Error>(self, _: u64) -> Result<T, X> {
        Ok(self.missing)
    }

    fn visit_f64<X: Error>(self, _: f64) -> Result<T, X> {
        Ok(self.missing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<T, A::Error> {
        IgnoredAny.visit_seq(seq).map(|_| self.missing)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        IgnoredAny.visit_map(map).map(|_| self.missing)
    }
}

impl<T> Visitor<'_> for Reading<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a string, the {}", self.kind)
    }

    fn visit_str<X: Error>(self, text: &str) -> Result<T, X> {
        Ok((self.read)(text))
    }
}
