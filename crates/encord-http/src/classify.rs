//! What an error of hyper's means.

use std::error::Error as StdError;
use std::io;

use crate::attempt::{Fault, FaultKind};
use crate::connector::{ConnectError, chain, chain_text};
use crate::payload::PayloadError;

/// The fault behind an error, which stays its source.
pub(crate) fn classify(error: impl StdError + Send + Sync + 'static) -> Fault {
    let fault = find(&error);
    if fault.source().is_some() { fault } else { fault.with_source(error) }
}

fn find(error: &(dyn StdError + 'static)) -> Fault {
    for cause in chain(error) {
        if let Some(ConnectError(fault)) = cause.downcast_ref() {
            return fault.clone();
        }
        if let Some(payload) = cause.downcast_ref::<PayloadError>() {
            return Fault::new(FaultKind::Payload, payload.to_string());
        }
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, TimedOut, UnexpectedEof};
            match io.kind() {
                BrokenPipe | ConnectionAborted | ConnectionReset | TimedOut => return Fault::new(FaultKind::Reset, ""),
                UnexpectedEof => return Fault::new(FaultKind::Closed, ""),
                _ => {}
            }
        }
        if let Some(hyper) = cause.downcast_ref::<hyper::Error>() {
            if hyper.is_incomplete_message() || hyper.is_canceled() || hyper.is_closed() {
                return Fault::new(FaultKind::Closed, "");
            }
            if hyper.is_parse() {
                return Fault::new(FaultKind::Protocol, hyper.to_string());
            }
        }
    }
    Fault::new(FaultKind::Protocol, chain_text(error))
}
