//! How fast attempts were, so that two numbers under way can be compared although different files were sent.

use std::time::Duration;

use super::f64_of;

/// Sizes up to this are one class; each further class holds twice the size.
const SMALLEST_CLASS_BYTES: u64 = 16 * 1024;
const CLASSES: usize = 20;

/// What an attempt costs beyond its bytes, as bytes, so that files of one class that differ in size can be compared.
const BYTES_PER_REQUEST: f64 = 64.0 * 1024.0;

/// An attempt that was done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) bytes: u64,
    pub(super) took: Duration,
    pub(super) connection: Connection,
}

/// How an attempt came to its connection: opening one takes time, and TCP begins slowly on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Connection {
    /// It opened one.
    Opened,
    /// One was open.
    Open,
    /// One was open and had been idle, so that TCP began slowly again.
    Cooled,
}

/// The attempts of a time, by class.
#[derive(Debug, Clone, Default)]
pub(super) struct Measure {
    open: Table,
    opened: Table,
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
            Connection::Open => self.open.add(sample),
            Connection::Opened => self.opened.add(sample),
            Connection::Cooled => {}
        }
    }

    /// Attempts that found an open connection.
    pub(super) fn open(&self) -> f64 {
        self.open.attempts()
    }

    /// Attempts that opened their connection.
    pub(super) fn opened(&self) -> f64 {
        self.opened.attempts()
    }

    pub(super) fn attempts(&self) -> f64 {
        self.open() + self.opened()
    }

    /// How long an attempt took; zero if there was none.
    pub(super) fn mean(&self) -> Duration {
        let (seconds, attempts) = (self.open.seconds() + self.opened.seconds(), self.attempts());
        if attempts > 0.0 { Duration::from_secs_f64(seconds / attempts) } else { Duration::ZERO }
    }

    /// How long an attempt took that found an open connection.
    pub(super) fn mean_open(&self) -> Option<Duration> {
        (self.open() > 0.0).then(|| Duration::from_secs_f64(self.open.seconds() / self.open()))
    }

    /// How many times as fast as `before` these attempts were on connections that were open.
    pub(super) fn speed_open(&self, before: &Self) -> Option<f64> {
        self.open.speed(&before.open, 1.0)
    }

    /// The same for attempts that opened their connection; `None` if fewer than `least` can be compared.
    pub(super) fn speed_opened(&self, before: &Self, least: f64) -> Option<f64> {
        self.opened.speed(&before.opened, least)
    }

    /// Adds what came later; what was there counts less.
    pub(super) fn renew(&mut self, later: &Self) {
        self.open.renew(&later.open);
        self.opened.renew(&later.opened);
    }
}

impl Table {
    fn add(&mut self, sample: &Sample) {
        let class = (sample.bytes / SMALLEST_CLASS_BYTES).checked_ilog2().map_or(0, |log| log as usize + 1);
        if let Some(class) = self.0.get_mut(class.min(CLASSES - 1)) {
            #[expect(clippy::cast_precision_loss, reason = "only ratios are computed of it")]
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

    fn speed(&self, before: &Self, least: f64) -> Option<f64> {
        let (mut attempts, mut as_before, mut now) = (0.0, 0.0, 0.0);
        for (class, before) in self.0.iter().zip(&before.0) {
            if class.attempts > 0.0 && before.attempts > 0.0 {
                attempts += class.attempts.min(before.attempts);
                as_before += class.bytes * before.seconds / before.bytes;
                now += class.seconds;
            }
        }
        (attempts >= least && now > 0.0).then(|| as_before / now)
    }

    fn renew(&mut self, later: &Self) {
        const KEPT: f64 = 0.75;
        for (class, later) in self.0.iter_mut().zip(&later.0) {
            class.attempts = class.attempts.mul_add(KEPT, later.attempts);
            class.bytes = class.bytes.mul_add(KEPT, later.bytes);
            class.seconds = class.seconds.mul_add(KEPT, later.seconds);
        }
    }
}

/// The gain of a number under way over another one, by Little's law: what is under way, over how long each takes.
pub(super) fn gain(level: usize, before: usize, speed: f64) -> f64 {
    speed * f64_of(level) / f64_of(before)
}
