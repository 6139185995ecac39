//! Reading a string by serde without a copy.

use core::fmt;

use serde::{
    Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::{Lossless, OpenEnum};

/// Reads any value: a string by `read`, everything else as the fallback.
pub(crate) fn lenient<'de, E: OpenEnum, D: Deserializer<'de>>(
    deserializer: D,
    read: fn(&str) -> E,
) -> Result<E, D::Error> {
    // Formats that are not human-readable often cannot tell what comes next.
    if deserializer.is_human_readable() {
        deserializer.deserialize_any(LenientVisitor(read))
    } else {
        deserializer.deserialize_str(LenientVisitor(read))
    }
}

/// Reads a string by `read`.
pub(crate) fn lossless<'de, E: OpenEnum, D: Deserializer<'de>>(
    deserializer: D,
    read: fn(&str) -> Lossless<E>,
) -> Result<Lossless<E>, D::Error> {
    deserializer.deserialize_str(LosslessVisitor(read))
}

struct LenientVisitor<E>(fn(&str) -> E);

impl<'de, E: OpenEnum> Visitor<'de> for LenientVisitor<E> {
    type Value = E;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expecting::<E>(f)
    }

    fn visit_str<X: Error>(self, text: &str) -> Result<E, X> {
        Ok((self.0)(text))
    }

    fn visit_unit<X: Error>(self) -> Result<E, X> {
        Ok(E::MISSING)
    }

    fn visit_bool<X: Error>(self, _: bool) -> Result<E, X> {
        Ok(E::MISSING)
    }

    fn visit_i64<X: Error>(self, _: i64) -> Result<E, X> {
        Ok(E::MISSING)
    }

    fn visit_u64<X: Error>(self, _: u64) -> Result<E, X> {
        Ok(E::MISSING)
    }

    fn visit_f64<X: Error>(self, _: f64) -> Result<E, X> {
        Ok(E::MISSING)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<E, A::Error> {
        IgnoredAny.visit_seq(seq).map(|_| E::MISSING)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<E, A::Error> {
        IgnoredAny.visit_map(map).map(|_| E::MISSING)
    }
}

struct LosslessVisitor<E>(fn(&str) -> Lossless<E>);

impl<E: OpenEnum> Visitor<'_> for LosslessVisitor<E> {
    type Value = Lossless<E>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expecting::<E>(f)
    }

    fn visit_str<X: Error>(self, text: &str) -> Result<Lossless<E>, X> {
        Ok((self.0)(text))
    }
}

fn expecting<E: OpenEnum>(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "a string, the {}", E::KIND)
}
