//! Turns the errors of the operating system, of TLS and of hyper into faults. No other module does this.

use std::error::Error as StdError;
use std::io::{self, ErrorKind};

use crate::fault::{Fault, FaultKind};
use crate::rules::tls;

/// The step during which an error happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum During {
    /// TCP's connect.
    Connecting,
    /// The TLS handshake.
    Handshake,
    /// The request or its response.
    Exchange,
}

/// Returns the fault of an error. The error becomes the source of the fault.
pub(crate) fn classify(error: impl StdError + Send + Sync + 'static, during: During) -> Fault {
    let fault = find(&error, during);
    if fault.source().is_some() { fault } else { fault.with_source(error) }
}

fn find(error: &(dyn StdError + 'static), during: During) -> Fault {
    // In TLS 1.3 a server checks the client's certificate after the handshake. hyper may already have given the request back
    // then, and its own error comes before the cause in the chain.
    if let Some(error) = chain(error).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        return tls::fault(error);
    }
    let known = chain(error).find_map(|cause| {
        let by_type = cause.downcast_ref::<Fault>().cloned();
        let by_type = by_type.or_else(|| cause.downcast_ref::<io::Error>().and_then(|e| of_io(e, during)));
        by_type.or_else(|| cause.downcast_ref::<hyper::Error>().and_then(of_hyper))
    });
    known.unwrap_or_else(|| {
        let kind = match during {
            During::Connecting => FaultKind::Unreachable,
            During::Handshake => FaultKind::Tls,
            During::Exchange => FaultKind::Protocol,
        };
        Fault::new(kind, chain_text(error))
    })
}

/// Returns the fault of an error of the operating system, if its kind tells enough.
fn of_io(error: &io::Error, during: During) -> Option<Fault> {
    use ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable, NetworkDown,
        NetworkUnreachable, TimedOut, UnexpectedEof,
    };
    if is_short_of_descriptors(error) {
        return Some(Fault::new(FaultKind::Local, NO_DESCRIPTOR));
    }
    // The inner error of an error that wraps one says more.
    if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>() || inner.is::<Fault>()) {
        return None;
    }
    let (kind, detail) = match (during, error.kind()) {
        (During::Connecting, ConnectionRefused) => (FaultKind::Refused, String::new()),
        (During::Connecting, _) => (FaultKind::Unreachable, error.to_string()),
        (During::Handshake, BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof) => {
            (FaultKind::TlsCutOff, String::new())
        }
        (During::Handshake, HostUnreachable | NetworkDown | NetworkUnreachable | TimedOut) => {
            (FaultKind::TlsCutOff, error.to_string())
        }
        (During::Exchange, BrokenPipe | ConnectionAborted | ConnectionReset | TimedOut) => {
            (FaultKind::Reset, String::new())
        }
        (During::Exchange, HostUnreachable | NetworkDown | NetworkUnreachable) => (FaultKind::Reset, error.to_string()),
        (During::Exchange, UnexpectedEof) => (FaultKind::Closed, String::new()),
        _ => return None,
    };
    Some(Fault::new(kind, detail))
}

fn of_hyper(error: &hyper::Error) -> Option<Fault> {
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return Some(Fault::new(FaultKind::Closed, ""));
    }
    // `is_parse_too_large` exists for servers only.
    if error.is_parse() && error.to_string() == "message head is too large" {
        return Some(Fault::new(FaultKind::TooLarge, ""));
    }
    // RFC 9112 §9.2. hyper's own text is "received unexpected message from connection".
    if error.to_string().contains("unexpected message") {
        return Some(Fault::new(FaultKind::Protocol, "the answer came before the request was sent"));
    }
    error.is_parse().then(|| Fault::new(FaultKind::Protocol, error.to_string()))
}

const NO_DESCRIPTOR: &str = "no file descriptor is left (see ulimit -n)";

/// Whether the process or the system has reached its limit of open files and connections.
pub(crate) fn is_short_of_descriptors(error: &io::Error) -> bool {
    // `ErrorKind` has no variant for these two.
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    cfg!(unix) && matches!(error.raw_os_error(), Some(ENFILE | EMFILE))
}

