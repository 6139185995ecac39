//! The phases of an attempt, the limits that bound them, and how the limits are read.

use std::fmt;

/// Where an attempt stands. Phases follow each other in this order; some may be skipped.
///
/// Only an interim response (1xx) leads back: it looks like the response until its head is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Before the network, when no clock runs yet: the URL is checked, the payload opened.
    Preparing,
    /// Waiting for a connection: DNS, TCP, proxy, TLS.
    Connecting,
    /// The connection is there; the payload is on its way to the network.
    Sending,
    /// The payload is sent; nothing of the response has come.
    Waiting,
    /// The first byte of the response has come, the last one has not.
    Reading,
    /// The whole response is there.
    Done,
}

/// A limit of [`RequestsSettings`](encord_http_settings::RequestsSettings) that can run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// `connect_timeout`, on the way to a connection (rule R7, first half).
    Connect,
    /// `connect_timeout`, from the connection to the first byte of the response (rule R7, second half).
    FirstByte,
    /// `write_timeout` (rule R8).
    Write,
    /// `read_timeout` (rule R9).
    Read,
}

/// How the limits are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Profile {
    /// As documented: `write_timeout` bounds the whole payload, and the first byte of the response is due `connect_timeout`
    /// after the connection was there. For requests.
    #[default]
    Total,
    /// For uploads, which take as long as the file needs. `write_timeout` bounds every period in which the payload makes no
    /// progress, and the first byte is due `connect_timeout` after the payload was sent. The head of a 2xx answer decides: its body
    /// is not kept (rule U11).
    Stall,
}

impl Phase {
    /// The phase's name in reports: `preparing`, `connecting`, `sending`, `waiting`, `reading`, `done`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Connecting => "connecting",
            Self::Sending => "sending",
            Self::Waiting => "waiting",
            Self::Reading => "reading",
            Self::Done => "done",
        }
    }
}

impl Limit {
    /// The field of [`RequestsSettings`](encord_http_settings::RequestsSettings) that sets it.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Connect | Self::FirstByte => "connect_timeout",
            Self::Write => "write_timeout",
            Self::Read => "read_timeout",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_reports_and_of_the_settings() {
        use Phase::{Connecting, Done, Preparing, Reading, Sending, Waiting};
        let phases = [Preparing, Connecting, Sending, Waiting, Reading, Done].map(|phase| format!("{phase:<10}|"));
        assert_eq!(phases, ["preparing |", "connecting|", "sending   |", "waiting   |", "reading   |", "done      |"]);
        let fields = [Limit::Connect, Limit::FirstByte, Limit::Write, Limit::Read].map(Limit::field);
        assert_eq!(fields, ["connect_timeout", "connect_timeout", "write_timeout", "read_timeout"]);
    }
}
