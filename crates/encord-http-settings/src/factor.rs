//! The backoff factor, and the wait that it gives before each retry.

use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;
use core::time::Duration;

use crate::ParseValueError;

pub(crate) const EXPECTED: &str = "a finite number of 0 or more";

/// The factor of the documented formula `backoff_factor * 2^(retry_number - 1)`, in seconds: a finite number of 0 or more.
///
/// ```
/// use core::time::Duration;
/// use encord_http_settings::BackoffFactor;
///
/// const GENTLE: BackoffFactor = BackoffFactor::of(0.25);
/// assert_eq!(GENTLE.delay(1), Duration::from_millis(250));
/// assert_eq!(GENTLE.delay(4), Duration::from_secs(2));
///
/// // For a value that is not known while compiling:
/// assert!(BackoffFactor::new(-1.0).is_err());
/// assert_eq!(BackoffFactor::from(2), BackoffFactor::of(2.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(transparent))]
pub struct BackoffFactor(f64);

/// The error of [`BackoffFactor::new`].
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("a backoff factor must be {EXPECTED}, not {value:?}")]
pub struct InvalidBackoffFactor {
    value: f64,
}

impl BackoffFactor {
    /// Retries without waiting.
    pub const ZERO: Self = Self(0.0);

    /// Makes a factor. In a constant, an invalid number is a compile error.
    ///
    /// # Panics
    ///
    /// If the number is NaN, infinite or below 0. [`BackoffFactor::new`] returns an error instead.
    ///
    /// ```compile_fail
    /// const BACK: encord_http_settings::BackoffFactor = encord_http_settings::BackoffFactor::of(-1.0);
    /// ```
    #[track_caller]
    #[expect(clippy::panic, reason = "the fallible constructor stands beside it")]
    pub const fn of(factor: f64) -> Self {
        match Self::new(factor) {
            Ok(factor) => factor,
            Err(_) => panic!("a backoff factor must be a finite number of 0 or more"),
        }
    }

    /// Makes a factor. −0.0 becomes 0.0.
    ///
    /// # Errors
    ///
    /// The number is NaN, infinite or below 0.
    pub const fn new(factor: f64) -> Result<Self, InvalidBackoffFactor> {
        if factor.is_finite() && factor >= 0.0 {
            Ok(Self(if factor == 0.0 { 0.0 } else { factor }))
        } else {
            Err(InvalidBackoffFactor { value: factor })
        }
    }

