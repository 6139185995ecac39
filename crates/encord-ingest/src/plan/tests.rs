//! The plan against a model of the platform: every switch, and a kill after every step.

mod kills;
mod platform;
pub(crate) mod run;

use proptest::test_runner::TestRng;

use crate::record::Record;
use crate::replay::Replay;

/// A disk that remembers what was synced.
#[derive(Debug, Default, Clone)]
pub(crate) struct Disk {
    pub(crate) records: Vec<Record>,
    synced: usize,
}

impl Disk {
    pub(crate) fn sync(&mut self) {
        self.synced = self.records.len();
    }

    /// The power goes: half of what was not synced is gone.
    pub(crate) fn lose_power(&mut self) {
        let kept = self.synced + (self.records.len() - self.synced) / 2;
        self.records.truncate(kept);
    }

    pub(crate) fn replay(&self) -> Replay {
        let mut replay = Replay::default();
        for (at, record) in self.records.iter().enumerate() {
            replay.record(record.clone()).unwrap_or_else(|| panic!("line {at} of {:#?}", self.records));
        }
        replay
    }

    /// The same, by way of the text.
    pub(crate) fn read_back(&self) {
        let mut replay = Replay::default();
        let mut text = Vec::new();
        self.records.iter().for_each(|record| record.write(&mut text));
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            replay.line(line).unwrap_or_else(|error| panic!("{}: {error}", String::from_utf8_lossy(line)));
        }
        assert_eq!(format!("{replay:?}").len(), format!("{:?}", self.replay()).len());
    }
}

/// The run was killed.
#[derive(Debug)]
pub(crate) struct Killed;

/// After which step a run is killed, and in which order things happen that have none.
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
