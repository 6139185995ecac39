//! The pace of one origin (rule U10): how many attempts may be under way, and until when the origin is left alone.
//!
//! A state machine without I/O and without a clock: it is told when attempts begin and how they end. [`climb`] looks for the number
//! under way that carries the most, [`brake`] obeys an origin that says that it is overloaded.

mod brake;
mod climb;
mod measure;

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::time::Instant;

use self::brake::Brake;
use self::climb::Climb;
use self::measure::{Connection, Sample};

/// How many attempts are under way before anything is known of the origin.
pub(crate) const START_ATTEMPTS: usize = 32;

/// The fewest attempts under way that an overloaded origin is slowed down to. Below it the time between attempts grows.
pub(crate) const FLOOR_ATTEMPTS: usize = 4;

/// The most attempts under way unless the user says otherwise.
pub(crate) const CAP_ATTEMPTS: usize = 256;

/// After a pause of this length TCP begins slowly again on every connection.
const CONNECTIONS_COOL: Duration = Duration::from_millis(200);

/// The pace of one origin.
#[derive(Debug)]
pub(crate) struct Pace {
    under_way: usize,
    climb: Climb,
    brake: Brake,
    last_end: Option<Instant>,
    /// How many attempts still find connections that have cooled.
    cold: usize,
}

/// An attempt that has begun. Give it back to [`Pace::end`] or [`Pace::let_go`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Begun {
    at: Instant,
    round: u64,
    /// How many times the pace had been cut.
    cuts: u64,
    cold: bool,
}

/// How an attempt ended, as far as the pace is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The origin stored so many bytes.
    Done { bytes: u64, opened: bool },
    /// The origin says that it is overloaded, or did not answer in time.
    Overloaded(Overload),
    /// Anything else, which says nothing about the origin's load.
    Failed,
}

/// What an overloaded origin asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overload {
    /// An answer of 429, 503, 509 or 529 without a usable `Retry-After`.
    Refused,
    /// The same, with a `Retry-After` that is obeyed by the whole batch.
    RetryAfter(Duration),
    /// The same, with a `Retry-After` beyond the limit: the item fails, and nobody waits.
    Beyond,
    /// A limit of the settings ran out.
    TimedOut,
}

/// Whether another attempt may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Now,
    /// Not before this time.
    At(Instant),
    /// When one that is under way has ended.
    Full,
}

/// A change of the pace, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) attempts: usize,
    /// The time from one attempt to the next; zero where only their number is limited.
    pub(crate) spacing: Duration,
    pub(crate) because: &'static str,
}

impl Pace {
    /// A pace of at most `cap` attempts under way.
    pub(crate) fn new(cap: usize) -> Self {
        let cap = cap.max(1);
        Self::between(FLOOR_ATTEMPTS.min(cap), START_ATTEMPTS.min(cap), cap)
    }

    /// Always the same number under way. Overload holds it, and does not lower it: for comparison.
    pub(crate) fn fixed(number: usize) -> Self {
        let number = number.max(1);
        let pace = Self::between(number, number, number);
        Self { brake: Brake::that_only_holds(), ..pace }
    }

    fn between(floor: usize, start: usize, cap: usize) -> Self {
        Self { under_way: 0, climb: Climb::new(floor, start, cap), brake: Brake::default(), last_end: None, cold: 0 }
    }

    /// How many attempts may be under way.
    pub(crate) fn limit(&self) -> usize {
        self.brake.limit(self.climb.level())
    }

    /// How many attempts are under way.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way
    }

    /// Whether another attempt may begin now. `left`: how many items have not begun, if that is known.
    pub(crate) fn next(&mut self, now: Instant, left: Option<usize>) -> Next {
        if let Some(at) = self.brake.not_before(now) {
            return Next::At(at);
        }
        match self.climb.look_at() {
            Some(at) if at <= now => {
                self.climb.look(left);
            }
            Some(at) if self.under_way >= self.limit() => return Next::At(at),
            _ => {}
        }
        if self.under_way < self.limit() { Next::Now } else { Next::Full }
    }

    /// Whether the origin has asked to be left alone now.
    pub(crate) fn is_held(&self, now: Instant) -> bool {
        self.brake.is_held(now)
    }

    /// How long of the time since `since` the origin was left alone because it asked for that.
    pub(crate) fn held_since(&self, since: Instant, now: Instant) -> Duration {
        self.brake.held_since(since, now)
    }

    /// An attempt begins.
    pub(crate) fn begin(&mut self, now: Instant) -> Begun {
        if self.under_way == 0 && self.last_end.is_some_and(|end| now > end + CONNECTIONS_COOL) {
            self.cold = self.limit();
            self.climb.restart_round();
        }
        self.under_way += 1;
        self.brake.begin(now);
        self.climb.begins(self.under_way, now);
        let cold = self.cold > 0;
        self.cold = self.cold.saturating_sub(1);
        Begun { at: now, round: self.climb.round(), cuts: self.brake.cuts(), cold }
    }

    /// An attempt was broken off by this side; it says nothing.
    pub(crate) fn let_go(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// An attempt ended. `left`: how many items have not begun, if that is known.
    pub(crate) fn end(&mut self, begun: Begun, ended: Ended, now: Instant, left: Option<usize>) -> Option<Change> {
        let before = (self.climb.level(), self.brake.spacing());
        self.under_way = self.under_way.saturating_sub(1);
        self.last_end = Some(now);
        let because = match ended {
            Ended::Done { bytes, opened } => {
                let took = now.saturating_duration_since(begun.at);
                self.brake.accepted(begun.cuts, took, self.climb.level(), now);
                if self.brake.was_in_vain() {
                    self.climb.end_calm();
                }
                let connection = match opened {
                    true => Connection::Opened,
                    false if begun.cold => Connection::Cooled,
                    false => Connection::Open,
                };
                if self.brake.is_spaced() {
                    "the origin takes what it is sent"
                } else {
                    self.climb.done(begun.round, &Sample { bytes, took, connection }, left, now)
                }
            }
            Ended::Overloaded(overload) => {
                if self.brake.overloaded(begun.cuts, overload, self.climb.level(), now) {
                    let asked = if let Overload::RetryAfter(asked) = overload { asked } else { Duration::ZERO };
                    self.climb.cut(asked, now);
                }
                "the origin is overloaded"
            }
            Ended::Failed => "",
        };
        let after = (self.climb.level(), self.brake.spacing());
        (before != after).then_some(Change { attempts: after.0, spacing: after.1, because })
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count of attempts or bytes; ratios are all that is computed of it")]
fn f64_of(count: usize) -> f64 {
    count as f64
}
