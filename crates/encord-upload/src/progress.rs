//! The progress of a batch, as values that any front end can show.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use encord_http::Meter;
use tokio::time::Instant;

use crate::report::{ItemReport, Summary};

/// A view of a batch under way. Clones see the same batch.
#[derive(Debug, Clone)]
pub struct Progress {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    began: Instant,
    meter: Arc<Meter>,
    started: AtomicU64,
    retries: AtomicU64,
    ended: Mutex<Ended>,
}

#[derive(Debug, Default)]
struct Ended {
    /// The items that were started.
    started: u64,
    summary: Summary,
}

/// The progress of a batch at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Snapshot {
    /// The time since the batch began.
    pub elapsed: Duration,
    /// Items that are under way.
    pub under_way: u64,
    /// The totals of the items that have ended.
    pub ended: Summary,
    /// Payload bytes that were sent, including those of failed attempts.
    pub bytes_sent: u64,
    /// Failed attempts that are followed by a retry, now or after a wait. Renewals of URLs do not count.
    pub retries: u64,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                began: Instant::now(),
                meter: Arc::new(Meter::new()),
                started: AtomicU64::new(0),
                retries: AtomicU64::new(0),
                ended: Mutex::default(),
            }),
        }
    }

    /// Returns the progress of the batch now.
    pub fn snapshot(&self) -> Snapshot {
        let Shared { began, meter, started, retries, ended } = &*self.shared;
        let ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
        Snapshot {
            elapsed: began.elapsed(),
            under_way: started.load(Ordering::Relaxed).saturating_sub(ended.started),
            ended: ended.summary,
            bytes_sent: meter.bytes(),
            retries: retries.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn meter(&self) -> Arc<Meter> {
        Arc::clone(&self.shared.meter)
    }

    pub(crate) fn start(&self) {
        self.shared.started.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn retry(&self) {
        self.shared.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn end(&self, item: &ItemReport, was_started: bool) {
        let mut ended = self.shared.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.started += u64::from(was_started);
        ended.summary.add(item);
    }
}

impl Snapshot {
    /// Returns the rate since an earlier snapshot, in sent bytes per second; 0 if no time has passed.
    pub fn bytes_per_second_since(&self, earlier: &Self) -> f64 {
        let seconds = self.elapsed.saturating_sub(earlier.elapsed).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate for people to look at")]
        let bytes = self.bytes_sent.saturating_sub(earlier.bytes_sent) as f64;
        if seconds > 0.0 { bytes / seconds } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_between_two_snapshots() {
        let at =
            |seconds, bytes_sent| Snapshot { elapsed: Duration::from_secs(seconds), bytes_sent, ..Snapshot::default() };
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b}");
        close(at(10, 5_000).bytes_per_second_since(&at(0, 0)), 500.0);
        close(at(10, 5_000).bytes_per_second_since(&at(8, 1_000)), 2_000.0);
        close(at(10, 5_000).bytes_per_second_since(&at(10, 1_000)), 0.0);
        close(at(8, 1_000).bytes_per_second_since(&at(10, 5_000)), 0.0);
    }
}
