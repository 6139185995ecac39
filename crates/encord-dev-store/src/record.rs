//! Records of requests, for tests, demos and the log of the command. `encord-dev-platform` keeps its own records in the same
//! [`Log`].

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use http::Method;

use crate::faults::Fault;

/// A request that has ended. It does not contain the query, which has the signature.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RequestRecord {
    /// When its head was read.
    pub at: SystemTime,
    /// The method.
    pub method: Method,
    /// The path without the leading slash, percent-decoded: bucket, slash, name of the object.
    pub path: String,
    /// How many bytes of the body were read.
    pub bytes: u64,
    /// The planned fault, if it had one.
    pub fault: Option<Fault>,
    /// The outcome.
    pub outcome: Outcome,
    /// Why the signature was refused, or why the store itself failed.
    pub error: Option<String>,
}

/// The outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The server answered with this status.
    Answered(u16),
    /// The connection was reset, as planned.
    Reset,
    /// The client went away before there was an answer.
    Abandoned,
}

impl RequestRecord {
    pub(crate) fn new(at: SystemTime, method: Method, path: String) -> Self {
        Self { at, method, path, bytes: 0, fault: None, outcome: Outcome::Abandoned, error: None }
    }

    /// The name of the object, without its bucket.
    pub fn object(&self) -> Option<&str> {
        let (_, key) = self.path.split_once('/')?;
        (!key.is_empty()).then_some(key)
    }
}

/// `PUT dev/cat.jpg 503 (12 bytes, fault 503)`, `PUT dev/cat.jpg 403 (0 bytes): the request has no signature`.
impl fmt::Display for RequestRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at: _, method, path, bytes, fault, outcome, error } = self;
        write!(f, "{method} {} {outcome} ({bytes} bytes", path.escape_debug())?;
        if let Some(fault) = fault {
            write!(f, ", fault {fault}")?;
        }
        f.write_str(")")?;
        error.iter().try_for_each(|error| write!(f, ": {error}"))
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

/// A function that is called with each record.
pub type Listener<R> = Arc<dyn Fn(&R) + Send + Sync>;

/// The latest records, up to a limit.
pub struct Log<R> {
    records: Mutex<VecDeque<R>>,
    limit: usize,
    listener: Option<Listener<R>>,
}

impl<R: Clone> Log<R> {
    /// Makes an empty log that keeps at most `limit` records.
    pub fn new(limit: usize, listener: Option<Listener<R>>) -> Self {
        Self { records: Mutex::default(), limit, listener }
    }

    /// Returns the records, the oldest first.
    pub fn all(&self) -> Vec<R> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn add(&self, record: R) {
        if let Some(listener) = &self.listener {
            listener(&record);
        }
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.push_back(record);
        while records.len() > self.limit {
            records.pop_front();
        }
    }
}

/// The record of a request that is being handled. Dropping it adds the record to the log.
pub struct PendingRecord<R: Clone> {
    log: Arc<Log<R>>,
    /// The record as it is now.
    pub record: R,
}

impl<R: Clone> PendingRecord<R> {
    /// Starts with this record, for this log.
    pub fn new(log: Arc<Log<R>>, record: R) -> Self {
        Self { log, record }
    }
}

impl<R: Clone> Drop for PendingRecord<R> {
    fn drop(&mut self) {
        self.log.add(self.record.clone());
    }
}

impl<R> fmt::Debug for Log<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl<R: Clone + fmt::Debug> fmt::Debug for PendingRecord<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.record.fmt(f)
    }
}