    /// Returns the number.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// Returns the wait before a retry, without any cap: `factor * 2^(retry_number - 1)` seconds, counted from 1 and rounded to
    /// the nearest nanosecond.
    ///
    /// A wait that a [`Duration`] cannot hold is [`Duration::MAX`]. Number 0, the first attempt, has no wait. A request waits as
    /// [`Backoff`](crate::Backoff) says, which adds the cap.
    pub fn delay(self, retry_number: u32) -> Duration {
        let Some(doublings) = retry_number.checked_sub(1) else {
            return Duration::ZERO;
        };
        // An f64 holds no power of two above 2^1023, and the smallest factor, 2^-1074, needs more
        // doublings than that to be felt. Two steps lift any factor past the longest duration.
        let first = doublings.min(1023);
        let second = (doublings - first).min(1023);
        let seconds = self.0 * power_of_two(first) * power_of_two(second);
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

// The number is never NaN and never −0.0.
impl Eq for BackoffFactor {}

impl Ord for BackoffFactor {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for BackoffFactor {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for BackoffFactor {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

impl fmt::Display for BackoffFactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<f64> for BackoffFactor {
    type Error = InvalidBackoffFactor;

    fn try_from(factor: f64) -> Result<Self, Self::Error> {
        Self::new(factor)
    }
}

impl From<u32> for BackoffFactor {
    fn from(factor: u32) -> Self {
        Self(factor.into())
    }
}

impl From<BackoffFactor> for f64 {
    fn from(factor: BackoffFactor) -> Self {
        factor.get()
    }
}

/// Reads a number as Rust writes it: `1.5`, `2`, `5e-1`. Blanks around it are ignored.
impl FromStr for BackoffFactor {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number: Option<f64> = text.trim().parse().ok();
        number.and_then(|number| Self::new(number).ok()).ok_or_else(|| ParseValueError::new(text, EXPECTED))
    }
}

impl InvalidBackoffFactor {
    /// Returns the number that was refused.
    pub const fn value(self) -> f64 {
        self.value
    }
}

/// 2^`exponent`, for an exponent of at most 1023; `core` has no `powi`.
const fn power_of_two(exponent: u32) -> f64 {
    f64::from_bits((exponent as u64 + 1023) << 52)
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use proptest::prelude::*;

    use super::*;

    fn factor(value: f64) -> BackoffFactor {
        BackoffFactor::new(value).unwrap()
    }

    #[track_caller]
    fn check(value: f64, retry_number: u32, expected: Duration) {
        assert_eq!(factor(value).delay(retry_number), expected);
    }

    #[test]
    fn r2_the_formula_is_exact() {
        check(1.5, 0, Duration::ZERO);
        check(1.5, 1, Duration::from_millis(1500));
        check(1.5, 2, Duration::from_secs(3));
        check(1.5, 3, Duration::from_secs(6));
        check(1.5, 11, Duration::from_secs(1536));
        check(0.1, 1, Duration::from_millis(100));
        check(0.1, 4, Duration::from_millis(800));
        check(1e-9, 1, Duration::from_nanos(1));
        // Half a nanosecond and less rounds to none; the doubling starts from the exact value.
        check(3e-10, 1, Duration::ZERO);
        check(3e-10, 3, Duration::from_nanos(1));
        check(1.0, 64, Duration::from_secs(1 << 63));
        check(f64::from_bits(1), 1075, Duration::from_secs(1));
        check(f64::from_bits(1), 1076, Duration::from_secs(2));
    }

    #[test]
    fn r2_the_formula_saturates() {
        check(1.0, 65, Duration::MAX);
        check(1.5, u32::MAX, Duration::MAX);
        check(f64::MAX, 1, Duration::MAX);
        check(f64::from_bits(1), u32::MAX, Duration::MAX);
        check(0.0, 1, Duration::ZERO);
        check(0.0, u32::MAX, Duration::ZERO);
    }

    #[test]
    fn r12_a_factor_is_finite_and_not_negative() {
        #[track_caller]
        fn check(value: f64, message: &str) {
            let error = BackoffFactor::try_from(value).unwrap_err();
            assert_eq!((error.to_string().as_str(), error.value().to_bits()), (message, value.to_bits()));
        }
        let rule = "a backoff factor must be a finite number of 0 or more, not";
        check(f64::NAN, &std::format!("{rule} NaN"));
        check(f64::INFINITY, &std::format!("{rule} inf"));
        check(f64::NEG_INFINITY, &std::format!("{rule} -inf"));
        check(-1.0, &std::format!("{rule} -1.0"));
        check(-5e-324, &std::format!("{rule} -5e-324"));
        assert!(factor(-0.0).get().is_sign_positive());
    }

    #[test]
    fn r12_a_factor_is_read_from_text() {
        #[track_caller]
        fn check(text: &str, expected: Result<f64, &str>) {
            let got = text.parse::<BackoffFactor>().map_err(|e| {
                assert_eq!(e.value(), text);
                e.to_string()
            });
            assert_eq!(got, expected.map(factor).map_err(ToString::to_string));
        }
        check("1.5", Ok(1.5));
        check(" 2 ", Ok(2.0));
        check("0", Ok(0.0));
        check("nan", Err(r#"must be a finite number of 0 or more, not "nan""#));
        check("-1", Err(r#"must be a finite number of 0 or more, not "-1""#));
        check("", Err(r#"must be a finite number of 0 or more, not """#));
    }

    proptest! {
        #[test]
        fn never_panics_and_never_shrinks(bits: u64, retry_number: u32) {
            if let Ok(factor) = BackoffFactor::new(f64::from_bits(bits)) {
                prop_assert!(
                    factor.delay(retry_number) <= factor.delay(retry_number.saturating_add(1))
                );
            }
        }

        #[test]
        fn text_and_number_round_trip(value in 0.0..f64::MAX) {
            prop_assert_eq!(factor(value).to_string().parse(), Ok(factor(value)));
            prop_assert_eq!(f64::from(factor(value)).to_bits(), value.to_bits());
        }
    }
}
