//! The retry ledger of one request: try again, after how long, charged to which budget, or stop, and why (rules R1–R6).
//!
//! A plain state machine. It is told the outcome of each attempt and keeps the list; it neither sleeps nor sends.

use std::fmt;
use std::time::Duration;

use encord_http_settings::{BACKOFF_CAP, Backoff, RETRY_AFTER_LIMIT, RequestsSettings};
use http::StatusCode;

use crate::attempt::{Attempt, Budget, FaultKind, Outcome};
use crate::clock::Phase;

/// What the ledger decides by: the settings of the request, and what kind of request it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// The budgets and the backoff factor.
    pub settings: RequestsSettings,
    /// The longest backoff. `None` lifts the cap. Default: [`BACKOFF_CAP`].
    pub backoff_cap: Option<Duration>,
    /// The longest `Retry-After` that is waited for. Default: [`RETRY_AFTER_LIMIT`].
    pub retry_after_limit: Duration,
    /// Whether the request may be sent twice (rule R4).
    pub idempotent: bool,
    /// What is done to the backoff, not to a `Retry-After`. Default: nothing (rule R2).
    pub jitter: Jitter,
    /// The time that the request may take with all its attempts and waits. Default: no limit.
    pub deadline: Option<Duration>,
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
pub struct Circumstances {
    /// What the answer asked for in `Retry-After`, if it did.
    pub retry_after: Option<Duration>,
    /// Whether the payload is gone: a stream that can be read only once, and has been read.
    pub consumed: bool,
    /// The time since the request began. Matters only if there is a deadline.
    pub elapsed: Duration,
    /// A random number from 0 to 1. Matters only if there is jitter.
    pub random: f64,
}

/// The decision after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The answer is one to hand to the caller.
    Done,
    /// Try again.
    Retry {
        /// After this wait.
        after: Duration,
        /// At the expense of this budget.
        charged_to: Budget,
    },
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
    /// The status or the fault is not one that another attempt could change.
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
pub struct Ledger {
    policy: Policy,
    retries: u32,
    connection_retries: u32,
    /// Before the next attempt.
    wait: Duration,
    /// The budget that the next attempt was charged to, if it was.
    charged_to: Option<Budget>,
    attempts: Vec<Attempt>,
}

impl Policy {
    /// The policy of an idempotent request under `settings`, with the default cap and limit.
    pub fn new(settings: RequestsSettings) -> Self {
        Self {
            settings,
            backoff_cap: Some(BACKOFF_CAP),
            retry_after_limit: RETRY_AFTER_LIMIT,
            idempotent: true,
            jitter: Jitter::None,
            deadline: None,
        }
    }
}

impl Ledger {
    /// An account with no attempt in it.
    pub fn new(policy: Policy) -> Self {
        Self { policy, retries: 0, connection_retries: 0, wait: Duration::ZERO, charged_to: None, attempts: Vec::new() }
    }

    /// Enters the outcome of an attempt and decides.
    ///
    /// An attempt that is made in spite of [`Decision::Stop`] or [`Decision::Done`] is entered like any other, but drew on no
    /// budget.
    pub fn record(&mut self, outcome: Outcome, phase: Phase, circumstances: Circumstances) -> Decision {
        let charge = charge(&outcome, circumstances.retry_after);
        self.attempts.push(Attempt { outcome, phase, waited: self.wait });
        self.decide(charge, circumstances)
    }

    /// Replaces the outcome of the last attempt, because the answer turned out not to be what it seemed, and decides again. What
    /// the decision before had charged is given back. Without an attempt it is entered as one that came to its end.
    pub fn revise(&mut self, outcome: Outcome, circumstances: Circumstances) -> Decision {
        let Some(last) = self.attempts.last_mut() else { return self.record(outcome, Phase::Done, circumstances) };
        let charge = charge(&outcome, circumstances.retry_after);
        last.outcome = outcome;
        if let Some(budget) = self.charged_to.take() {
            *self.spent(budget) -= 1;
        }
        self.decide(charge, circumstances)
    }

    /// Says how long the wait before the next attempt really is, if not as long as was decided; for the account.
    pub fn set_wait(&mut self, wait: Duration) {
        self.wait = wait;
    }

    fn decide(&mut self, charge: Charge, circumstances: Circumstances) -> Decision {
        let decision = match charge {
            Charge::Nothing => Decision::Done,
            Charge::Final => Decision::Stop(self.final_reason()),
            Charge::Retryable(budget) => self.retry(budget, circumstances),
        };
        (self.wait, self.charged_to) = match decision {
            Decision::Retry { after, charged_to } => (after, Some(charged_to)),
            Decision::Done | Decision::Stop(_) => (Duration::ZERO, None),
        };
        if let Some(budget) = self.charged_to {
            *self.spent(budget) += 1;
        }
        decision
    }

    /// The attempts so far, in order.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// Closes the account.
    pub fn into_attempts(self) -> Vec<Attempt> {
        self.attempts
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

#[derive(Clone, Copy)]
enum Charge {
    Nothing,
    Retryable(Budget),
    Final,
}

/// R5: which outcomes are worth another attempt.
fn charge(outcome: &Outcome, retry_after: Option<Duration>) -> Charge {
    let status = match outcome {
        Outcome::Status(status) => *status,
        Outcome::Fault(fault) => return fault.kind().budget().map_or(Charge::Final, Charge::Retryable),
    };
    match status {
        StatusCode::REQUEST_TIMEOUT
        | StatusCode::TOO_MANY_REQUESTS
        | StatusCode::INTERNAL_SERVER_ERROR
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Charge::Retryable(Budget::MaxRetries),
        StatusCode::PAYLOAD_TOO_LARGE if retry_after.is_some() => Charge::Retryable(Budget::MaxRetries),
        status if status.as_u16() < 400 => Charge::Nothing,
        _ => Charge::Final,
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BudgetUsedUp { budget, allowed } => write!(f, "{} = {allowed} used up", budget.field()),
            Self::NotIdempotent => f.write_str("not retried, because the request is not idempotent"),
            Self::NotReplayable => f.write_str("not retried, because the payload can be read only once"),
            Self::Deadline { deadline } => write!(f, "the deadline of {deadline:?} leaves no time for another attempt"),
            Self::Final => f.write_str("not retried, because another attempt could not change it"),
            Self::RetryAfterTooLong { asked, limit } => {
                write!(
                    f,
                    "not retried, because the server asked for a wait of {asked:?}, longer than the limit of {limit:?}"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests;
