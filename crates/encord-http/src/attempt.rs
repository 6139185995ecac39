//! What became of one attempt.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use crate::clock::{Limit, Phase};

/// One attempt of a request, as it is told to the caller afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// What came of it.
    pub outcome: Outcome,
    /// The phase in which that became known: for a refusal by status [`Phase::Waiting`], for a complete success
    /// [`Phase::Done`], for one that is streamed [`Phase::Reading`].
    pub phase: Phase,
    /// The wait before this attempt. Zero for the first.
    pub waited: Duration,
}

/// The outcome of one attempt: an answer with a status, or a fault without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The server answered.
    Status(StatusCode),
    /// There was no whole answer.
    Fault(Fault),
}

/// Why an attempt got no whole answer.
#[derive(Debug, Clone)]
pub struct Fault {
    kind: FaultKind,
    detail: Box<str>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The kinds of [`Fault`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// The host name could not be resolved.
    Dns,
    /// The port is closed.
    Refused,
    /// No route, network down, no address left, or another failure of TCP's connect.
    Unreachable,
    /// The connection broke off in the TLS handshake.
    TlsCutOff,
    /// The server's certificate does not verify.
    Certificate,
    /// TLS failed in another way: no common version, an alert, no root certificates on this machine.
    Tls,
    /// The proxy cannot be used: it does not let the client through, or its URL is not one.
    Proxy,
    /// The peer reset the connection.
    Reset,
    /// The peer closed the connection before the whole answer was there.
    Closed,
    /// A limit of the settings ran out.
    TimedOut(Limit),
    /// What the peer sent is malformed: not HTTP/1.1, or broken gzip.
    Protocol,
    /// The answer's head or body is longer than the client takes.
    TooLarge,
    /// What arrived is not what was sent. Only a caller can find that: see [`Attempts::reject`](crate::Attempts::reject).
    Integrity,
    /// The payload could not be read: a missing file, a directory, no permission.
    Payload,
    /// The file shrank, grew or was changed while it was sent. Its last piece was then kept back, so no server has it whole.
    Changed,
    /// The URL cannot be requested.
    Url,
    /// The request's own deadline passed, whatever its limits.
    Deadline,
}

/// Which budget of the settings a failure draws on (rule R3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Budget {
    /// `max_retries`: the request may have been sent.
    MaxRetries,
    /// `connection_retries`: there was no connection, so nothing was sent.
    ConnectionRetries,
}

impl Fault {
    pub(crate) fn new(kind: FaultKind, detail: impl Into<Box<str>>) -> Self {
        Self { kind, detail: detail.into(), source: None }
    }

    pub(crate) fn with_source(self, source: impl StdError + Send + Sync + 'static) -> Self {
        Self { source: Some(Arc::new(source)), ..self }
    }

    pub(crate) fn with_detail(self, detail: impl Into<Box<str>>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    /// What arrived is not what was sent: [`FaultKind::Integrity`]. The detail is shown to users; it says how that was found.
    pub fn integrity(detail: impl Into<Box<str>>) -> Self {
        Self::new(FaultKind::Integrity, detail)
    }

    /// What kind of fault it is.
    pub fn kind(&self) -> FaultKind {
        self.kind
    }

    /// What is known beyond the kind, such as the operating system's words. May be empty.
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl FaultKind {
    /// The budget a retry after this fault is charged to, or `None` when trying again cannot help (rules R3 and R5).
    pub fn budget(self) -> Option<Budget> {
        match self {
            Self::Dns | Self::Refused | Self::Unreachable | Self::TlsCutOff | Self::TimedOut(Limit::Connect) => {
                Some(Budget::ConnectionRetries)
            }
            Self::Reset
            | Self::Closed
            | Self::TimedOut(Limit::FirstByte | Limit::Write | Limit::Read)
            | Self::Integrity => Some(Budget::MaxRetries),
            Self::Certificate
            | Self::Tls
            | Self::Proxy
            | Self::Protocol
            | Self::TooLarge
            | Self::Payload
            | Self::Changed
            | Self::Url
            | Self::Deadline => None,
        }
    }

    /// A short name that does not change, for reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::TlsCutOff => "tls_cut_off",
            Self::Certificate => "certificate",
            Self::Tls => "tls",
            Self::Proxy => "proxy",
            Self::Reset => "reset",
            Self::Closed => "closed",
            Self::TimedOut(_) => "timed_out",
            Self::Protocol => "protocol",
            Self::TooLarge => "too_large",
            Self::Integrity => "integrity",
            Self::Payload => "payload",
            Self::Changed => "changed",
            Self::Url => "url",
            Self::Deadline => "deadline",
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Dns => "the host name could not be resolved",
            Self::Refused => "connection refused",
            Self::Unreachable => "no connection to the host",
            Self::TlsCutOff => "the connection broke off in the TLS handshake",
            Self::Certificate => "the server's certificate does not verify",
            Self::Tls => "TLS failed",
            Self::Proxy => "the proxy cannot be used",
            Self::Reset => "the connection was reset",
            Self::Closed => "the connection was closed before the whole answer was there",
            Self::TimedOut(Limit::Connect) => "connect_timeout ran out before there was a connection",
            Self::TimedOut(Limit::FirstByte) => "connect_timeout ran out before the first byte of the response",
            Self::TimedOut(Limit::Write) => "write_timeout ran out before the payload was sent",
            Self::TimedOut(Limit::Read) => "read_timeout ran out before the response was complete",
            Self::Protocol => "the answer is malformed",
            Self::TooLarge => "the answer is too large",
            Self::Integrity => "what arrived is not what was sent",
            Self::Payload => "the payload cannot be read",
            Self::Changed => "the file changed while it was sent",
            Self::Url => "the URL cannot be requested",
            Self::Deadline => "the deadline of the request passed",
        }
    }
}

impl StdError for Fault {
    /// The error behind the fault, if there is one.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

impl PartialEq for Fault {
    /// By kind and detail: an error behind it has no equality.
    fn eq(&self, other: &Self) -> bool {
        (self.kind, &self.detail) == (other.kind, &other.detail)
    }
}

impl Eq for Fault {}

impl Budget {
    /// The field of [`RequestsSettings`](encord_http_settings::RequestsSettings) that sets it.
    pub const fn field(self) -> &'static str {
        match self {
            Self::MaxRetries => "max_retries",
            Self::ConnectionRetries => "connection_retries",
        }
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

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.text())?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        Ok(())
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Outcome::Status(status) => write!(f, "{}", status.as_u16())?,
            Outcome::Fault(Fault { kind: kind @ FaultKind::TimedOut(limit), .. }) => {
                write!(f, "{} ({})", kind.as_str(), limit.field())?;
            }
            Outcome::Fault(fault) => f.write_str(fault.kind.as_str())?,
        }
        if !self.waited.is_zero() {
            write!(f, " after {:?}", self.waited)?;
        }
        Ok(())
    }
}
