//! The record of one attempt.

use std::fmt;
use std::time::Duration;

use http::StatusCode;

use crate::fault::{Fault, FaultKind};
use crate::phase::Phase;
use crate::rules::readable::Readable;
use crate::rules::reason::Reason;
use crate::rules::retryable::is_overload;

/// One attempt of a request, as the caller sees it afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// The result of the attempt.
    pub outcome: Outcome,
    /// The code and message with which the server explained a status of 400 and above.
    pub reason: Option<Reason>,
    /// The phase in which the outcome became known: [`Phase::Waiting`] for a status of 400 and above, [`Phase::Done`] for a
    /// complete success, [`Phase::Reading`] for a success whose body is streamed.
    pub phase: Phase,
    /// The wait before this attempt. Zero for the first.
    pub waited: Duration,
    /// Whether the request was sent a second time within this attempt. This happens when a reused connection dies before any byte
    /// of the answer. The request is then sent again on a new connection, at once, and no budget is charged (RFC 9112 §9.3.1,
    /// rule R5).
    pub resent: bool,
}

/// The outcome of one attempt: an answer with a status, or a fault without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The server answered.
    Status(StatusCode),
    /// There was no complete answer.
    Fault(Fault),
}

impl Attempt {
    /// Whether the server answered that it is overloaded: 429, 503, 509 or 529 (rule U10).
    pub fn is_overload(&self) -> bool {
        matches!(self.outcome, Outcome::Status(status) if is_overload(status))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => status.fmt(f),
            Self::Fault(fault) => fault.fmt(f),
        }
    }
}

impl fmt::Display for Attempt {
    /// Writes the attempt as the text of an error lists it: `503 SlowDown after 1.5s`, `timed_out (read_timeout)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Outcome::Status(status) => write!(f, "{}", status.as_u16())?,
            Outcome::Fault(fault) => {
                f.write_str(fault.kind().as_str())?;
                if let FaultKind::TimedOut(limit) = fault.kind() {
                    write!(f, " ({})", limit.field())?;
                }
            }
        }
        if let Some(code) = self.reason.as_ref().and_then(Reason::code) {
            write!(f, " {code}")?;
        }
        if self.resent {
            f.write_str(" (sent again on a new connection)")?;
        }
        if !self.waited.is_zero() {
            write!(f, " after {}", Readable(self.waited))?;
        }
        Ok(())
    }
}
