//! The decisions: plain values and state machines on explicit times, without I/O.

pub(crate) mod classify;
pub(crate) mod clock;
pub(crate) mod exceptions;
pub(crate) mod ledger;
pub(crate) mod readable;
pub(crate) mod reason;
pub(crate) mod redirect;
pub(crate) mod retry_after;
pub(crate) mod retryable;
pub(crate) mod tls;
