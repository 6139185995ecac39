//! Shared by the tests against real peers.

pub(crate) mod authority;
pub(crate) mod chance;
pub(crate) mod daemon;
pub(crate) mod encord;
pub(crate) mod ingest;
pub(crate) mod journal;
pub(crate) mod nginx;
pub(crate) mod standstill;

use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

/// Every event takes less, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until something is so. A failure tells `what` and the text of `tell`.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool, tell: impl Fn() -> String) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}\n{}", tell());
        thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until something is so. Fails if the child process ends before.
#[track_caller]
pub(crate) fn until_running(child: &mut Child, what: &str, mut is_so: impl FnMut() -> bool) {
    let mut ended = None;
    let is_over = || {
        is_so() || {
            ended = child.try_wait().unwrap();
            ended.is_some()
        }
    };
    until(what, is_over, String::new);
    assert_eq!(ended, None, "{what}: the process ended before");
}

/// Bytes that repeat nowhere near, so that a piece lost, doubled or out of place shows; the same for the same `seed`.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let words = std::iter::repeat_with(|| {
        // SplitMix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).to_le_bytes()
    });
    let mut bytes: Vec<u8> = words.take(length.div_ceil(8)).flatten().collect();
    bytes.truncate(length);
    bytes
}
