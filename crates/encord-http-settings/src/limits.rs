//! The two limits of the waits between attempts.

use core::time::Duration;

/// The longest wait that a [`Backoff`](crate::Backoff) schedule gives, unless the cap is lifted: 120 s (rule R2).
///
/// It is the same as `Retry.DEFAULT_BACKOFF_MAX` of urllib3 2.
pub const BACKOFF_CAP: Duration = Duration::from_secs(120);

/// The longest `Retry-After` that is obeyed, unless another limit is set: 120 s (rule R6).
pub const RETRY_AFTER_LIMIT: Duration = Duration::from_secs(120);
