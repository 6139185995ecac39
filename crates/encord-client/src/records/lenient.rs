//! Values as the SDK's models take them, and more: `12`, `12.0` and `"12"` are the same whole number, a number below zero counts as
//! zero, and an optional number that is none is absent. No list fails for such a thing.

use serde::de::{self, IgnoredAny};
use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Whole(u64),
    Float(f64),
    Text(String),
    Other(IgnoredAny),
}

/// A whole number.
pub(super) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Number::deserialize(deserializer)?.whole().ok_or_else(|| de::Error::custom("a whole number was expected"))
}

/// A whole number, or none.
pub(super) fn optional_whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(Option::<Number>::deserialize(deserializer)?.and_then(Number::whole))
}

/// A number, or none.
pub(super) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Ok(Option::<Number>::deserialize(deserializer)?.and_then(Number::float))
}

/// Null means the same as absent.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Number {
    fn whole(self) -> Option<u64> {
        match self {
            Self::Whole(number) => Some(number),
            Self::Float(number) => from_float(number),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Other(_) => None,
        }
    }

    fn float(self) -> Option<f64> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "durations and rates are small")]
            Self::Whole(number) => Some(number as f64),
            Self::Float(number) => Some(number),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Other(_) => None,
        }
    }
}

/// Beyond 2^53 a float is not exact; no size or count gets there.
fn from_float(number: f64) -> Option<u64> {
    if number < 0.0 {
        return Some(0);
    }
    let is_whole = number.fract() == 0.0 && number <= 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    is_whole.then_some(number as u64)
}
