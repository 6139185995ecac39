//! The documented defaults, and the two limits that the schedule of waits is held to.

use core::time::Duration;

use crate::{BackoffFactor, Timeout};

/// Further attempts after the first: 3 (`DEFAULT_MAX_RETRIES` of encord 0.1.98 and 0.1.211).
pub const DEFAULT_MAX_RETRIES: u32 = 3;

/// The backoff factor: 1.5 (`DEFAULT_BACKOFF_FACTOR` of encord 0.1.98 and 0.1.211).
pub const DEFAULT_BACKOFF_FACTOR: BackoffFactor = match BackoffFactor::new(1.5) {
    Ok(factor) => factor,
    Err(_) => panic!("1.5 is finite"),
};

/// Further tries to get a connection: 3 (`DEFAULT_CONNECTION_RETRIES` of encord 0.1.98 and
/// 0.1.211).
pub const DEFAULT_CONNECTION_RETRIES: u32 = 3;

/// 180 s (`DEFAULT_CONNECT_TIMEOUT` of encord 0.1.98 and 0.1.211).
pub const DEFAULT_CONNECT_TIMEOUT: Timeout = DEFAULT_TIMEOUT;

/// 180 s (`DEFAULT_READ_TIMEOUT` of encord 0.1.98 and 0.1.211).
pub const DEFAULT_READ_TIMEOUT: Timeout = DEFAULT_TIMEOUT;

/// 180 s (`DEFAULT_WRITE_TIMEOUT` of encord 0.1.98 and 0.1.211).
pub const DEFAULT_WRITE_TIMEOUT: Timeout = DEFAULT_TIMEOUT;

/// The longest wait that a [`Backoff`](crate::Backoff) schedule gives unless the cap is lifted:
/// 120 s (contract rule R2; the same as `Retry.DEFAULT_BACKOFF_MAX` of urllib3 2).
pub const BACKOFF_CAP: Duration = Duration::from_secs(120);

/// The longest `Retry-After` that is obeyed unless another limit is set: 120 s (contract rule R6).
pub const RETRY_AFTER_LIMIT: Duration = Duration::from_secs(120);

const DEFAULT_TIMEOUT: Timeout = match Timeout::from_secs(180) {
    Ok(timeout) => timeout,
    Err(_) => panic!("180 is above 0"),
};
