//! `Retry-After` (RFC 9110 §10.2.3): seconds, or any of the three forms of an HTTP date.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

/// Returns the wait that a server asks for (rule R6). `None` if it asks for none, or in an unknown form.
///
/// A date is compared with the `Date` of the same answer, because the clocks of server and client may differ; `now` is used only
/// if the answer has no `Date`. A date in the past means no wait. Seconds beyond a `u64` count as the longest wait.
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let date = headers.get(DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?.trim()).ok());
    Some(until.duration_since(date.unwrap_or(now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2026-11-23 12:00:00 UTC, a Monday.
    const NOW: u64 = 1_795_435_200;

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
    }

    #[track_caller]
    fn check(value: &str, seconds: Option<u64>) {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().expect("a header value"));
        assert_eq!(retry_after(&headers, now()), seconds.map(Duration::from_secs), "{value:?}");
    }

    #[test]
    fn r6_seconds_and_all_three_date_forms() {
        check("0", Some(0));
        check("7", Some(7));
        check(" 120 ", Some(120));
        check("99999999999999999999999999", Some(u64::MAX));
        check("Mon, 23 Nov 2026 12:00:30 GMT", Some(30));
        check("Monday, 23-Nov-26 12:00:30 GMT", Some(30));
        check("Mon Nov 23 12:00:30 2026", Some(30));
        check("Mon, 23 Nov 2026 11:00:00 GMT", Some(0));
        check("Sun, 06 Nov 1994 08:49:37 GMT", Some(0));
    }

    #[test]
    fn r6_a_date_is_read_against_the_date_of_the_answer() {
        let check = |date: &str, expected: u64| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, "Mon, 23 Nov 2026 12:00:30 GMT".parse().expect("a header value"));
            headers.insert(DATE, date.parse().expect("a header value"));
            assert_eq!(retry_after(&headers, now()), Some(Duration::from_secs(expected)), "{date:?}");
        };
        check("Mon, 23 Nov 2026 12:00:20 GMT", 10);
        check("Mon, 23 Nov 2026 10:00:25 GMT", 7205);
        check("Mon, 23 Nov 2026 14:00:25 GMT", 0);
        // Without a valid `Date`, our clock is used.
        check("yesterday", 30);
    }

    #[test]
    fn r6_a_malformed_value_is_ignored() {
        for value in [
            "",
            " ",
            "-1",
            "+1",
            "1.5",
            "1e3",
            "soon",
            "1 2",
            "0x10",
            "Mon, 99 Nov 2026 12:00:30 GMT",
            "2026-11-23T12:00:30Z",
            "٣",
        ] {
            check(value, None);
        }
        assert_eq!(retry_after(&HeaderMap::new(), now()), None);
    }

    proptest! {
        #[test]
        fn r6_never_panics(value in "[\\x20-\\x7e]{0,40}") {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, value.parse().expect("a header value"));
            let _ = retry_after(&headers, now());
        }
    }
}
