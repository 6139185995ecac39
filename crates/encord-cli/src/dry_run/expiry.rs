//! When the URLs of a manifest expire.

use std::time::{Duration, SystemTime};

use encord_http::SignedUrl;
use encord_upload::UploadItem;

/// URLs that expire within this time get a warning, because an upload may take all night.
const SOON: Duration = Duration::from_secs(24 * 60 * 60);

/// The URLs that state their expiry, at one moment.
#[derive(Debug)]
pub(super) struct Expiry {
    now: SystemTime,
    expired: u64,
    next: Option<Duration>,
}

impl Expiry {
    pub(super) fn at(now: SystemTime) -> Self {
        Self { now, expired: 0, next: None }
    }

    pub(super) fn add(&mut self, item: &UploadItem) {
        let Some(expires) = item.signed_url.as_ref().and_then(SignedUrl::expires_at) else { return };
        match expires.duration_since(self.now) {
            Ok(left) if !left.is_zero() => self.next = Some(self.next.map_or(left, |next| next.min(left))),
            _ => self.expired += 1,
        }
    }

    /// Returns a warning, if one is needed.
    pub(super) fn warning(&self) -> Option<String> {
        let next = self.next.map(words);
        let expired = match self.expired {
            0 if self.next? > SOON => return None,
            0 => return next.map(|next| format!("the first URL expires in {next}")),
            1 => "1 URL has expired".to_owned(),
            many => format!("{many} URLs have expired"),
        };
        let next = next.map(|next| format!("; the next expires in {next}"));
        Some(expired + &next.unwrap_or_default())
    }
}

/// Shows a time such as `52 minutes`, rounded down, because no more time is certain.
fn words(time: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [(24 * 60 * 60, "day"), (60 * 60, "hour"), (60, "minute"), (1, "second")];
    let seconds = time.as_secs();
    // Uses the largest unit of which there are at least two.
    let (length, unit) = UNITS.into_iter().find(|(length, _)| seconds >= 2 * length).unwrap_or(UNITS[3]);
    let count = seconds / length;
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    /// Checks the warning about URLs that expire after these seconds.
    #[track_caller]
    fn check(seconds: &[i64], expected: Option<&str>) {
        const NOW: u32 = 1_700_000_000;
        let mut expiry = Expiry::at(UNIX_EPOCH + Duration::from_secs(NOW.into()));
        for seconds in seconds {
            let expires = i64::from(NOW) + seconds;
            expiry.add(&UploadItem::new("a", format!("https://h/a?Expires={expires}&Signature=x&AWSAccessKeyId=y")));
        }
        expiry.add(&UploadItem::new("a", "https://h/a"));
        expiry.add(&UploadItem::unsigned("a"));
        assert_eq!(expiry.warning().as_deref(), expected);
    }

    #[test]
    fn urls_that_have_expired_or_soon_will_are_told() {
        check(&[], None);
        check(&[24 * 60 * 60 + 1, 1_000_000], None);
        check(&[24 * 60 * 60], Some("the first URL expires in 24 hours"));
        check(&[9_000, 3_179, 4_000], Some("the first URL expires in 52 minutes"));
        check(&[1], Some("the first URL expires in 1 second"));
        check(&[0], Some("1 URL has expired"));
        check(&[-1, -100_000], Some("2 URLs have expired"));
        check(&[-1, 3_179, -2, 119], Some("2 URLs have expired; the next expires in 119 seconds"));
        check(&[-1, 1_000_000], Some("1 URL has expired; the next expires in 11 days"));
    }
}
