//! A time limit: longer than nothing, or explicitly none.

use core::cmp::Ordering;
use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use alloc::format;

use crate::ParseValueError;

pub(crate) const EXPECTED: &str = r#"a number of seconds above 0, a time such as "90s" or "5min", or "unlimited""#;

/// How the absence of a limit is written in files, variables and output.
const UNLIMITED_WORD: &str = "unlimited";

/// The units of a time, in milliseconds.
const UNITS: [(&str, u32); 6] = [("ms", 1), ("s", 1000), ("min", 60_000), ("m", 60_000), ("h", 3_600_000), ("", 1000)];

/// A time limit: longer than zero, or [`Timeout::UNLIMITED`], which is greater than all others.
///
/// ```
/// use core::time::Duration;
/// use encord_http_settings::Timeout;
///
/// const PATIENT: Timeout = Timeout::secs(600);
/// assert_eq!(PATIENT.as_duration(), Some(Duration::from_secs(600)));
/// assert_eq!(Timeout::UNLIMITED.as_duration(), None);
/// assert!(PATIENT < Timeout::UNLIMITED);
///
/// // For a value that is not known while compiling:
/// assert!(Timeout::from_secs(0).is_err());
/// assert_eq!("10min".parse(), Ok(PATIENT));
/// ```
///
/// With the feature `serde`, it is read from a number of seconds or from a text as [above](#impl-FromStr-for-Timeout). It is
/// written as a number of seconds: an integer if the seconds are whole, else a decimal (to the nanosecond below 2^22 s, which is
/// 48 days). No limit is the string `"unlimited"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timeout(Option<Duration>);

/// The error of the constructors of [`Timeout`].
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("a timeout must be {EXPECTED}, not {seconds:?}")]
pub struct InvalidTimeout {
    seconds: f64,
}

impl Timeout {
    /// No limit.
    pub const UNLIMITED: Self = Self(None);

    /// Makes a limit of whole seconds. In a constant, 0 is a compile error.
    ///
    /// # Panics
    ///
    /// If the number is 0. [`Timeout::from_secs`] returns an error instead.
    ///
    /// ```compile_fail
    /// const NEVER: encord_http_settings::Timeout = encord_http_settings::Timeout::secs(0);
    /// ```
    #[track_caller]
    #[expect(clippy::panic, reason = "the fallible constructor stands beside it")]
    pub const fn secs(seconds: u64) -> Self {
        match Self::from_secs(seconds) {
            Ok(timeout) => timeout,
            Err(_) => panic!("a timeout must be longer than 0 s"),
        }
    }

    /// Makes a limit of this length.
    ///
    /// # Errors
    ///
    /// The duration is zero.
    pub const fn new(limit: Duration) -> Result<Self, InvalidTimeout> {
        if limit.is_zero() { Err(InvalidTimeout { seconds: 0.0 }) } else { Ok(Self(Some(limit))) }
    }

    /// Makes a limit of whole seconds.
    ///
    /// # Errors
    ///
    /// The number is 0.
    pub const fn from_secs(seconds: u64) -> Result<Self, InvalidTimeout> {
        Self::new(Duration::from_secs(seconds))
    }

    /// Makes a limit of seconds, rounded to the nearest nanosecond.
    ///
    /// # Errors
    ///
    /// The number is NaN, 0, below 0, rounds to 0, or is 2^64 or more.
    pub fn from_secs_f64(seconds: f64) -> Result<Self, InvalidTimeout> {
        Duration::try_from_secs_f64(seconds)
            .ok()
            .and_then(|limit| Self::new(limit).ok())
            .ok_or(InvalidTimeout { seconds })
    }

    /// Returns the limit, or `None` if there is none.
    pub const fn as_duration(self) -> Option<Duration> {
        self.0
    }

    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.eq_ignore_ascii_case(UNLIMITED_WORD) {
            return Some(Self::UNLIMITED);
        }
        let (number, millis) =
            UNITS.iter().find_map(|(unit, millis)| Some((text.strip_suffix(unit)?.trim_end(), *millis)))?;
        let limit = match number.parse::<u64>() {
            Ok(count) => {
                let millis_in_all = u128::from(count) * u128::from(millis);
                let rest = Duration::from_millis((millis_in_all % 1000).try_into().ok()?);
                Duration::from_secs(u64::try_from(millis_in_all / 1000).ok()?) + rest
            }
            Err(_) => Duration::try_from_secs_f64(number.parse::<f64>().ok()? * f64::from(millis) / 1000.0).ok()?,
        };
        Self::new(limit).ok()
    }
}

impl Ord for Timeout {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.0.is_none(), self.0).cmp(&(other.0.is_none(), other.0))
    }
}

