//! Hosts that have asked to be left alone for a while: by `Retry-After`, and for every item of the batch.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use encord_http::Origin;
use tokio::time::Instant;

/// Until when which host is left alone.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    until: Mutex<HashMap<Origin, Instant>>,
}

impl Throttle {
    /// A host asked to be left alone for so long from now on. The longest of several counts.
    pub(crate) fn hold(&self, origin: Origin, now: Instant, asked: Duration) {
        let Some(end) = now.checked_add(asked) else { return };
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.retain(|_, end| *end > now);
        let entry = until.entry(origin).or_insert(end);
        *entry = end.max(*entry);
    }

    /// When the host may be asked again, if that is not now.
    pub(crate) fn until(&self, origin: &Origin, now: Instant) -> Option<Instant> {
        let until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.get(origin).copied().filter(|end| *end > now)
    }
}

#[cfg(test)]
mod tests {
    use encord_http::SignedUrl;

    use super::*;

    fn origin(url: &str) -> Origin {
        SignedUrl::new(url).origin().expect("a URL").clone()
    }

    #[test]
    fn r6_the_longest_wait_counts_for_its_host_only() {
        let throttle = Throttle::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(throttle.until(&origin("http://a"), start), None);
        throttle.hold(origin("http://a"), start, Duration::from_secs(10));
        throttle.hold(origin("http://a"), at(1), Duration::from_secs(2));
        assert_eq!(throttle.until(&origin("http://a"), at(1)), Some(at(10)));
        assert_eq!(throttle.until(&origin("http://b"), at(1)), None);
        assert_eq!(throttle.until(&origin("http://a"), at(10)), None);
        throttle.hold(origin("http://a"), at(11), Duration::from_secs(1));
        assert_eq!(throttle.until(&origin("http://a"), at(11)), Some(at(12)));
        throttle.hold(origin("http://a"), at(11), Duration::MAX);
        assert_eq!(throttle.until(&origin("http://a"), at(11)), Some(at(12)));
    }
}