/// Whether the cause of a fault is that no file descriptor was left.
pub(crate) fn lacked_descriptor(fault: &Fault) -> bool {
    fault.source().and_then(|e| e.downcast_ref()).is_some_and(is_short_of_descriptors)
}

/// Returns the fault of a payload whose file could not be read (rule R5).
pub(crate) fn of_file(error: io::Error) -> Fault {
    const EIO: i32 = 5;
    let may_pass = match error.kind() {
        // EAGAIN is WouldBlock, ESTALE is StaleNetworkFileHandle.
        ErrorKind::StaleNetworkFileHandle
        | ErrorKind::WouldBlock
        | ErrorKind::Interrupted
        | ErrorKind::TimedOut
        | ErrorKind::OutOfMemory
        | ErrorKind::ResourceBusy => true,
        _ => is_short_of_descriptors(&error) || (cfg!(unix) && error.raw_os_error() == Some(EIO)),
    };
    let kind = if may_pass { FaultKind::PayloadBusy } else { FaultKind::Payload };
    let detail = if is_short_of_descriptors(&error) { NO_DESCRIPTOR.to_owned() } else { error.to_string() };
    Fault::new(kind, detail).with_source(error)
}

/// Returns an error and its causes. The `source` of an `io::Error` that wraps another error skips the wrapped error, so the
/// wrapped error is looked up here.
fn chain<'e>(error: &'e (dyn StdError + 'static)) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    fn cause<'e>(error: &&'e (dyn StdError + 'static)) -> Option<&'e (dyn StdError + 'static)> {
        let error: &'e (dyn StdError + 'static) = *error;
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    }
    std::iter::successors(Some(error), cause)
}

/// Returns the texts of an error and its causes, without texts that repeat the previous one.
pub(crate) fn chain_text(error: &(dyn StdError + 'static)) -> String {
    let mut text = String::new();
    for cause in chain(error) {
        let cause = cause.to_string();
        if !text.ends_with(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r3_r5_what_errors_of_the_system_mean() {
        use ErrorKind::{
            BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable, InvalidData,
            NetworkDown, NetworkUnreachable, TimedOut, UnexpectedEof,
        };
        use FaultKind::{Closed, Local, Protocol, Refused, Reset, Tls, TlsCutOff, Unreachable};
        let kinds = |error: io::Error| {
            [During::Connecting, During::Handshake, During::Exchange].map(|during| find(&error, during).kind())
        };
        for error in
            [BrokenPipe, ConnectionAborted, ConnectionReset, HostUnreachable, NetworkDown, NetworkUnreachable, TimedOut]
        {
            assert_eq!(kinds(error.into()), [Unreachable, TlsCutOff, Reset], "{error}");
        }
        assert_eq!(kinds(UnexpectedEof.into()), [Unreachable, TlsCutOff, Closed]);
        assert_eq!(kinds(ConnectionRefused.into())[0], Refused);
        assert_eq!(kinds(InvalidData.into()), [Unreachable, Tls, Protocol]);
        #[cfg(unix)]
        for short in [23, 24] {
            assert_eq!(kinds(io::Error::from_raw_os_error(short)), [Local; 3]);
        }
    }

    #[cfg(unix)]
    #[test]
    fn r5_which_errors_of_files_may_pass() {
        #[track_caller]
        fn check(errno: i32, expected: FaultKind) {
            assert_eq!(of_file(io::Error::from_raw_os_error(errno)).kind(), expected, "{errno}");
        }
        let eagain = if cfg!(target_os = "linux") { 11 } else { 35 };
        let estale = if cfg!(target_os = "linux") { 116 } else { 70 };
        for errno in [estale, 5, eagain, 24, 23] {
            check(errno, FaultKind::PayloadBusy);
        }
        // ENOENT, EACCES, EISDIR
        for errno in [2, 13, 21] {
            check(errno, FaultKind::Payload);
        }
    }
}
