//! A time limit: longer than nothing, or explicitly none.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use alloc::format;

use crate::ParseValueError;

pub(crate) const EXPECTED: &str = r#"a number of seconds from 1e-9 to 2^64, or "unlimited""#;

/// How the absence of a limit is written in files, variables and output.
pub(crate) const UNLIMITED_WORD: &str = "unlimited";

/// A time limit: longer than zero, or [`Timeout::UNLIMITED`].
///
/// ```
/// use core::time::Duration;
/// use encord_http_settings::Timeout;
///
/// const PATIENT: Timeout = match Timeout::from_secs(600) {
///     Ok(timeout) => timeout,
///     Err(_) => panic!("not a timeout"),
/// };
/// assert_eq!(PATIENT.as_duration(), Some(Duration::from_secs(600)));
/// assert_eq!(Timeout::UNLIMITED.as_duration(), None);
/// assert!(Timeout::from_secs(0).is_err());
/// ```
///
/// With the feature `serde` it is a number of seconds: an integer when the seconds are whole, else
/// a decimal (to the nanosecond below 2^22 s, which is 48 days), and no limit is the string
/// `"unlimited"`.
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

    /// A limit of this length.
    ///
    /// # Errors
    ///
    /// The duration is zero.
    pub const fn new(limit: Duration) -> Result<Self, InvalidTimeout> {
        if limit.is_zero() { Err(InvalidTimeout { seconds: 0.0 }) } else { Ok(Self(Some(limit))) }
    }

    /// A limit of whole seconds.
    ///
    /// # Errors
    ///
    /// 0.
    pub const fn from_secs(seconds: u64) -> Result<Self, InvalidTimeout> {
        Self::new(Duration::from_secs(seconds))
    }

    /// A limit of seconds, rounded to the nearest nanosecond.
    ///
    /// # Errors
    ///
    /// NaN, 0, a number below 0, one that rounds to 0, and one of 2^64 or more.
    pub fn from_secs_f64(seconds: f64) -> Result<Self, InvalidTimeout> {
        Duration::try_from_secs_f64(seconds)
            .ok()
            .and_then(|limit| Self::new(limit).ok())
            .ok_or(InvalidTimeout { seconds })
    }

    /// The limit, or `None` when there is none.
    pub const fn as_duration(self) -> Option<Duration> {
        self.0
    }
}

/// `180 s`, `0.25 s` or `unlimited`; exact.
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

/// A number of seconds, as Rust writes it (`180`, `0.25`), or `unlimited` in upper or lower case.
/// Blanks around it are ignored.
impl FromStr for Timeout {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let word = text.trim();
        if word.eq_ignore_ascii_case(UNLIMITED_WORD) {
            return Ok(Self::UNLIMITED);
        }
        let timeout = if let Ok(seconds) = word.parse() {
            Self::from_secs(seconds).ok()
        } else {
            word.parse().ok().and_then(|seconds| Self::from_secs_f64(seconds).ok())
        };
        timeout.ok_or_else(|| ParseValueError::new(text, EXPECTED))
    }
}

impl InvalidTimeout {
    /// The number of seconds that was refused.
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
                    "a timeout must be a number of seconds from 1e-9 to 2^64, \
                     or \"unlimited\", not {shown}"
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
    fn r12_a_timeout_is_read_from_text_and_shown() {
        #[track_caller]
        fn check(text: &str, expected: Result<&str, ()>) {
            let got = text.parse::<Timeout>().map(|timeout| timeout.to_string());
            let expected = expected
                .map(ToString::to_string)
                .map_err(|()| ParseValueError::new(text, r#"a number of seconds from 1e-9 to 2^64, or "unlimited""#));
            assert_eq!(got, expected);
        }
        check("180", Ok("180 s"));
        check(" 0.25 ", Ok("0.25 s"));
        check("10.000000001", Ok("10.000000001 s"));
        check("1e2", Ok("100 s"));
        check("18446744073709551615", Ok("18446744073709551615 s"));
        check("Unlimited", Ok("unlimited"));
        for text in ["", "0", "-1", "nan", "inf", "none", "180 s", "18446744073709551616"] {
            check(text, Err(()));
        }
    }
}
