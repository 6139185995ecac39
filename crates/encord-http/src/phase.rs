//! The phases of an attempt, the limits that bound them, and the two profiles that interpret the limits.

use std::fmt;

/// The phase that an attempt has reached. Phases follow each other in this order; some may be skipped.
///
/// Only an interim response (1xx) moves an attempt back to an earlier phase. It cannot be told from the response before its head
/// is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Before the network: the URL is checked and the payload is opened. No clock runs yet.
    Preparing,
    /// Waiting for a connection: DNS, TCP, proxy, TLS.
    Connecting,
    /// The connection is open; the payload is being sent.
    Sending,
    /// The payload is sent; no byte of the response has arrived.
    Waiting,
    /// The first byte of the response has arrived, the last one has not.
    Reading,
    /// The whole response has arrived.
    Done,
}

/// A limit of [`RequestsSettings`](encord_http_settings::RequestsSettings) that can expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// `connect_timeout`, while the connection is made (rule R7, first half).
    Connect,
    /// `connect_timeout`, from the connection to the first byte of the response (rule R7, second half).
    FirstByte,
    /// `write_timeout` (rule R8).
    Write,
    /// `read_timeout` (rule R9).
    Read,
}

/// How the limits are interpreted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Profile {
    /// For requests, as the SDK documents it: `write_timeout` bounds the whole payload, and the first byte of the response must
    /// arrive within `connect_timeout` after the connection was made.
    #[default]
    Total,
    /// For uploads, which take as long as the file needs. `write_timeout` bounds every period in which the payload makes no
    /// progress, and the first byte must arrive within `connect_timeout` after the payload was sent. The head of a 2xx answer is
    /// enough for success: its body is not kept (rule U11).
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
    /// The field of [`RequestsSettings`](encord_http_settings::RequestsSettings) that sets this limit.
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
