//! How fast attempts were. Two limits can be compared although different files were sent under them.

use std::time::Duration;

use tokio::time::Instant;

use super::f64_of;

/// Files are compared by size class. The first class has files up to this size, and the limit doubles with each class.
const FIRST_CLASS_BYTES: u64 = 16 * 1024;
const CLASSES: usize = 20;

/// The fixed cost of an attempt, as bytes. With it, files of one class that differ in size can be compared.
const BYTES_PER_REQUEST: f64 = 64.0 * 1024.0;

/// A successful attempt.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) bytes: u64,
    pub(super) took: Duration,
    pub(super) connection: Connection,
}

/// The connection of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Connection {
    /// The attempt opened it. This takes time, and TCP begins slowly on a new connection.
    New,
    /// An earlier attempt opened it.
    Reused,
    /// An earlier attempt opened it, but it was idle, so TCP began slowly again. Such attempts are not measured.
    Cold,
}

/// The measured attempts, by connection and class.
#[derive(Debug, Clone, Default)]
pub(super) struct Measure {
    reused: Table,
    new: Table,
}

#[derive(Debug, Clone, Default)]
struct Table([Class; CLASSES]);

#[derive(Debug, Clone, Copy, Default)]
struct Class {
    attempts: f64,
    bytes: f64,
    seconds: f64,
}

impl Measure {
    pub(super) fn add(&mut self, sample: &Sample) {
        match sample.connection {
            Connection::Reused => self.reused.add(sample),
            Connection::New => self.new.add(sample),
            Connection::Cold => {}
        }
    }

    /// Returns the number of attempts on reused connections.
    pub(super) fn attempts_reused(&self) -> f64 {
        self.reused.attempts()
    }

    /// Returns the number of attempts on new connections.
    pub(super) fn attempts_new(&self) -> f64 {
        self.new.attempts()
    }

    pub(super) fn attempts(&self) -> f64 {
        self.attempts_reused() + self.attempts_new()
    }

    /// Returns the mean duration of an attempt. Zero if there was none.
    pub(super) fn mean(&self) -> Duration {
        let (seconds, attempts) = (self.reused.seconds() + self.new.seconds(), self.attempts());
        if attempts > 0.0 { Duration::from_secs_f64(seconds / attempts) } else { Duration::ZERO }
    }

    /// Returns the mean duration of an attempt on a reused connection.
    pub(super) fn mean_reused(&self) -> Option<Duration> {
        let attempts = self.attempts_reused();
        (attempts > 0.0).then(|| Duration::from_secs_f64(self.reused.seconds() / attempts))
    }

    /// Returns the speed relative to `before`, on reused connections: 2.0 means twice as fast.
    pub(super) fn speed_reused(&self, before: &Self) -> Option<f64> {
        self.reused.speed(&before.reused, 1.0)
    }

    /// Returns the speed relative to `before`, on new connections. `None` if fewer than `min` attempts can be compared.
    pub(super) fn speed_new(&self, before: &Self, min: f64) -> Option<f64> {
        self.new.speed(&before.new, min)
    }

    /// Adds later attempts, and lowers the weight of the earlier ones.
    pub(super) fn add_later(&mut self, later: &Self) {
        self.reused.add_later(&later.reused);
        self.new.add_later(&later.new);
    }
}

impl Table {
    fn add(&mut self, sample: &Sample) {
        let class = (sample.bytes / FIRST_CLASS_BYTES).checked_ilog2().map_or(0, |log| log as usize + 1);
        if let Some(class) = self.0.get_mut(class.min(CLASSES - 1)) {
            #[expect(clippy::cast_precision_loss, reason = "only used in ratios, which need not be exact")]
            let bytes = sample.bytes as f64;
            class.attempts += 1.0;
            class.bytes += bytes + BYTES_PER_REQUEST;
            class.seconds += sample.took.as_secs_f64();
        }
    }

    fn attempts(&self) -> f64 {
        self.0.iter().map(|class| class.attempts).sum()
    }

    fn seconds(&self) -> f64 {
        self.0.iter().map(|class| class.seconds).sum()
    }

    fn speed(&self, before: &Self, min: f64) -> Option<f64> {
        // How long these attempts would have taken at the speed of `before`, and how long they took.
        let (mut attempts, mut expected, mut actual) = (0.0, 0.0, 0.0);
        for (class, before) in self.0.iter().zip(&before.0) {
            if class.attempts > 0.0 && before.attempts > 0.0 {
                attempts += class.attempts.min(before.attempts);
                expected += class.bytes * before.seconds / before.bytes;
                actual += class.seconds;
            }
        }
        (attempts >= min && actual > 0.0).then(|| expected / actual)
    }

    fn add_later(&mut self, later: &Self) {
        const WEIGHT_OF_EARLIER: f64 = 0.75;
        for (class, later) in self.0.iter_mut().zip(&later.0) {
            class.attempts = class.attempts.mul_add(WEIGHT_OF_EARLIER, later.attempts);
            class.bytes = class.bytes.mul_add(WEIGHT_OF_EARLIER, later.bytes);
            class.seconds = class.seconds.mul_add(WEIGHT_OF_EARLIER, later.seconds);
        }
    }
}

/// Returns the throughput at `level` relative to that at `before`, by Little's law: the number of attempts under way, divided by
/// the duration of each.
pub(super) fn gain(level: usize, before: usize, speed: f64) -> f64 {
    speed * f64_of(level) / f64_of(before)
}

/// How many attempts were accepted in each tenth of the last second.
#[derive(Debug, Default)]
pub(super) struct LastSecond {
    begin: Option<Instant>,
    tenth: u64,
    counts: [u32; 10],
}

impl LastSecond {
    pub(super) fn add(&mut self, now: Instant) {
        self.advance(now);
        if let Some(count) = self.counts.get_mut(Self::slot(self.tenth)) {
            *count += 1;
        }
    }

    /// Returns how many attempts a second were accepted in the last second, or since the first if that is less long ago.
    pub(super) fn rate(&mut self, now: Instant) -> f64 {
        self.advance(now);
        let since = self.begin.map_or(Duration::ZERO, |begin| now.saturating_duration_since(begin));
        f64::from(self.counts.iter().sum::<u32>()) / since.as_secs_f64().clamp(0.1, 1.0)
    }

    fn advance(&mut self, now: Instant) {
        let begin = *self.begin.get_or_insert(now);
        let tenth = u64::try_from(now.saturating_duration_since(begin).as_millis() / 100).unwrap_or(u64::MAX);
        let passed = tenth.saturating_sub(self.tenth).min(10);
        for step in 1..=passed {
            if let Some(count) = self.counts.get_mut(Self::slot(self.tenth + step)) {
                *count = 0;
            }
        }
        self.tenth = self.tenth.max(tenth);
    }

    fn slot(tenth: u64) -> usize {
        usize::try_from(tenth % 10).unwrap_or(0)
    }
}
