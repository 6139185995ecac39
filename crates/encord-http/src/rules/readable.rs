//! Durations in a form for people.

use std::fmt;
use std::time::Duration;

/// `50ms`, `1.5s`, `2min 30s`, `1h`, `2d 3h`, `more than a year`. Durations of two minutes and more show only their two largest
/// units.
pub(crate) struct Readable(pub(crate) Duration);

const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];

impl fmt::Display for Readable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        if seconds <= 120 {
            return write!(f, "{:?}", self.0);
        }
        if seconds > 366 * 86_400 {
            return f.write_str("more than a year");
        }
        let (mut rest, mut written) = (seconds, 0);
        for (unit, name) in UNITS {
            let count = rest / unit;
            rest %= unit;
            if count > 0 && written < 2 {
                write!(f, "{}{count}{name}", if written == 0 { "" } else { " " })?;
            }
            written += usize::from(count > 0 || written > 0);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(duration: Duration, expected: &str) {
        assert_eq!(Readable(duration).to_string(), expected);
    }

    #[test]
    fn r11_waits_are_readable() {
        let seconds = Duration::from_secs;
        check(Duration::from_millis(50), "50ms");
        check(Duration::from_millis(1500), "1.5s");
        check(seconds(120), "120s");
        check(seconds(121), "2min 1s");
        check(seconds(180), "3min");
        check(seconds(3600), "1h");
        check(seconds(3601), "1h");
        check(seconds(3660), "1h 1min");
        check(seconds(86_400 + 7200), "1d 2h");
        check(seconds(86_400 + 60), "1d");
        check(Duration::MAX, "more than a year");
    }
}
