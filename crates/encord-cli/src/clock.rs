//! Times for people.

use std::time::Duration;

use jiff::ZonedDateTime;

/// The time of day: `12:03:04`.
pub(crate) fn time_of_day() -> String {
    ZonedDateTime::now().strftime("%H:%M:%S").to_string()
}

/// How long something takes: `0:07`, `12:00`, `3:00:00`.
pub(crate) fn clock(time: Duration) -> String {
    let (minutes, seconds) = (time.as_secs() / 60, time.as_secs() % 60);
    if minutes < 60 {
        format!("{minutes}:{seconds:02}")
    } else {
        format!("{}:{:02}:{seconds:02}", minutes / 60, minutes % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        let check = |seconds, expected: &str| assert_eq!(clock(Duration::from_secs(seconds)), expected);
        check(0, "0:00");
        check(67, "1:07");
        check(3_599, "59:59");
        check(3_600, "1:00:00");
        check(360_000, "100:00:00");
    }
}
