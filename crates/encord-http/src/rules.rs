//! The rules of the client as plain values and state machines. They do no I/O, and times are given to them.

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
