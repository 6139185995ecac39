//! A count of payload bytes, for whoever shows progress.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts payload bytes as they are handed over for sending, over all attempts of all requests that
/// [have it](crate::Request::meter). What is sent again counts again.
#[derive(Debug, Default)]
pub struct Meter(AtomicU64);

impl Meter {
    /// A meter at zero.
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// How many bytes so far.
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}
