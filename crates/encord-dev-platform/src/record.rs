//! What became of each request, for tests and for the log of the command.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use http::Method;

use crate::faults::Fault;
use crate::operation::Operation;

/// A request that is over. It has no header, so no signature and no token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestRecord {
    /// When its head had been read.
    pub at: SystemTime,
    /// The method.
    pub method: Method,
    /// Path and query, as they came.
    pub target: String,
    /// The trace id of the client, if it sent one.
    pub trace: Option<String>,
    /// What it asked for; `None` where that is not known.
    pub operation: Option<Operation>,
    /// The size of its body.
    pub bytes: usize,
    /// The planned fault, if it had one.
    pub fault: Option<Fault>,
    /// What it came to.
    pub outcome: Outcome,
    /// Why it was refused.
    pub error: Option<String>,
}

/// What a request came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Answered with this status.
    Answered(u16),
    /// The connection was reset, as planned.
    Reset,
    /// The client went away before there was an answer.
    Abandoned,
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

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(status) => write!(f, "{status}"),
            Self::Reset => f.write_str("reset"),
            Self::Abandoned => f.write_str("abandoned"),
        }
    }
}

pub(crate) type Listener = Arc<dyn Fn(&RequestRecord) + Send + Sync>;

/// The latest records, at most so many, and a count of all by operation.
pub(crate) struct Log {
    kept: Mutex<Kept>,
    limit: usize,
    listener: Option<Listener>,
}

#[derive(Default)]
struct Kept {
    records: VecDeque<RequestRecord>,
    counts: BTreeMap<Operation, usize>,
}

impl Log {
    pub(crate) fn new(limit: usize, listener: Option<Listener>) -> Self {
        Self { kept: Mutex::default(), limit, listener }
    }

    pub(crate) fn all(&self) -> Vec<RequestRecord> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).records.iter().cloned().collect()
    }

    pub(crate) fn counts(&self) -> BTreeMap<Operation, usize> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).counts.clone()
    }

    /// Counts a request whose operation is known; it is under way.
    pub(crate) fn count(&self, operation: Operation) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner).counts.entry(operation).or_default() += 1;
    }

    fn add(&self, record: RequestRecord) {
        if let Some(listener) = &self.listener {
            listener(&record);
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.records.push_back(record);
        while kept.records.len() > self.limit {
            kept.records.pop_front();
        }
    }
}

/// The record of a request that is under way; added to the log when it is dropped, whatever dropped it.
pub(crate) struct Entry {
    log: Arc<Log>,
    pub(crate) record: RequestRecord,
}

impl Entry {
    pub(crate) fn new(log: Arc<Log>, at: SystemTime, method: Method, target: String) -> Self {
        let record = RequestRecord {
            at,
            method,
            target,
            trace: None,
            operation: None,
            bytes: 0,
            fault: None,
            outcome: Outcome::Abandoned,
            error: None,
        };
        Self { log, record }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.log.add(self.record.clone());
    }
}
