//! The records of requests, for tests, demos and the log of the command.

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
    /// When its head had been read.
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
    /// The error of the signature, or of the store itself.
    pub error: Option<String>,
}

/// The outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The store answered with this status.
    Answered(u16),
    /// The connection was reset, as planned.
    Reset,
    /// The client went away before there was an answer.
    Abandoned,
}

impl RequestRecord {
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

pub(crate) type Listener = Arc<dyn Fn(&RequestRecord) + Send + Sync>;

/// The latest records, up to a limit.
pub(crate) struct Log {
    records: Mutex<VecDeque<RequestRecord>>,
    limit: usize,
    listener: Option<Listener>,
}

impl Log {
    pub(crate) fn new(limit: usize, listener: Option<Listener>) -> Self {
        Self { records: Mutex::default(), limit, listener }
    }

    pub(crate) fn all(&self) -> Vec<RequestRecord> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    pub(crate) fn add(&self, record: RequestRecord) {
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

/// The record of a request under way. It is added to the log when it is dropped, for any reason.
pub(crate) struct Entry {
    log: Arc<Log>,
    record: Option<RequestRecord>,
}

impl Entry {
    pub(crate) fn new(log: Arc<Log>, at: SystemTime, method: Method, path: String) -> Self {
        let outcome = Outcome::Abandoned;
        let record = RequestRecord { at, method, path, bytes: 0, fault: None, outcome, error: None };
        Self { log, record: Some(record) }
    }

    pub(crate) fn update(&mut self, update: impl FnOnce(&mut RequestRecord)) {
        if let Some(record) = &mut self.record {
            update(record);
        }
    }

    pub(crate) fn end(mut self, outcome: Outcome) {
        self.update(|record| record.outcome = outcome);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(record) = self.record.take() {
            self.log.add(record);
        }
    }
}
