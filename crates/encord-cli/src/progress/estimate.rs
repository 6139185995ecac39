//! The rate over the last seconds, and the time left.

use std::collections::VecDeque;
use std::time::Duration;

use encord_upload::{ItemReport, Snapshot};

use crate::report::human_bytes;

/// Over how long the rate is taken.
const WINDOW: Duration = Duration::from_secs(5);

/// How far a run is, as shown.
#[derive(Debug, Default)]
pub(super) struct Estimate {
    /// All items of the run.
    items: u64,
    /// Oldest first; from at least [`WINDOW`] ago, if there is one.
    snapshots: VecDeque<(Snapshot, u64)>,
}

/// What the bar shows.
#[derive(Debug, PartialEq)]
pub(super) struct Shown {
    pub(super) position: u64,
    pub(super) length: u64,
    pub(super) text: String,
}

/// How many bytes more than were handed to the network count as done, of one that ended with this length: what was sent in
/// vain does not, and what will not be sent does.
pub(super) fn correction(item: &ItemReport, length: u64) -> i64 {
    let sent = item.attempts.iter().filter(|attempt| attempt.phase > encord_http::Phase::Sending).count();
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    length.saturating_mul(1_i64.saturating_sub_unsigned(sent as u64))
}

impl Estimate {
    pub(super) fn new(items: u64) -> Self {
        Self { items, snapshots: VecDeque::new() }
    }

    /// What is to be shown now. `bytes`: those of all items, once they are known. `correction`: the sum over those that
    /// ended.
    pub(super) fn show(&mut self, now: Snapshot, correction: i64, bytes: Option<u64>) -> Shown {
        let ended = now.ended;
        let ended_items = ended.uploaded + ended.failed + ended.cancelled + ended.skipped;
        let done = now.bytes_sent.saturating_add_signed(correction).min(bytes.unwrap_or(u64::MAX));
        self.snapshots.push_back((now, done));
        let is_old = |(then, _): &(Snapshot, u64)| now.elapsed.saturating_sub(then.elapsed) >= WINDOW;
        while self.snapshots.get(1).is_some_and(is_old) {
            self.snapshots.pop_front();
        }
        let (then, done_then) = self.snapshots.front().copied().unwrap_or((now, done));

        let rate = now.bytes_per_second_since(&then);
        let (position, length, moved) = match bytes {
            Some(bytes) if bytes > 0 => (done, bytes, done.saturating_sub(done_then)),
            _ => {
                let before = then.ended;
                let before = before.uploaded + before.failed + before.cancelled + before.skipped;
                (ended_items, self.items, ended_items.saturating_sub(before))
            }
        };
        let left = left(now.elapsed.saturating_sub(then.elapsed), moved, length.saturating_sub(position));
        let mut parts = vec![format!("{ended_items}/{} files", self.items)];
        parts.push(match bytes {
            Some(bytes) => format!("{} of {}", human_bytes(done), human_bytes(bytes)),
            None => human_bytes(done),
        });
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, which is right")]
        let rate = rate as u64;
        parts.push(format!("{}/s", human_bytes(rate)));
        parts.extend(left.map(|left| format!("{} left", clock(left))));
        parts.extend(plural(now.retries, "retry", "retries"));
        parts.extend((ended.failed > 0).then(|| format!("{} failed", ended.failed)));
        Shown { position, length, text: parts.join(", ") }
    }
}

/// How long `rest` takes when `moved` took `elapsed`; `None` when nothing can be said.
fn left(elapsed: Duration, moved: u64, rest: u64) -> Option<Duration> {
    let nanos = elapsed.as_nanos().checked_mul(u128::from(rest))?.checked_div(u128::from(moved))?;
    Some(Duration::from_nanos(u64::try_from(nanos).ok()?))
}

/// `0:07`, `12:00`, `3:00:00`.
fn clock(time: Duration) -> String {
    let (minutes, seconds) = (time.as_secs() / 60, time.as_secs() % 60);
    if minutes < 60 {
        format!("{minutes}:{seconds:02}")
    } else {
        format!("{}:{:02}:{seconds:02}", minutes / 60, minutes % 60)
    }
}

fn plural(count: u64, one: &str, many: &str) -> Option<String> {
    (count > 0).then(|| format!("{count} {}", if count == 1 { one } else { many }))
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
    fn check(estimate: &mut Estimate, now: Snapshot, correction: i64, bytes: Option<u64>, expected: (u64, u64, &str)) {
        let Shown { position, length, text } = estimate.show(now, correction, bytes);
        assert_eq!((position, length, &*text), expected);
    }

    #[test]
    fn the_time_left_is_by_bytes_when_they_are_known() {
        let mut estimate = Estimate::new(100);
        check(&mut estimate, snapshot(0, 0, 0), 0, None, (0, 100, "0/100 files, 0 B, 0 B/s"));
        check(&mut estimate, snapshot(1, 10, 5_000), 0, None, (10, 100, "10/100 files, 5.0 kB, 5.0 kB/s, 0:09 left"));
        let known = (8_000, 80_000, "20/100 files, 8.0 kB of 80 kB, 4.0 kB/s, 0:18 left");
        check(&mut estimate, snapshot(2, 20, 8_000), 0, Some(80_000), known);
        let sent_again = (8_000, 80_000, "20/100 files, 8.0 kB of 80 kB, 4.0 kB/s, 0:27 left");
        check(&mut estimate, snapshot(3, 20, 12_000), -4_000, Some(80_000), sent_again);
    }

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let mut estimate = Estimate::new(10);
        for second in 0..100 {
            estimate.show(snapshot(second, 0, second * 1_000_000), 0, None);
        }
        assert!(estimate.snapshots.len() <= 6, "{}", estimate.snapshots.len());
        let Shown { text, .. } = estimate.show(snapshot(100, 0, 99_000_000), 0, None);
        assert_eq!(text, "0/10 files, 99 MB, 800 kB/s");
        let Shown { text, .. } = estimate.show(snapshot(200, 0, 99_000_000), 0, None);
        assert_eq!(text, "0/10 files, 99 MB, 0 B/s");
    }

    #[test]
    fn retries_and_failures_are_counted() {
        let mut now = snapshot(10, 7, 0);
        (now.retries, now.ended.failed, now.ended.skipped) = (1, 2, 1);
        let shown = Estimate::new(10).show(now, 0, Some(0));
        assert_eq!(
            shown,
            Shown { position: 10, length: 10, text: "10/10 files, 0 B of 0 B, 0 B/s, 1 retry, 2 failed".to_owned() }
        );
    }

    #[test]
    fn times_are_short() {
        let check = |seconds, expected: &str| assert_eq!(clock(Duration::from_secs(seconds)), expected);
        check(0, "0:00");
        check(67, "1:07");
        check(3_599, "59:59");
        check(3_600, "1:00:00");
        check(360_000, "100:00:00");
        assert_eq!(left(Duration::MAX, 1, u64::MAX), None);
        assert_eq!(left(Duration::from_secs(1), 0, 5), None);
    }
}
