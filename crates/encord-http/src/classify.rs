//! What an error of hyper's means.

use std::error::Error as StdError;
use std::io;

use crate::attempt::{Fault, FaultKind};
use crate::connector::{ConnectError, chain, chain_text};
use crate::payload::PayloadError;
use crate::tls;

/// The fault behind an error, which stays its source.
pub(crate) fn classify(error: impl StdError + Send + Sync + 'static) -> Fault {
    let fault = find(&error);
    if fault.source().is_some() { fault } else { fault.with_source(error) }
}

fn find(error: &(dyn StdError + 'static)) -> Fault {
    // In TLS 1.3 a server judges the client's certificate after the handshake, when hyper may already have taken the request
    // back: what it makes of that comes before the cause in the chain.
    if let Some(tls) = chain(error).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        return tls::fault(tls);
    }
    for cause in chain(error) {
        if let Some(ConnectError(fault)) = cause.downcast_ref() {
            return fault.clone();
        }
        if let Some(payload) = cause.downcast_ref::<PayloadError>() {
            return Fault::new(payload.kind(), payload.to_string());
        }
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            use io::ErrorKind::{
                BrokenPipe, ConnectionAborted, ConnectionReset, HostUnreachable, NetworkDown, NetworkUnreachable,
                TimedOut, UnexpectedEof,
            };
            match io.kind() {
                BrokenPipe | ConnectionAborted | ConnectionReset | TimedOut => return Fault::new(FaultKind::Reset, ""),
                HostUnreachable | NetworkDown | NetworkUnreachable => {
                    return Fault::new(FaultKind::Reset, io.to_string());
                }
                UnexpectedEof => return Fault::new(FaultKind::Closed, ""),
                _ => {}
            }
        }
        if let Some(hyper) = cause.downcast_ref::<hyper::Error>() {
            if hyper.is_incomplete_message() || hyper.is_canceled() || hyper.is_closed() {
                return Fault::new(FaultKind::Closed, "");
            }
            // `is_parse_too_large` exists for servers only.
            if hyper.is_parse() && hyper.to_string() == "message head is too large" {
                return Fault::new(FaultKind::TooLarge, "a head of more than 64 KiB or 100 lines");
            }
            if hyper.is_parse() {
                return Fault::new(FaultKind::Protocol, hyper.to_string());
            }
        }
    }
    Fault::new(FaultKind::Protocol, chain_text(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r5_a_network_that_goes_away_is_a_reset() {
        use io::ErrorKind::{
            BrokenPipe, ConnectionAborted, ConnectionReset, HostUnreachable, InvalidData, NetworkDown,
            NetworkUnreachable, TimedOut, UnexpectedEof,
        };
        let kinds = |error: io::ErrorKind| {
            let error = io::Error::from(error);
            (tls::classify(&error).kind(), find(&error).kind())
        };
        for error in
            [BrokenPipe, ConnectionAborted, ConnectionReset, HostUnreachable, NetworkDown, NetworkUnreachable, TimedOut]
        {
            assert_eq!(kinds(error), (FaultKind::TlsCutOff, FaultKind::Reset), "{error}");
        }
        assert_eq!(kinds(UnexpectedEof), (FaultKind::TlsCutOff, FaultKind::Closed));
        assert_eq!(kinds(InvalidData), (FaultKind::Tls, FaultKind::Protocol));
    }
}