impl PartialOrd for Timeout {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Writes `180 s`, `0.25 s` or `unlimited`. It is exact.
impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(limit) = self.0 else {
            return f.write_str(UNLIMITED_WORD);
        };
        write!(f, "{}", limit.as_secs())?;
        if limit.subsec_nanos() != 0 {
            let digits = format!("{:09}", limit.subsec_nanos());
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        f.write_str(" s")
    }
}

impl TryFrom<Duration> for Timeout {
    type Error = InvalidTimeout;

    fn try_from(limit: Duration) -> Result<Self, Self::Error> {
        Self::new(limit)
    }
}

/// Reads a number of seconds (`180`, `0.25`), a number with a unit (`500ms`, `90s`, `1.5 s`, `5min`, `5m`, `1h`), or `unlimited`
/// in upper or lower case. Blanks around it are ignored.
impl FromStr for Timeout {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::read(text).ok_or_else(|| ParseValueError::new(text, EXPECTED))
    }
}

impl InvalidTimeout {
    /// Returns the number of seconds that was refused.
    pub const fn seconds(self) -> f64 {
        self.seconds
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Timeout {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            None => serializer.serialize_str(UNLIMITED_WORD),
            Some(limit) if limit.subsec_nanos() == 0 => serializer.serialize_u64(limit.as_secs()),
            Some(limit) => serializer.serialize_f64(limit.as_secs_f64()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn r12_a_timeout_is_above_zero() {
        #[track_caller]
        fn check(seconds: f64, shown: &str) {
            let error = Timeout::from_secs_f64(seconds).unwrap_err();
            assert_eq!(error.seconds().to_bits(), seconds.to_bits());
            assert_eq!(
                error.to_string(),
                format!(
                    "a timeout must be a number of seconds above 0, a time such as \"90s\" or \"5min\", or \"unlimited\", \
                     not {shown}"
                ),
            );
        }
        check(0.0, "0.0");
        check(-1.0, "-1.0");
        check(1e-10, "1e-10");
        check(f64::NAN, "NaN");
        check(f64::INFINITY, "inf");
        check(18_446_744_073_709_551_616.0, "1.8446744073709552e19");
        assert!(Timeout::from_secs(0).is_err());
        assert!(Timeout::new(Duration::ZERO).is_err());
        assert!(Timeout::new(Duration::from_nanos(1)).is_ok());
        assert!(Timeout::new(Duration::MAX).is_ok());
    }

    #[test]
    fn r12_a_constant_cannot_be_meaningless() {
        const MINUTE: Timeout = Timeout::secs(60);
        assert_eq!(MINUTE, Timeout::new(Duration::from_secs(60)).unwrap());
        assert!(std::panic::catch_unwind(|| Timeout::secs(0)).is_err());
    }

    #[test]
    fn no_limit_is_the_greatest() {
        let mut timeouts =
            [Timeout::UNLIMITED, Timeout::secs(2), Timeout::new(Duration::MAX).unwrap(), Timeout::secs(1)];
        timeouts.sort();
        let shown = timeouts.map(|timeout| timeout.as_duration().map(|limit| limit.as_secs()));
        assert_eq!(shown, [Some(1), Some(2), Some(u64::MAX), None]);
    }

    #[test]
    fn r12_a_timeout_is_read_from_text_and_shown() {
        #[track_caller]
        fn check(text: &str, expected: Result<&str, ()>) {
            let got = text.parse::<Timeout>().map(|timeout| timeout.to_string());
            let expected = expected.map(ToString::to_string).map_err(|()| ParseValueError::new(text, EXPECTED));
            assert_eq!(got, expected);
        }
        check("180", Ok("180 s"));
        check(" 0.25 ", Ok("0.25 s"));
        check("10.000000001", Ok("10.000000001 s"));
        check("1e2", Ok("100 s"));
        check("18446744073709551615", Ok("18446744073709551615 s"));
        check("Unlimited", Ok("unlimited"));
        for (text, shown) in [
            ("180 s", "180 s"),
            ("60s", "60 s"),
            ("1.5s", "1.5 s"),
            ("500ms", "0.5 s"),
            ("1501ms", "1.501 s"),
            ("5min", "300 s"),
            ("0.5m", "30 s"),
            (" 2 h ", "7200 s"),
            ("5124095576030431h", "18446744073709551600 s"),
        ] {
            check(text, Ok(shown));
        }
        for text in ["", "0", "-1", "nan", "inf", "none", "18446744073709551616", "18446744073709551616s"] {
            check(text, Err(()));
        }
        for text in ["s", "0s", "-1s", "1d", "1 s s", "60S", "1e300h", "5124095576030432h", "0.1ns"] {
            check(text, Err(()));
        }
    }
}
