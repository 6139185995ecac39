//! `Retry-After` (rule R6).

use std::time::{Duration, SystemTime};

use encord_http::{HeaderMap, HeaderValue, header, retry_after};
use jiff::fmt::rfc2822::DateTimeParser;

/// Whole seconds and dates are parsed, and a second parser of dates agrees. Any other text is ignored.
pub(super) fn check(mut data: &[u8]) {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(u32::from_be_bytes(crate::take(&mut data)).into());
    let Ok(value) = HeaderValue::from_bytes(data) else { return };
    let mut headers = HeaderMap::new();
    headers.insert(header::RETRY_AFTER, value.clone());
    let wait = retry_after(&headers, now);
    let Ok(text) = value.to_str().map(str::trim) else { return assert_eq!(wait, None) };

    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let digits = text.trim_start_matches('0');
        let wait = wait.expect("seconds").as_secs();
        assert!(
            wait.to_string() == digits || (wait == 0 && digits.is_empty()) || (wait == u64::MAX && digits.len() >= 20)
        );
    } else if let Some(wait) = wait {
        let then = httpdate::parse_http_date(text).expect("a date");
        assert_eq!(then.max(now), now + wait);
        // The usual date form of servers is also the form of e-mail.
        if let Ok(other) = DateTimeParser::new().parse_timestamp(text) {
            assert_eq!(SystemTime::try_from(other).expect("a time").max(now), now + wait, "{text}");
        }
    }

    // Both forms of the same wait give the same result.
    let asked = Duration::from_secs(u16::from_be_bytes(crate::take(&mut data)).into());
    for said in [asked.as_secs().to_string(), httpdate::fmt_http_date(now + asked)] {
        headers.insert(header::RETRY_AFTER, HeaderValue::try_from(said).expect("a header value"));
        assert_eq!(retry_after(&headers, now), Some(asked));
    }
}
