//! After which step a run is killed, and in which order things happen that have none.

use proptest::test_runner::TestRng;

/// The run was killed.
#[derive(Debug)]
pub(crate) struct Killed;

#[derive(Debug, Default)]
pub(crate) struct Steps {
    taken: usize,
    kill_after: Option<usize>,
    /// Without: what came first is first.
    chance: Option<TestRng>,
}

impl Steps {
    pub(crate) fn killed_after(step: Option<usize>) -> Self {
        Self { kill_after: step, ..Self::default() }
    }

    pub(crate) fn at_random(self, chance: TestRng) -> Self {
        Self { chance: Some(chance), ..self }
    }

    pub(crate) fn taken(&self) -> usize {
        self.taken
    }

    pub(crate) fn step(&mut self) -> Result<(), Killed> {
        self.taken += 1;
        if self.kill_after == Some(self.taken) { Err(Killed) } else { Ok(()) }
    }

    /// One of so many things, if there is one.
    pub(crate) fn choose(&mut self, of: usize) -> Option<usize> {
        use proptest::prelude::Rng;
        let chance = self.chance.as_mut().map_or(0, Rng::next_u32);
        (of > 0).then(|| chance as usize % of)
    }

    pub(crate) fn chance(&mut self) -> bool {
        self.choose(3) == Some(2)
    }
}
