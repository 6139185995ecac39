//! The error of a request that failed for good.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::attempt::{Attempt, Outcome};
use crate::fault::{Fault, FaultKind};
use crate::phase::{Limit, Phase};
use crate::request::Request;
use crate::rules::ledger::StopReason;
use crate::rules::reason::Reason;

/// A request that failed for good: method, host and path, the reason why it was not retried, and every attempt (rule R11).
///
/// `Display` says all this in one line. Neither `Display` nor `Debug` shows the query of the URL, the headers, or the body of the
/// answer.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    /// Method, host and path.
    request: String,
    stop_reason: StopReason,
    attempts: Vec<Attempt>,
    retry_after: Option<Duration>,
    headers: HeaderMap,
    body: Bytes,
}

/// The cause of the failure, as an enum to match on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The server answered with this status.
    Status(StatusCode),
    /// There was no complete answer.
    Fault(FaultKind),
}

impl Error {
    pub(crate) fn new(
        request: &Request,
        stop_reason: StopReason,
        attempts: Vec<Attempt>,
        retry_after: Option<Duration>,
        headers: HeaderMap,
        body: Bytes,
    ) -> Self {
        let request = format!("{} {}", request.method(), request.url());
        Self(Box::new(Inner { request, stop_reason, attempts, retry_after, headers, body }))
    }

    /// The kind of the last attempt's failure.
    pub fn kind(&self) -> ErrorKind {
        match self.last().map(|last| &last.outcome) {
            Some(Outcome::Status(status)) => ErrorKind::Status(*status),
            Some(Outcome::Fault(fault)) => ErrorKind::Fault(fault.kind()),
            // Never happens: an error has at least one attempt.
            None => ErrorKind::Fault(FaultKind::Url),
        }
    }

    /// Why there was no further attempt.
    pub fn stop_reason(&self) -> StopReason {
        self.0.stop_reason
    }

    /// The code and message with which the server explained its refusal.
    pub fn reason(&self) -> Option<&Reason> {
        self.last()?.reason.as_ref()
    }

    /// The `Retry-After` of the last answer, if it had one.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether a limit of the settings, or the deadline of the request, ran out.
    pub fn is_timeout(&self) -> bool {
        matches!(self.kind(), ErrorKind::Fault(FaultKind::TimedOut(_) | FaultKind::Deadline))
    }

    /// Whether the connection failed, so that nothing was sent.
    pub fn is_connect(&self) -> bool {
        use FaultKind::{Certificate, Dns, Local, Proxy, Refused, TimedOut, Tls, TlsCutOff, Unreachable};
        let kinds = [Certificate, Dns, Local, Proxy, Refused, TimedOut(Limit::Connect), Tls, TlsCutOff, Unreachable];
        matches!(self.kind(), ErrorKind::Fault(kind) if kinds.contains(&kind))
    }

    /// Whether the server answered with a status of 400 or above.
    pub fn is_status(&self) -> bool {
        matches!(self.kind(), ErrorKind::Status(_))
    }

    /// All attempts, in order. Never empty.
    pub fn attempts(&self) -> &[Attempt] {
        &self.0.attempts
    }

    /// The phase in which the last attempt failed.
    pub fn phase(&self) -> Phase {
        self.last().map_or(Phase::Preparing, |last| last.phase)
    }

    /// The status of the last attempt, if the server answered it.
    pub fn status(&self) -> Option<StatusCode> {
        match &self.last()?.outcome {
            Outcome::Status(status) => Some(*status),
            Outcome::Fault(_) => None,
        }
    }

    /// The fault of the last attempt, if it got no complete answer.
    pub fn fault(&self) -> Option<&Fault> {
        match &self.last()?.outcome {
            Outcome::Status(_) => None,
            Outcome::Fault(fault) => Some(fault),
        }
    }

    /// The headers of the last answer. Empty if there was none.
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// The body of the last answer, or the first [`MAX_ERROR_BODY_BYTES`](crate::MAX_ERROR_BODY_BYTES) bytes of it.
    pub fn body(&self) -> &Bytes {
        &self.0.body
    }

    fn last(&self) -> Option<&Attempt> {
        self.0.attempts.last()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { request, stop_reason, attempts, .. } = &*self.0;
        write!(f, "{request} failed")?;
        match attempts.last() {
            // The caller rejected the answer.
            Some(Attempt { phase: Phase::Done, outcome, .. }) => write!(f, " after the answer: {outcome}")?,
            Some(Attempt { phase, outcome: Outcome::Status(status), reason: Some(reason), .. }) => {
                write!(f, " while {phase}: {} {reason}", status.as_u16())?;
            }
            Some(Attempt { phase, outcome, .. }) => write!(f, " while {phase}: {outcome}")?,
            None => {}
        }
        let count = attempts.len();
        write!(f, " ({count} attempt{}: ", if count == 1 { "" } else { "s" })?;
        for (index, attempt) in attempts.iter().enumerate() {
            write!(f, "{}{attempt}", if index == 0 { "" } else { ", " })?;
        }
        write!(f, "; {stop_reason})")
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl std::error::Error for Error {
    /// The error behind the fault of the last attempt.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.fault().and_then(Fault::source)
    }
}
