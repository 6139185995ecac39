//! The pace of one origin (rule U10): how many attempts may be under way, and when the next one may begin.
//!
//! It is a state machine without I/O and without a clock. The caller reports when attempts begin and how they end. [`climb`]
//! looks for the number of attempts that is fastest. [`brake`] slows down when the origin says that it is overloaded.

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

/// How many attempts may be under way before anything is known of the origin.
pub(crate) const START_ATTEMPTS: usize = 32;

/// The smallest limit for an overloaded origin. If it is still too high, the time between attempts grows.
pub(crate) const FLOOR_ATTEMPTS: usize = 4;

/// The highest limit, unless the user sets another.
pub(crate) const CAP_ATTEMPTS: usize = 256;

/// After a pause of this length TCP begins slowly again on every connection (slow start after idle, RFC 5681 §4.1).
const COLD_AFTER: Duration = Duration::from_millis(200);

/// The pace of one origin.
#[derive(Debug)]
pub(crate) struct Pace {
    under_way: usize,
    climb: Climb,
    brake: Brake,
    last_end: Option<Instant>,
    /// How many of the next attempts get a connection on which TCP begins slowly again.
    cold_connections: usize,
}

/// An attempt under way. Its end must be reported to [`Pace::end`] or [`Pace::abort`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Started {
    at: Instant,
    round: u64,
    /// The number of cuts of the pace before the attempt.
    cuts: u64,
    is_cold: bool,
}

/// What the end of an attempt shows about the load of the origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feedback {
    /// The origin stored the file. `opened`: the attempt opened a new connection.
    Done { bytes: u64, opened: bool },
    /// The origin says that it is overloaded, or did not answer in time.
    Overloaded(Overload),
    /// Another failure, which says nothing about the load.
    Failed,
}

/// The sign by which an origin shows that it is overloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overload {
    /// An answer of 429, 503, 509 or 529 without a usable `Retry-After`.
    Refused,
    /// Such an answer with a `Retry-After`, which the whole batch obeys.
    RetryAfter(Duration),
    /// Such an answer with a `Retry-After` above the limit. The item fails, and the batch does not wait.
    RetryAfterTooLong,
    /// A limit of the settings expired.
    TimedOut,
}

/// Whether another attempt may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Now,
    /// Not before this time.
    At(Instant),
    /// Not before another attempt has ended.
    Full,
}

/// A change of the pace, to be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    /// How many attempts may be under way.
    pub(crate) attempts: usize,
    /// The time from one attempt to the next. Zero if only the number of attempts is limited.
    pub(crate) spacing: Duration,
    pub(crate) because: &'static str,
}

impl Pace {
    /// Makes a pace whose limit is never above `cap`.
    pub(crate) fn new(cap: usize) -> Self {
        let cap = cap.max(1);
        Self::between(FLOOR_ATTEMPTS.min(cap), START_ATTEMPTS.min(cap), cap)
    }

    /// Makes a pace with a limit that never changes, for comparisons. It obeys `Retry-After`, but no other sign of overload.
    pub(crate) fn fixed(limit: usize) -> Self {
        let limit = limit.max(1);
        let pace = Self::between(limit, limit, limit);
        Self { brake: Brake::for_fixed_limit(), ..pace }
    }

    fn between(floor: usize, start: usize, cap: usize) -> Self {
        let (climb, brake) = (Climb::new(floor, start, cap), Brake::default());
        Self { under_way: 0, climb, brake, last_end: None, cold_connections: 0 }
    }

    /// Returns how many attempts may be under way.
    pub(crate) fn limit(&self) -> usize {
        self.brake.limit(self.climb.level())
    }

    /// Returns how many attempts are under way.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way
    }

    /// Whether another attempt may begin now. `left` is the number of items that have not begun, if it is known.
    pub(crate) fn next(&mut self, now: Instant, left: Option<usize>) -> Next {
        if let Some(at) = self.brake.not_before(now) {
            return Next::At(at);
        }
        match self.climb.early_check_at() {
            Some(at) if at <= now => {
                self.climb.check_early(left);
            }
            Some(at) if self.under_way >= self.limit() => return Next::At(at),
            _ => {}
        }
        if self.under_way < self.limit() { Next::Now } else { Next::Full }
    }

    /// Whether the origin has asked for a wait that is not over.
    pub(crate) fn is_held(&self, now: Instant) -> bool {
        self.brake.is_held(now)
    }

    /// Returns how much of the time since `since` was a wait that the origin had asked for.
    pub(crate) fn held_since(&self, since: Instant, now: Instant) -> Duration {
        self.brake.held_since(since, now)
    }

    /// Records that an attempt begins.
    pub(crate) fn begin(&mut self, now: Instant) -> Started {
        if self.under_way == 0 && self.last_end.is_some_and(|end| now > end + COLD_AFTER) {
            self.cold_connections = self.limit();
            self.climb.restart_round();
        }
        self.under_way += 1;
        self.brake.begin(now);
        self.climb.begin(self.under_way, now);
        let is_cold = self.cold_connections > 0;
        self.cold_connections = self.cold_connections.saturating_sub(1);
        Started { at: now, round: self.climb.round(), cuts: self.brake.cuts(), is_cold }
    }

    /// Records that this program aborted an attempt, which shows nothing about the origin.
    pub(crate) fn abort(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// Records that an attempt ended. `left` is the number of items that have not begun, if it is known.
    pub(crate) fn end(
        &mut self,
        started: Started,
        feedback: Feedback,
        now: Instant,
        left: Option<usize>,
    ) -> Option<Change> {
        let before = (self.climb.level(), self.brake.interval());
        self.under_way = self.under_way.saturating_sub(1);
        self.last_end = Some(now);
        let because = match feedback {
            Feedback::Done { bytes, opened } => {
                let took = now.saturating_duration_since(started.at);
                self.brake.accepted(started.cuts, took, self.climb.level(), now);
                if self.brake.has_no_effect() {
                    self.climb.allow_growth();
                }
                let connection = match opened {
                    true => Connection::New,
                    false if started.is_cold => Connection::Cold,
                    false => Connection::Reused,
                };
                if self.brake.is_spacing() {
                    "the origin accepts the uploads"
                } else {
                    self.climb.done(started.round, &Sample { bytes, took, connection }, left, now)
                }
            }
            Feedback::Overloaded(overload) => {
                if self.brake.overloaded(started.cuts, overload, self.climb.level(), now) {
                    let asked = if let Overload::RetryAfter(asked) = overload { asked } else { Duration::ZERO };
                    self.climb.cut(asked, now);
                }
                if self.brake.interval() < before.1 {
                    "the refusals do not depend on the pace"
                } else {
                    "the origin is overloaded"
                }
            }
            Feedback::Failed => "",
        };
        let after = (self.climb.level(), self.brake.interval());
        (before != after).then_some(Change { attempts: after.0, spacing: after.1, because })
    }
}

#[expect(clippy::cast_precision_loss, reason = "only used in ratios, which need not be exact")]
fn f64_of(count: usize) -> f64 {
    count as f64
}
