//! Whether the server can have acted, by the account of the attempts.

use encord_http::{Attempt, Budget, FaultKind, Outcome};

use super::Effect;

/// The most that one of the attempts can have done.
///
/// An answer below 400 says that the server acted, so a call that fails all the same has an unknown effect.
pub(crate) fn effect_of(attempts: &[Attempt]) -> Effect {
    attempts.iter().map(|attempt| effect_of_outcome(&attempt.outcome)).max().unwrap_or_default()
}

fn effect_of_outcome(outcome: &Outcome) -> Effect {
    match outcome {
        // The server gave up waiting for the request.
        Outcome::Status(status) if status.as_u16() == 408 => Effect::Unknown,
        Outcome::Status(status) if status.is_client_error() => Effect::Refused,
        Outcome::Status(_) => Effect::Unknown,
        Outcome::Fault(fault) => match fault.kind() {
            kind if kind.budget() == Some(Budget::ConnectionRetries) => Effect::NeverSent,
            FaultKind::Certificate | FaultKind::Tls | FaultKind::Proxy | FaultKind::Url => Effect::NeverSent,
            _ => Effect::Unknown,
        },
    }
}
