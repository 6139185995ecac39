//! Records of requests, for tests and for the log of the command.

use std::fmt;
use std::time::SystemTime;

use encord_dev_store::Outcome;
use http::Method;

use crate::faults::Fault;
use crate::operation::Operation;

/// A request that has ended. It contains no header, so no signature and no token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestRecord {
    /// When its head was read.
    pub at: SystemTime,
    /// The method.
    pub method: Method,
    /// Path and query, as the client sent them.
    pub target: String,
    /// The trace id of the client, if it sent one.
    pub trace: Option<String>,
    /// The operation; `None` if the request was refused before it was known.
    pub operation: Option<Operation>,
    /// The size of its body.
    pub bytes: usize,
    /// The planned fault, if it had one.
    pub fault: Option<Fault>,
    /// The outcome.
    pub outcome: Outcome,
    /// Why it was refused.
    pub error: Option<String>,
}

/// `start-job 200 (1243 bytes)`, `get-job reset (0 bytes, fault reset-after)`, `create-folder 403 (12 bytes): no way`.
impl fmt::Display for RequestRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at: _, method, target, trace: _, operation, bytes, fault, outcome, error } = self;
        match operation {
            Some(operation) => write!(f, "{operation}")?,
            None => write!(f, "{method} {}", target.escape_debug())?,
        }
        write!(f, " {outcome} ({bytes} bytes")?;
        if let Some(fault) = fault {
            write!(f, ", fault {fault}")?;
        }
        f.write_str(")")?;
        error.iter().try_for_each(|error| write!(f, ": {}", error.escape_debug()))
    }
}

impl RequestRecord {
    pub(crate) fn new(at: SystemTime, method: Method, target: String) -> Self {
        Self {
            at,
            method,
            target,
            trace: None,
            operation: None,
            bytes: 0,
            fault: None,
            outcome: Outcome::Abandoned,
            error: None,
        }
    }
}
