//! Which calls may be sent twice.

/// Whether a call may be sent twice (rules R4 and C1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// The call has no effect.
    Read,
    /// Sending it a second time changes nothing.
    Repeatable,
    /// The call creates something, so it is never sent twice. A failed connection may be retried, because nothing was sent.
    Once,
}
