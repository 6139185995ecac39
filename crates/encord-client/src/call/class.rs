//! What may be sent twice.

/// Whether a call may be sent twice (rules R4 and C1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Without effect.
    Read,
    /// A second time changes nothing.
    Repeatable,
    /// Makes something, so it is never sent twice. A connection that was not made may be tried again.
    Once,
}
