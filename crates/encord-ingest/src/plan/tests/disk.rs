//! A disk that remembers what was synced.

use crate::record::Record;
use crate::replay::Replay;

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
