//! Chance that can be repeated.

use std::env;
use std::time::SystemTime;

/// Numbers from a seed. The seed is printed, which shows where a test fails; `ENCORD_TESTS_SEED` gives it back.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new() -> Self {
        let given = env::var("ENCORD_TESTS_SEED").ok().map(|seed| seed.parse().unwrap());
        let now = || SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() & 0xffff_ffff;
        let seed = given.unwrap_or_else(|| u64::try_from(now()).unwrap());
        eprintln!("ENCORD_TESTS_SEED={seed}");
        Self(seed)
    }

    /// At least `from`, less than `to`.
    pub(crate) fn between(&mut self, from: usize, to: usize) -> usize {
        self.0 = self.0.wrapping_add(1);
        let bytes = super::noise(self.0, 8).try_into().unwrap();
        from + usize::try_from(u64::from_le_bytes(bytes) % (to - from) as u64).unwrap()
    }
}
