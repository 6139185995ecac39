//! The error of a request that failed for good.

use std::fmt;

use bytes::Bytes;
use encord_signed_url::SignedUrl;
use http::{HeaderMap, Method, StatusCode};

use crate::attempt::{Attempt, Fault, FaultKind, Outcome};
use crate::clock::Phase;
use crate::ledger::StopReason;

/// A request that failed for good: what it was, why it was not tried again, and every attempt (rule R11).
///
/// `Display` is the whole story in one line. It names method, host and path; the query of the URL, the headers and the body of
/// the answer are in neither `Display` nor `Debug`.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    method: Method,
    url: SignedUrl,
    reason: StopReason,
    attempts: Vec<Attempt>,
    headers: HeaderMap,
    body: Bytes,
}

/// What ended a request, in a form to match on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The server answered with this status.
    Status(StatusCode),
    /// There was no whole answer.
    Fault(FaultKind),
}

impl Error {
    pub(crate) fn new(
        method: Method,
        url: SignedUrl,
        reason: StopReason,
        attempts: Vec<Attempt>,
        headers: HeaderMap,
        body: Bytes,
    ) -> Self {
        Self(Box::new(Inner { method, url, reason, attempts, headers, body }))
    }

    /// What the last attempt came to.
    pub fn kind(&self) -> ErrorKind {
        match self.last().map(|last| &last.outcome) {
            Some(Outcome::Status(status)) => ErrorKind::Status(*status),
            Some(Outcome::Fault(fault)) => ErrorKind::Fault(fault.kind()),
            // There is always an attempt.
            None => ErrorKind::Fault(FaultKind::Url),
        }
    }

    /// Why there was no further attempt.
    pub fn reason(&self) -> StopReason {
        self.0.reason
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

    /// The fault of the last attempt, if there was no whole answer to it.
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

    /// The body of the last answer, or the first [`MAX_ERROR_BODY`](crate::MAX_ERROR_BODY) bytes of it.
    pub fn body(&self) -> &Bytes {
        &self.0.body
    }

    fn last(&self) -> Option<&Attempt> {
        self.0.attempts.last()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { method, url, reason, attempts, headers: _, body: _ } = &*self.0;
        write!(f, "{method} {url} failed")?;
        match attempts.last() {
            // Rejected by the caller.
            Some(Attempt { phase: Phase::Done, outcome, .. }) => write!(f, " after the answer: {outcome}")?,
            Some(Attempt { phase, outcome, .. }) => write!(f, " while {phase}: {outcome}")?,
            None => {}
        }
        let count = attempts.len();
        write!(f, " ({count} attempt{}: ", if count == 1 { "" } else { "s" })?;
        for (index, attempt) in attempts.iter().enumerate() {
            write!(f, "{}{attempt}", if index == 0 { "" } else { ", " })?;
        }
        write!(f, "; {reason})")
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl std::error::Error for Error {
    /// What is behind the fault of the last attempt.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.fault().and_then(Fault::source)
    }
}
