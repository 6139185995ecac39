//! The retry ledger of one request: try again, after how long, charged to which budget, or stop, and why (rules R1–R6).
//!
//! A plain state machine. It is told the outcome of each attempt and keeps the list; it neither sleeps nor sends.

use std::fmt;
use std::time::Duration;

use encord_http_settings::{Backoff, RequestsSettings};

use crate::attempt::{Attempt, Outcome};
use crate::budget::Budget;
use crate::fault::FaultKind;
use crate::phase::Phase;
use crate::rules::readable::Readable;
use crate::rules::reason::Reason;
use crate::rules::retryable::budget_of_status;

/// What the ledger decides by: the settings of the request, and what kind of request it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Policy {
    /// The budgets and the backoff factor.
    pub(crate) settings: RequestsSettings,
    /// The longest backoff. `None` lifts the cap.
    pub(crate) backoff_cap: Option<Duration>,
    /// The longest `Retry-After` that is waited for.
    pub(crate) retry_after_limit: Duration,
    /// Whether the request may be sent twice (rule R4).
    pub(crate) idempotent: bool,
    /// What is done to the backoff, not to a `Retry-After`.
    pub(crate) jitter: Jitter,
    /// The time that the request may take with all its attempts and waits.
    pub(crate) deadline: Option<Duration>,
}

/// How a backoff is spread, so that many clients that failed together do not come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Jitter {
    /// The exact schedule (rule R2).
    #[default]
    None,
    /// Anything from zero to the scheduled wait.
    Full,
    /// Anything from half of the scheduled wait to the whole.
    Equal,
}

/// What the ledger cannot know by itself.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Circumstances {
    /// What the answer asked for in `Retry-After`, if it did.
    pub(crate) retry_after: Option<Duration>,
    /// Whether the payload is gone: a stream that can be read only once, and has been read.
    pub(crate) consumed: bool,
    /// The time since the request began. Matters only if there is a deadline.
    pub(crate) elapsed: Duration,
    /// A random number from 0 to 1. Matters only if there is jitter.
    pub(crate) random: f64,
}

/// What follows from an attempt that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Another attempt, after this wait, at the expense of this budget.
    Retry { after: Duration, charged_to: Budget },
    /// The request has failed for good.
    Stop(StopReason),
}

/// Why a request was not tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// The budget of this kind of failure is used up.
    BudgetUsedUp {
        /// Which one.
        budget: Budget,
        /// How many retries it allowed.
        allowed: u32,
    },
    /// The failure was retryable, but the request must not be sent twice.
    NotIdempotent,
    /// The failure was retryable, but the payload is a stream that has been read.
    NotReplayable,
    /// The status or the fault is not retryable.
    Final,
    /// The server asks to be left alone for longer than the limit.
    RetryAfterTooLong {
        /// What it asked for.
        asked: Duration,
        /// The limit.
        limit: Duration,
    },
    /// The deadline passed, or would have passed before the next attempt began.
    Deadline {
        /// The deadline, from the beginning of the request.
        deadline: Duration,
    },
}

/// The account of one request.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    policy: Policy,
    retries: u32,
    connection_retries: u32,
    /// Before the next attempt.
    wait: Duration,
    /// The budget that the next attempt was charged to, if it was.
    charged_to: Option<Budget>,
    attempts: Vec<Attempt>,
}

/// An attempt as it is entered.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) outcome: Outcome,
    pub(crate) reason: Option<Reason>,
    pub(crate) phase: Phase,
    pub(crate) resent: bool,
}

impl Ledger {
    /// An account with no attempt in it.
    pub(crate) fn new(policy: Policy) -> Self {
        Self { policy, retries: 0, connection_retries: 0, wait: Duration::ZERO, charged_to: None, attempts: Vec::new() }
    }

    /// Enters an attempt that brought an answer for the caller.
    pub(crate) fn succeeded(&mut self, entry: Entry) {
        self.enter(entry);
        self.wait = Duration::ZERO;
        self.charged_to = None;
    }

    /// Enters an attempt that failed, and decides.
    ///
    /// An attempt that is made in spite of [`Decision::Stop`] is entered like any other, but drew on no budget.
    pub(crate) fn failed(&mut self, entry: Entry, circumstances: Circumstances) -> Decision {
        let budget = budget_of(&entry.outcome, entry.reason.as_ref(), circumstances.retry_after);
        self.enter(entry);
        self.decide(budget, circumstances)
    }

    /// Replaces the outcome of the last attempt by a failure, because the answer turned out not to be what it seemed, and decides
    /// again. The budget that the decision before was charged to gets its retry back.
    pub(crate) fn revised(&mut self, outcome: Outcome, circumstances: Circumstances) -> Decision {
        let budget = budget_of(&outcome, None, circumstances.retry_after);
        match self.attempts.last_mut() {
            Some(last) => last.outcome = outcome,
            None => self.enter(Entry { outcome, reason: None, phase: Phase::Done, resent: false }),
        }
        if let Some(budget) = self.charged_to.take() {
            *self.spent(budget) -= 1;
        }
        self.decide(budget, circumstances)
    }

