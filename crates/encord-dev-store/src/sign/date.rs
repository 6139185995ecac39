//! The forms of a time that the services use.

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// `20130524T000000Z`. `None` unless the year has four digits.
pub(crate) fn basic(at: SystemTime) -> Option<String> {
    format(at, "%Y%m%dT%H%M%SZ").filter(|text| text.len() == 16)
}

/// `2013-05-24T00:00:00.000Z`, as in listings.
pub(crate) fn iso_8601(at: SystemTime) -> String {
    format(at, "%Y-%m-%dT%H:%M:%S.%3fZ").unwrap_or_default()
}

/// `2013-05-24T00:00:00+00:00`, as in Google's errors.
pub(crate) fn with_offset(at: SystemTime) -> String {
    format(at, "%Y-%m-%dT%H:%M:%S+00:00").unwrap_or_default()
}

/// `2013-05-24T00:00:00Z`, as in Amazon's errors.
pub(crate) fn with_z(at: SystemTime) -> String {
    format(at, "%Y-%m-%dT%H:%M:%SZ").unwrap_or_default()
}

/// `Fri, 24 May 2013 00:00:00 GMT`, RFC 9110 §5.6.7.
pub(crate) fn http_date(at: SystemTime) -> String {
    format(at, "%a, %d %b %Y %H:%M:%S GMT").unwrap_or_default()
}

/// Reads `20130524T000000Z` and nothing else.
pub(crate) fn parse_basic(text: &str) -> Option<SystemTime> {
    let is_digits = |part: Option<&str>| part.is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    if text.len() != 16 || !is_digits(text.get(..8)) || !is_digits(text.get(9..15)) {
        return None;
    }
    let civil = DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    let timestamp = TimeZone::UTC.to_timestamp(civil).ok()?;
    SystemTime::try_from(timestamp).ok()
}

fn format(at: SystemTime, form: &str) -> Option<String> {
    let timestamp = Timestamp::try_from(at).ok()?;
    Some(timestamp.strftime(form).to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_written_as_the_services_write_them() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_369_353_600_250);
        assert_eq!(basic(at).as_deref(), Some("20130524T000000Z"));
        assert_eq!(iso_8601(at), "2013-05-24T00:00:00.250Z");
        assert_eq!(with_offset(at), "2013-05-24T00:00:00+00:00");
        assert_eq!(with_z(at), "2013-05-24T00:00:00Z");
        assert_eq!(http_date(at), "Fri, 24 May 2013 00:00:00 GMT");
    }

    #[test]
    fn only_the_basic_form_is_read() {
        #[track_caller]
        fn check(text: &str, seconds: Option<u64>) {
            assert_eq!(parse_basic(text), seconds.map(|s| SystemTime::UNIX_EPOCH + Duration::from_secs(s)), "{text}");
        }
        check("20130524T000000Z", Some(1_369_353_600));
        check("19700101T000001Z", Some(1));
        check("20130524T000000", None);
        check("20130524t000000Z", None);
        check("20131324T000000Z", None);
        check("20130524T250000Z", None);
        check("+2013524T000000Z", None);
        check(" 0130524T000000Z", None);
        check("2013-05-24T00:00", None);
        check("２０１３０", None);
        check("", None);
    }
}
