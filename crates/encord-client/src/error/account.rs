//! Derives from the attempts whether the server may have acted.

use encord_http::{Attempt, Budget, FaultKind, Outcome};

use super::Effect;

/// Returns the strongest effect of all attempts.
///
/// An answer below 400 says that the server acted. If the call fails all the same, the effect is unknown.
pub(crate) fn effect_of(attempts: &[Attempt]) -> Effect {
    attempts.iter().map(|attempt| effect_of_outcome(&attempt.outcome)).max().unwrap_or_default()
}

fn effect_of_outcome(outcome: &Outcome) -> Effect {
    match outcome {
        // The server stopped waiting for the request, and may have acted on a part of it.
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
