//! Whether a signed URL has expired: before it is used by its own expiry, afterwards by the server's answer.

use std::time::{Duration, SystemTime};

use encord_http::header::DATE;
use encord_http::{HeaderMap, SignedUrl, StatusCode};

/// A URL that expires sooner than this is renewed before it is used. Servers check the signature when the head of the request
/// arrives, so this time is needed only to get a connection.
pub(crate) const RENEWAL_MARGIN: Duration = Duration::from_secs(1);

/// Whether the URL has expired, or is about to.
pub(crate) fn needs_renewal(url: &SignedUrl, now: SystemTime) -> bool {
    url.expires_at().is_some_and(|expires| expires <= now + RENEWAL_MARGIN)
}

/// Whether a server refuses a request because its URL has expired.
///
/// Google answers 400 `ExpiredToken`, S3 403 `Request has expired`, Azure 403 with `Signature not valid in the specified time
/// frame`. Any other refusal of access counts if the URL's own expiry has passed by the server's clock, or by ours if the server
/// does not send its time. For example, nginx's `secure_link` usually answers 410 or 403 without an explanation.
pub(crate) fn is_refusal(
    url: &SignedUrl,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now: SystemTime,
) -> bool {
    const EXPIRED_TEXTS: [&[u8]; 3] =
        [b"<Code>ExpiredToken</Code>", b"Request has expired", b"Signature not valid in the specified time frame"];
    if !matches!(status.as_u16(), 400 | 401 | 403 | 410) {
        return false;
    }
    let now = headers.get(DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok()).unwrap_or(now);
    EXPIRED_TEXTS.iter().any(|words| contains(body, words)) || url.expires_at().is_some_and(|expires| expires <= now)
}

fn contains(body: &[u8], words: &[u8]) -> bool {
    body.windows(words.len()).any(|window| window == words)
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use encord_http::HeaderValue;

    use super::*;

    /// Expires at 2024-01-01T01:00:00Z.
    const URL: &str = "https://h/b/o?X-Goog-Date=20240101T000000Z&X-Goog-Expires=3600&X-Goog-Signature=c0ffee";

    fn expires() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_704_070_800)
    }

    #[test]
    fn a_url_is_renewed_a_second_before_it_expires() {
        let url = SignedUrl::new(URL);
        assert!(!needs_renewal(&url, expires() - Duration::from_millis(1001)));
        assert!(needs_renewal(&url, expires() - Duration::from_secs(1)));
        assert!(needs_renewal(&url, expires() + Duration::from_secs(1)));
        assert!(!needs_renewal(&SignedUrl::new("https://h/b/o?sig=x"), expires()));
    }

    #[test]
    fn a_refusal_says_expired_in_words_or_by_the_clock() {
        #[track_caller]
        fn check(url: &str, status: u16, date: Option<&'static str>, body: &str, now: SystemTime, expected: bool) {
            let mut headers = HeaderMap::new();
            if let Some(date) = date {
                headers.insert(DATE, HeaderValue::from_static(date));
            }
            let status = StatusCode::from_u16(status).expect("a status");
            let refusal = is_refusal(&SignedUrl::new(url), status, &headers, body.as_bytes(), now);
            assert_eq!(refusal, expected, "{status} {date:?} {body}");
        }
        const PLAIN: &str = "https://h/b/o?sig=x";
        let before = expires() - Duration::from_secs(60);
        check(PLAIN, 400, None, "<Error><Code>ExpiredToken</Code></Error>", before, true);
        check(PLAIN, 403, None, "<Error><Code>AccessDenied</Code><Message>Request has expired</Message>", before, true);
        check(PLAIN, 403, None, "Signature not valid in the specified time frame: Start […]", before, true);
        check(PLAIN, 403, None, "<Code>SignatureDoesNotMatch</Code>", before, false);
        check(PLAIN, 410, None, "", expires(), false);
        check(PLAIN, 500, None, "<Code>ExpiredToken</Code>", before, false);
        check(URL, 403, None, "", before, false);
        check(URL, 410, None, "", expires(), true);
        check(URL, 403, None, "", expires(), true);
        check(URL, 503, None, "", expires(), false);
        // The server's clock is used, not ours.
        check(URL, 403, Some("Mon, 01 Jan 2024 01:00:00 GMT"), "", before, true);
        check(URL, 403, Some("Mon, 01 Jan 2024 00:59:00 GMT"), "", expires(), false);
        check(URL, 403, Some("yesterday"), "", expires(), true);
    }
}
