//! The dates in signed URLs.

use std::time::{Duration, SystemTime};

const DAY: i64 = 24 * 60 * 60;

/// `YYYYMMDDThhmmssZ`, as in `X-Goog-Date` and `X-Amz-Date`.
pub(super) fn compact(text: &str) -> Option<SystemTime> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let days = days(digits(date.get(..4)?, 4)?, digits(date.get(4..6)?, 2)?, digits(date.get(6..)?, 2)?)?;
    let seconds = of_day(digits(time.get(..2)?, 2)?, digits(time.get(2..4)?, 2)?, digits(time.get(4..)?, 2)?)?;
    at(days * DAY + seconds, 0)
}

/// The forms of ISO 8601 that Azure Storage takes ("Formatting `DateTime` values" in its documentation): `YYYY-MM-DD`, then
/// perhaps `Thh:mm`, `Thh:mm:ss` or `Thh:mm:ss.fffffff` with a zone, `Z` or `±hh:mm`.
pub(super) fn iso(text: &str) -> Option<SystemTime> {
    let (date, time) = text.split_once('T').map_or((text, None), |(date, time)| (date, Some(time)));
    let [year, month, day] = split(date, '-')?;
    let days = days(digits(year, 4)?, digits(month, 2)?, digits(day, 2)?)?;
    let Some(time) = time else { return at(days * DAY, 0) };
    let (time, ahead) = match time.strip_suffix('Z') {
        Some(time) => (time, 0),
        None => zone(time)?,
    };
    let (time, nanos) = match time.split_once('.') {
        Some((time, fraction)) if time.len() == "hh:mm:ss".len() => (time, nanos(fraction)?),
        Some(_) => return None,
        None => (time, 0),
    };
    let [hour, minute, second] =
        split(time, ':').or_else(|| split(time, ':').map(|[hour, minute]| [hour, minute, "00"]))?;
    let seconds = of_day(digits(hour, 2)?, digits(minute, 2)?, digits(second, 2)?)?;
    at(days * DAY + seconds - ahead, nanos)
}

/// The time without its `±hh:mm`, and how many seconds that is ahead of UTC.
fn zone(time: &str) -> Option<(&str, i64)> {
    let sign = time.rfind(['+', '-'])?;
    let (time, zone) = time.split_at(sign);
    let [hour, minute] = split(zone.get(1..)?, ':')?;
    let seconds = of_day(digits(hour, 2)?, digits(minute, 2)?, 0)?;
    Some((time, if zone.starts_with('-') { -seconds } else { seconds }))
}

fn nanos(fraction: &str) -> Option<u32> {
    let all_digits = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let nine = fraction.get(..fraction.len().min(9))?;
    all_digits.then(|| format!("{nine:0<9}").parse().ok())?
}

/// Exactly so many parts.
fn split<const N: usize>(text: &str, at: char) -> Option<[&str; N]> {
    let mut parts = text.split(at);
    let mut found = [""; N];
    for part in &mut found {
        *part = parts.next()?;
    }
    parts.next().is_none().then_some(found)
}

/// Exactly so many digits.
fn digits(text: &str, count: usize) -> Option<i64> {
    let digits = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

fn of_day(hour: i64, minute: i64, second: i64) -> Option<i64> {
    (hour < 24 && minute < 60 && second < 60).then_some((hour * 60 + minute) * 60 + second)
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    // Before each month, in a year that is no leap year.
    const BEFORE: [i64; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];
    let index = usize::try_from(month).ok()?.checked_sub(1)?;
    let (before, after) = (*BEFORE.get(index)?, *BEFORE.get(index + 1)?);
    let leap = i64::from(year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
    let length = after - before + if month == 2 { leap } else { 0 };
    if year < 1 || day < 1 || day > length {
        return None;
    }
    Some(before_year(year) - before_year(1970) + before + if month > 2 { leap } else { 0 } + day - 1)
}

/// Days from 0001-01-01 to the beginning of a year.
const fn before_year(year: i64) -> i64 {
    let years = year - 1;
    years * 365 + years / 4 - years / 100 + years / 400
}

fn at(seconds: i64, nanos: u32) -> Option<SystemTime> {
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let moment =
        if seconds < 0 { SystemTime::UNIX_EPOCH.checked_sub(whole) } else { SystemTime::UNIX_EPOCH.checked_add(whole) };
    moment?.checked_add(Duration::from_nanos(nanos.into()))
}
