//! A counter of payload bytes, for a display of progress.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the payload bytes that are sent, over all attempts of all requests that [use it](crate::Request::meter). Bytes that are
/// sent again count again.
#[derive(Debug, Default)]
pub struct Meter(AtomicU64);

impl Meter {
    /// Makes a meter at zero.
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Returns the number of bytes so far.
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}
