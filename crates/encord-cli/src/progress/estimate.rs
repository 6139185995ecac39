//! The rate over the last seconds, and the time left.

use std::collections::VecDeque;
use std::time::Duration;

use encord_upload::{ItemReport, Snapshot};

use super::row::Row;

/// The period over which the rate is computed. It is long enough that a pause of some seconds hardly changes the estimate.
const WINDOW: Duration = Duration::from_secs(20);

/// After a pause of this length the pause is shown instead of an estimate.
const STALL: Duration = Duration::from_secs(5);

/// The estimate of a run's rate and remaining time.
#[derive(Debug, Default)]
pub(super) struct Estimate {
    /// All items of the run.
    items: u64,
    /// Snapshots with the bytes that were done then, oldest first. The first one is at least [`WINDOW`] old, if the run is.
    snapshots: VecDeque<(Snapshot, u64)>,
    /// When the run last made progress, and the figures at that time.
    moved: (Duration, u64, u64),
}

/// Returns the bytes of an ended item that count as done in addition to the bytes that were sent for it. Bytes of failed attempts
/// do not count, and bytes that will never be sent count as done.
pub(super) fn correction(item: &ItemReport, length: u64) -> i64 {
    let sent = item.attempts.iter().filter(|attempt| attempt.phase > encord_http::Phase::Sending).count();
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    length.saturating_mul(1_i64.saturating_sub_unsigned(sent as u64))
}

impl Estimate {
    pub(super) fn new(items: u64) -> Self {
        Self { items, ..Self::default() }
    }

    /// Returns the figures to show now. `bytes` is the size of all items, once it is known; `correction` is the sum over the
    /// ended items.
    pub(super) fn row(&mut self, now: Snapshot, correction: i64, bytes: Option<u64>) -> Row {
        let ended = ended_items(&now);
        let done = now.bytes_sent.saturating_add_signed(correction).min(bytes.unwrap_or(u64::MAX));
        if (self.moved.1, self.moved.2) != (now.bytes_sent, ended) {
            self.moved = (now.elapsed, now.bytes_sent, ended);
        }
        let pause = now.elapsed.saturating_sub(self.moved.0);
        self.snapshots.push_back((now, done));
        let is_old = |(then, _): &(Snapshot, u64)| now.elapsed.saturating_sub(then.elapsed) >= WINDOW;
        while self.snapshots.get(1).is_some_and(is_old) {
            self.snapshots.pop_front();
        }
        let (then, done_then) = self.snapshots.front().copied().unwrap_or((now, done));
        let (position, length, moved) = match bytes {
            Some(bytes) if bytes > 0 => (done, bytes, done.saturating_sub(done_then)),
            _ => (ended, self.items, ended.saturating_sub(ended_items(&then))),
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, which is right")]
        let bytes_per_second = now.bytes_per_second_since(&then) as u64;
        Row {
            elapsed: now.elapsed,
            done: (position, length),
            items: (ended, self.items),
            bytes: done,
            all_bytes: bytes,
            bytes_per_second,
            left: left(now.elapsed.saturating_sub(then.elapsed), moved, length.saturating_sub(position)),
            stalled: (pause >= STALL && ended < self.items).then_some(pause),
            retries: now.retries,
            failed: now.ended.failed,
        }
    }
}

fn ended_items(snapshot: &Snapshot) -> u64 {
    let ended = snapshot.ended;
    ended.uploaded + ended.failed + ended.cancelled + ended.skipped
}

/// Returns how long `rest` takes if `moved` took `elapsed`; `None` if there is no estimate.
fn left(elapsed: Duration, moved: u64, rest: u64) -> Option<Duration> {
    let nanos = elapsed.as_nanos().checked_mul(u128::from(rest))?.checked_div(u128::from(moved))?;
    Some(Duration::from_nanos(u64::try_from(nanos).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(seconds: u64, uploaded: u64, bytes_sent: u64) -> Snapshot {
        let mut snapshot = Snapshot::default();
        snapshot.elapsed = Duration::from_secs(seconds);
        snapshot.bytes_sent = bytes_sent;
        snapshot.ended.uploaded = uploaded;
        snapshot
    }

    #[track_caller]
    fn check(
        estimate: &mut Estimate,
        now: Snapshot,
        correction: i64,
        bytes: Option<u64>,
        expected: ((u64, u64), &str),
    ) {
        let row = estimate.row(now, correction, bytes);
        assert_eq!((row.done, &*row.all()), expected);
    }

    #[test]
    fn the_time_left_is_by_bytes_when_they_are_known() {
        let mut estimate = Estimate::new(100);
        check(&mut estimate, snapshot(0, 0, 0), 0, None, ((0, 100), "0/100 files, 0 B, 0 B/s"));
        let by_items = ((10, 100), "10/100 files, 5.0 kB, 5.0 kB/s, 0:09 left");
        check(&mut estimate, snapshot(1, 10, 5_000), 0, None, by_items);
        let by_bytes = ((8_000, 80_000), "20/100 files, 8.0 kB of 80 kB, 4.0 kB/s, 0:18 left");
        check(&mut estimate, snapshot(2, 20, 8_000), 0, Some(80_000), by_bytes);
        let sent_again = ((8_000, 80_000), "20/100 files, 8.0 kB of 80 kB, 4.0 kB/s, 0:27 left");
        check(&mut estimate, snapshot(3, 20, 12_000), -4_000, Some(80_000), sent_again);
    }

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let mut estimate = Estimate::new(10);
        for second in 0..100 {
            estimate.row(snapshot(second, 0, second * 1_000_000), 0, None);
        }
        assert!(estimate.snapshots.len() <= 21, "{}", estimate.snapshots.len());
        assert_eq!(estimate.row(snapshot(100, 0, 100_000_000), 0, None).all(), "0/10 files, 100 MB, 1.0 MB/s");
    }

    #[test]
    fn a_stall_is_told_and_a_short_pause_moves_little() {
        let mut estimate = Estimate::new(100);
        for second in 0..=40 {
            estimate.row(snapshot(second, second, second * 1_000), 0, Some(100_000));
        }
        let left = |seconds, estimate: &mut Estimate| estimate.row(snapshot(seconds, 40, 40_000), 0, Some(100_000));
        assert_eq!(left(40, &mut estimate).left, Some(Duration::from_secs(60)));
        let paused = left(44, &mut estimate);
        assert_eq!((paused.stalled, paused.left), (None, Some(Duration::from_secs(75))));
        assert_eq!(left(45, &mut estimate).stalled, Some(STALL));
        assert_eq!(left(80, &mut estimate).stalled, Some(Duration::from_secs(40)));
        let moves = estimate.row(snapshot(81, 40, 40_001), 0, Some(100_000));
        assert_eq!(moves.stalled, None);
    }

    #[test]
    fn a_run_that_is_over_has_not_stalled() {
        let mut estimate = Estimate::new(10);
        estimate.row(snapshot(1, 10, 10), 0, None);
        assert_eq!(estimate.row(snapshot(60, 10, 10), 0, None).stalled, None);
    }

    #[test]
    fn nothing_is_guessed_from_nothing() {
        assert_eq!(left(Duration::MAX, 1, u64::MAX), None);
        assert_eq!(left(Duration::from_secs(1), 0, 5), None);
    }
}
