//! The throughput over time, in buckets that grow so that their number stays small.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

/// The most buckets that are kept.
const MAX_BUCKETS: i64 = 512;

/// The first width of a bucket, in milliseconds.
const FIRST_WIDTH_MS: i64 = 100;

/// Bytes over time.
#[derive(Debug)]
pub(super) struct Timeline {
    width_ms: i64,
    /// Bytes and ended items, by the number of the bucket since 1970.
    buckets: BTreeMap<i64, (f64, u64)>,
    /// When the first item began and the last one ended, in milliseconds since 1970.
    range: Option<(i64, i64)>,
}

/// What was uploaded in a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Bucket {
    /// Seconds since the run began.
    pub(super) second: f64,
    pub(super) seconds: f64,
    pub(super) bytes: f64,
    /// Items that ended in it.
    pub(super) items: u64,
}

impl Default for Timeline {
    fn default() -> Self {
        Self { width_ms: FIRST_WIDTH_MS, buckets: BTreeMap::new(), range: None }
    }
}

impl Timeline {
    /// Adds an item that ended at `ended` and took `seconds`. Its bytes are spread evenly over this time.
    pub(super) fn add(&mut self, ended: SystemTime, seconds: f64, bytes: u64) {
        let Some(end) = ended.duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_millis()).ok())
        else {
            return;
        };
        #[expect(clippy::cast_possible_truncation, reason = "saturates, which is right")]
        let began = end.saturating_sub((seconds.max(0.0) * 1000.0) as i64).max(0);
        let (first, last) = self.range.unwrap_or((began, end));
        self.range = Some((first.min(began), last.max(end)));
        self.widen();
        let (first, last) = (began / self.width_ms, end / self.width_ms);
        #[expect(clippy::cast_precision_loss, reason = "for people to look at")]
        let each = bytes as f64 / (last - first + 1) as f64;
        for bucket in first..=last {
            self.buckets.entry(bucket).or_default().0 += each;
        }
        self.buckets.entry(last).or_default().1 += 1;
    }

    /// When the first item began, and when the last one ended.
    pub(super) fn range(&self) -> Option<(SystemTime, SystemTime)> {
        let time = |milliseconds: i64| UNIX_EPOCH + Duration::from_millis(milliseconds.unsigned_abs());
        self.range.map(|(began, ended)| (time(began), time(ended)))
    }

    /// Returns the buckets from the beginning to the end, joined so that there are at most `most`.
    pub(super) fn buckets(&self, most: usize) -> Vec<Bucket> {
        let Some((began, ended)) = self.range else { return Vec::new() };
        let (first, last) = (began / self.width_ms, ended / self.width_ms);
        let count = usize::try_from(last - first + 1).unwrap_or(usize::MAX);
        let joined = i64::try_from(count.div_ceil(most.max(1))).unwrap_or(i64::MAX).max(1);
        let mut buckets = Vec::new();
        let mut from = first;
        while from <= last {
            let (bytes, items) = self
                .buckets
                .range(from..from.saturating_add(joined))
                .fold((0.0, 0), |(bytes, items), (_, (more, ended))| (bytes + more, items + ended));
            #[expect(clippy::cast_precision_loss, reason = "for people to look at")]
            let seconds = |buckets: i64| (buckets * self.width_ms) as f64 / 1000.0;
            buckets.push(Bucket { second: seconds(from - first), seconds: seconds(joined), bytes, items });
            from = from.saturating_add(joined);
        }
        buckets
    }

    /// Doubles the width until the range fits into the allowed number of buckets.
    fn widen(&mut self) {
        let Some((began, ended)) = self.range else { return };
        while ended / self.width_ms - began / self.width_ms >= MAX_BUCKETS {
            self.width_ms *= 2;
            for (bucket, (bytes, items)) in std::mem::take(&mut self.buckets) {
                let joined = self.buckets.entry(bucket.div_euclid(2)).or_default();
                joined.0 += bytes;
                joined.1 += items;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(milliseconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(1_700_000_000_000 + milliseconds)
    }

    #[test]
    fn bytes_fall_into_the_time_in_which_they_were_sent() {
        let mut timeline = Timeline::default();
        timeline.add(at(350), 0.3, 400);
        timeline.add(at(299), 0.0, 7);
        let bytes: Vec<f64> = timeline.buckets(100).iter().map(|bucket| bucket.bytes).collect();
        assert_eq!(bytes, [100.0, 100.0, 107.0, 100.0]);
        let joined = timeline.buckets(2);
        assert_eq!(joined[1], Bucket { second: 0.2, seconds: 0.2, bytes: 207.0, items: 2 });
        assert_eq!(Timeline::default().buckets(10), []);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_there_are_few(items in proptest::collection::vec((0_u64..100_000_000, 0_u32..100_000, 0_u64..1_000_000), 1..60)) {
            let mut timeline = Timeline::default();
            for (ended, took, bytes) in &items {
                timeline.add(at(*ended), f64::from(*took) / 1000.0, *bytes);
            }
            let buckets = timeline.buckets(usize::MAX);
            prop_assert!(buckets.len() <= 513);
            let sum: f64 = buckets.iter().map(|bucket| bucket.bytes).sum();
            let expected: u64 = items.iter().map(|(.., bytes)| bytes).sum();
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let expected = expected as f64;
            prop_assert!((sum - expected).abs() <= 1e-6 * expected.max(1.0), "{} {}", sum, expected);
            prop_assert_eq!(buckets.iter().map(|bucket| bucket.items).sum::<u64>(), items.len() as u64);
        }
    }
}
