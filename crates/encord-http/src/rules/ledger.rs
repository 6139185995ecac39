//! The retry ledger of one request (rules R1–R6). It decides whether to retry, after which wait, and at the cost of which budget.
//!
//! It is a state machine that neither sleeps nor sends. The caller enters the outcome of each attempt, and the ledger keeps the
//! list.

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

/// The settings and the properties of a request that the ledger decides by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Policy {
    /// The budgets and the backoff factor.
    pub(crate) settings: RequestsSettings,
    /// The longest backoff. `None` lifts the cap.
    pub(crate) backoff_cap: Option<Duration>,
    /// The longest `Retry-After` that the client waits for.
    pub(crate) retry_after_limit: Duration,
    /// Whether the request may be sent twice (rule R4).
    pub(crate) idempotent: bool,
    /// How the backoff is randomised. A `Retry-After` is not.
    pub(crate) jitter: Jitter,
    /// How long the request may take with all its attempts and waits.
    pub(crate) deadline: Option<Duration>,
}

/// How the backoff is randomised, so that clients that failed at the same time do not retry at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Jitter {
    /// The exact schedule (rule R2).
    #[default]
    None,
    /// A random wait from zero to the scheduled wait.
    Full,
    /// A random wait from half of the scheduled wait to the scheduled wait.
    Equal,
}

/// The facts about a failure that the caller must tell the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Circumstances {
    /// The `Retry-After` of the answer, if it had one.
    pub(crate) retry_after: Option<Duration>,
    /// Whether the payload cannot be sent again, because it is a stream that can be read only once and has been read.
    pub(crate) consumed: bool,
    /// The time since the request began. Used only with a deadline.
    pub(crate) elapsed: Duration,
    /// A random number from 0 to 1. Used only with jitter.
    pub(crate) random: f64,
}

/// The decision after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Make another attempt after this wait. It is charged to this budget.
    Retry { after: Duration, charged_to: Budget },
    /// The request has failed for good.
    Stop(StopReason),
}

/// Why a request was not retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// The budget of this kind of failure is used up.
    BudgetUsedUp {
        /// The budget.
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
    /// The server asks for a wait that is longer than the limit.
    RetryAfterTooLong {
        /// The wait that the server asked for.
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

/// The attempts of one request, and its used retries.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    policy: Policy,
    retries: u32,
    connection_retries: u32,
    /// The wait before the next attempt.
    wait: Duration,
    /// The budget that the next attempt is charged to, if any.
    charged_to: Option<Budget>,
    attempts: Vec<Attempt>,
}

/// An attempt to be entered in the ledger.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) outcome: Outcome,
    pub(crate) reason: Option<Reason>,
    pub(crate) phase: Phase,
    pub(crate) resent: bool,
}

impl Ledger {
    /// Makes a ledger without attempts.
    pub(crate) fn new(policy: Policy) -> Self {
        Self { policy, retries: 0, connection_retries: 0, wait: Duration::ZERO, charged_to: None, attempts: Vec::new() }
    }

    /// Enters an attempt that got an answer below 400.
    pub(crate) fn succeeded(&mut self, entry: Entry) {
        self.enter(entry);
        self.wait = Duration::ZERO;
        self.charged_to = None;
    }

    /// Enters a failed attempt, and decides what follows.
    ///
    /// An attempt that is made after [`Decision::Stop`] is entered too, but is charged to no budget.
    pub(crate) fn failed(&mut self, entry: Entry, circumstances: Circumstances) -> Decision {
        let budget = budget_of(&entry.outcome, entry.reason.as_ref(), circumstances.retry_after);
        self.enter(entry);
        self.decide(budget, circumstances)
    }

    /// Replaces the outcome of the last attempt by a failure, because the caller rejected the answer, and decides again. A retry
    /// that the previous decision charged is given back to its budget.
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

    /// Records how long the wait before the next attempt really is, if it differs from the decision.
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
