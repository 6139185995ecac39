//! The retry ledger of one request: try again, after how long, charged to which budget, or stop, and why (rules R1–R6).
//!
//! A plain state machine. It is told the outcome of each attempt and keeps the list; it neither sleeps nor sends.

use std::fmt;
use std::time::Duration;

use encord_http_settings::{BACKOFF_CAP, Backoff, RETRY_AFTER_LIMIT, RequestsSettings};
use http::StatusCode;

use crate::attempt::{Attempt, Budget, Outcome};
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
    /// The status or the fault is not one that another attempt could change.
    Final,
    /// The server asks to be left alone for longer than the limit.
    RetryAfterTooLong {
        /// What it asked for.
        asked: Duration,
        /// The limit.
        limit: Duration,
    },
}

/// The account of one request.
#[derive(Debug, Clone)]
pub struct Ledger {
    policy: Policy,
    retries: u32,
    connection_retries: u32,
    wait: Duration,
    attempts: Vec<Attempt>,
}

impl Policy {
    /// The policy of an idempotent request under `settings`, with the default cap and limit.
    pub fn new(settings: RequestsSettings) -> Self {
        Self { settings, backoff_cap: Some(BACKOFF_CAP), retry_after_limit: RETRY_AFTER_LIMIT, idempotent: true }
    }
}

impl Ledger {
    /// An account with no attempt in it.
    pub fn new(policy: Policy) -> Self {
        Self { policy, retries: 0, connection_retries: 0, wait: Duration::ZERO, attempts: Vec::new() }
    }

    /// Enters the outcome of an attempt and decides. `retry_after` is what the answer asked for, if it did.
    pub fn record(&mut self, outcome: Outcome, phase: Phase, retry_after: Option<Duration>) -> Decision {
        let charge = charge(&outcome, retry_after);
        self.attempts.push(Attempt { outcome, phase, waited: self.wait });
        let decision = match charge {
            Charge::Nothing => Decision::Done,
            Charge::Final => Decision::Stop(StopReason::Final),
            Charge::Retryable(budget) => self.retry(budget, retry_after),
        };
        if let Decision::Retry { after, charged_to } = decision {
            self.wait = after;
            *self.spent(charged_to) += 1;
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

    fn retry(&mut self, budget: Budget, retry_after: Option<Duration>) -> Decision {
        // A failure to connect sent nothing, so it may be repeated whatever the method (R3).
        if budget == Budget::MaxRetries && !self.policy.idempotent {
            return Decision::Stop(StopReason::NotIdempotent);
        }
        let allowed = match budget {
            Budget::MaxRetries => self.policy.settings.max_retries,
            Budget::ConnectionRetries => self.policy.settings.connection_retries,
        };
        if *self.spent(budget) >= allowed {
            return Decision::Stop(StopReason::BudgetUsedUp { budget, allowed });
        }
        let asked = retry_after.unwrap_or(Duration::ZERO);
        let limit = self.policy.retry_after_limit;
        if asked > limit {
            return Decision::Stop(StopReason::RetryAfterTooLong { asked, limit });
        }
        // R2: k counts the retries of both kinds.
        let k = self.retries.saturating_add(self.connection_retries).saturating_add(1);
        let schedule = Backoff::new(self.policy.settings.backoff_factor).with_cap(self.policy.backoff_cap);
        Decision::Retry { after: schedule.delay(k).max(asked), charged_to: budget }
    }

    fn spent(&mut self, budget: Budget) -> &mut u32 {
        match budget {
            Budget::MaxRetries => &mut self.retries,
            Budget::ConnectionRetries => &mut self.connection_retries,
        }
    }
}

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
            Self::Final => f.write_str("not retried, because another attempt could not change it"),
            Self::RetryAfterTooLong { asked, limit } => {
                write!(
                    f,
                    "not retried, because the server asked for a wait of {} s, longer than the limit of {} s",
                    asked.as_secs(),
                    limit.as_secs()
                )
            }
        }
    }
}

#[cfg(test)]
mod tests;