    /// Says how long the wait before the next attempt really is, if not as long as was decided; for the account.
    pub(crate) fn set_wait(&mut self, wait: Duration) {
        self.wait = wait;
    }

    /// The attempts so far, in order.
    pub(crate) fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    fn enter(&mut self, Entry { outcome, reason, phase, resent }: Entry) {
        self.attempts.push(Attempt { outcome, reason, phase, waited: self.wait, resent });
    }

    fn decide(&mut self, budget: Option<Budget>, circumstances: Circumstances) -> Decision {
        let decision = match budget {
            Some(budget) => self.retry(budget, circumstances),
            None => Decision::Stop(self.final_reason()),
        };
        (self.wait, self.charged_to) = match decision {
            Decision::Retry { after, charged_to } => (after, Some(charged_to)),
            Decision::Stop(_) => (Duration::ZERO, None),
        };
        if let Some(budget) = self.charged_to {
            *self.spent(budget) += 1;
        }
        decision
    }

    fn final_reason(&self) -> StopReason {
        let ran_out =
            |attempt: &Attempt| matches!(&attempt.outcome, Outcome::Fault(f) if f.kind() == FaultKind::Deadline);
        match self.policy.deadline {
            Some(deadline) if self.attempts.last().is_some_and(ran_out) => StopReason::Deadline { deadline },
            _ => StopReason::Final,
        }
    }

    fn retry(&mut self, budget: Budget, circumstances: Circumstances) -> Decision {
        let Policy { settings, backoff_cap, retry_after_limit: limit, idempotent, jitter, deadline } = self.policy;
        // A failure to connect sent nothing, so it may be repeated whatever the method (R3).
        if budget == Budget::MaxRetries && !idempotent {
            return Decision::Stop(StopReason::NotIdempotent);
        }
        if budget == Budget::MaxRetries && circumstances.consumed {
            return Decision::Stop(StopReason::NotReplayable);
        }
        let allowed = match budget {
            Budget::MaxRetries => settings.max_retries,
            Budget::ConnectionRetries => settings.connection_retries,
        };
        if *self.spent(budget) >= allowed {
            return Decision::Stop(StopReason::BudgetUsedUp { budget, allowed });
        }
        let asked = circumstances.retry_after.unwrap_or(Duration::ZERO);
        if asked > limit {
            return Decision::Stop(StopReason::RetryAfterTooLong { asked, limit });
        }
        // R2: k counts the retries of both kinds.
        let k = self.retries.saturating_add(self.connection_retries).saturating_add(1);
        let backoff = Backoff::new(settings.backoff_factor).with_cap(backoff_cap).delay(k);
        let after = jitter.spread(backoff, circumstances.random).max(asked);
        match deadline {
            Some(deadline) if circumstances.elapsed.saturating_add(after) >= deadline => {
                Decision::Stop(StopReason::Deadline { deadline })
            }
            _ => Decision::Retry { after, charged_to: budget },
        }
    }

    fn spent(&mut self, budget: Budget) -> &mut u32 {
        match budget {
            Budget::MaxRetries => &mut self.retries,
            Budget::ConnectionRetries => &mut self.connection_retries,
        }
    }
}

fn budget_of(outcome: &Outcome, reason: Option<&Reason>, retry_after: Option<Duration>) -> Option<Budget> {
    match outcome {
        Outcome::Status(status) => budget_of_status(*status, retry_after.is_some(), reason.and_then(Reason::code)),
        Outcome::Fault(fault) => fault.kind().budget(),
    }
}

impl Jitter {
    fn spread(self, backoff: Duration, random: f64) -> Duration {
        let part = |whole: Duration| {
            Duration::try_from_secs_f64(whole.as_secs_f64() * random.clamp(0.0, 1.0)).unwrap_or(whole).min(whole)
        };
        match self {
            Self::None => backoff,
            Self::Full => part(backoff),
            Self::Equal => backoff.saturating_sub(part(backoff / 2)),
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BudgetUsedUp { budget, allowed } => write!(f, "{} = {allowed} used up", budget.field()),
            Self::NotIdempotent => f.write_str("not retried, because the request is not idempotent"),
            Self::NotReplayable => f.write_str("not retried, because the payload can be read only once"),
            Self::Deadline { deadline } => {
                write!(f, "the deadline of {} leaves no time for another attempt", Readable(*deadline))
            }
            Self::Final => f.write_str("not retryable"),
            Self::RetryAfterTooLong { asked, limit } => {
                let (asked, limit) = (Readable(*asked), Readable(*limit));
                write!(
                    f,
                    "not retried, because the server asked for a wait of {asked}, longer than the limit of {limit}"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests;
