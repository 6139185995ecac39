//! Values as the SDK's models take them: `12`, `12.0` and `"12"` are the same whole number. And more: null where it should not be.

use serde::{Deserialize, Deserializer, de};

#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Whole(u64),
    Float(f64),
    Text(String),
}

/// A whole number.
pub(super) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Number::deserialize(deserializer)?.whole().ok_or_else(|| de::Error::custom("a whole number was expected"))
}

/// A whole number, or none.
pub(super) fn optional_whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    match Option::<Number>::deserialize(deserializer)? {
        Some(number) => number.whole().map(Some).ok_or_else(|| de::Error::custom("a whole number was expected")),
        None => Ok(None),
    }
}

/// A number, or none.
pub(super) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    match Option::<Number>::deserialize(deserializer)? {
        Some(number) => number.float().map(Some).ok_or_else(|| de::Error::custom("a number was expected")),
        None => Ok(None),
    }
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
            // Beyond 2^53 a float is not exact; no size or count gets there.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "checked to be whole and in range"
            )]
            Self::Float(number) => {
                (number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&number)).then_some(number as u64)
            }
            Self::Text(text) => text.trim().parse().ok(),
        }
    }

    fn float(self) -> Option<f64> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "durations and rates are small")]
            Self::Whole(number) => Some(number as f64),
            Self::Float(number) => Some(number),
            Self::Text(text) => text.trim().parse().ok(),
        }
    }
}
