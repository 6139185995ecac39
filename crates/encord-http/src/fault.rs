//! Faults: why an attempt got no complete answer.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::phase::Limit;

/// Why an attempt got no complete answer.
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
    /// TCP could not connect: no route, network down, no free local address, or another error.
    Unreachable,
    /// The connection broke off in the TLS handshake.
    TlsCutOff,
    /// The server's certificate does not verify.
    Certificate,
    /// TLS failed in another way: no common version, an alert.
    Tls,
    /// The proxy cannot be used: it refuses the client, or its URL is not valid.
    Proxy,
    /// The peer reset the connection.
    Reset,
    /// The peer closed the connection before the answer was complete.
    Closed,
    /// A limit of the settings expired.
    TimedOut(Limit),
    /// The answer is malformed: not HTTP/1.1, or broken gzip.
    Protocol,
    /// The answer's head or body is longer than the client accepts.
    TooLarge,
    /// The data that arrived is not the data that was sent. Only a caller can find this: see
    /// [`Attempts::reject`](crate::Attempts::reject).
    Integrity,
    /// The payload cannot be read: a missing file, a directory, no permission.
    Payload,
    /// The payload cannot be read at this moment: a stale handle of a network file system, a read error, no descriptor left.
    PayloadBusy,
    /// The file shrank, grew or was changed while it was sent. Its last piece was not sent, so no server has the complete file.
    Changed,
    /// This machine cannot make a connection at this moment: no descriptor left, its trust store cannot be read.
    Local,
    /// The URL cannot be requested.
    Url,
    /// The deadline of the request passed.
    Deadline,
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

    /// Makes a fault of the kind [`FaultKind::Integrity`]. The detail is shown to users; it says how the difference was found.
    pub fn integrity(detail: impl Into<Box<str>>) -> Self {
        Self::new(FaultKind::Integrity, detail)
    }

    /// What kind of fault it is.
    pub fn kind(&self) -> FaultKind {
        self.kind
    }

    /// More detail than the kind gives, such as the message of the operating system. May be empty.
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl FaultKind {
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
            Self::PayloadBusy => "payload_busy",
            Self::Local => "local",
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
            Self::Closed => "the connection was closed before the answer was complete",
            Self::TimedOut(Limit::Connect) => "connect_timeout ran out before there was a connection",
            Self::TimedOut(Limit::FirstByte) => "connect_timeout ran out before the first byte of the response",
            Self::TimedOut(Limit::Write) => "write_timeout ran out before the payload was sent",
            Self::TimedOut(Limit::Read) => "read_timeout ran out before the response was complete",
            Self::Protocol => "the answer is malformed",
            Self::TooLarge => "the answer is too large",
            Self::Integrity => "the server does not have the data that was sent",
            Self::Payload => "the payload cannot be read",
            Self::PayloadBusy => "the payload cannot be read now",
            Self::Local => "this machine cannot connect now",
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
    /// Compares kind and detail only, because the error behind a fault has no equality.
    fn eq(&self, other: &Self) -> bool {
        (self.kind, &self.detail) == (other.kind, &other.detail)
    }
}

impl Eq for Fault {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.text())?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        Ok(())
    }
}
