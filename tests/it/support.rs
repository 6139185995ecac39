//! Shared by the tests against real peers.

pub(crate) mod authority;
pub(crate) mod chance;
pub(crate) mod daemon;
pub(crate) mod encord;
pub(crate) mod ingest;
pub(crate) mod journal;
pub(crate) mod nginx;
pub(crate) mod standstill;

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
