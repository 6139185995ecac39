//! Which file is to be sent next, and how many are on their way.

use crate::plan::units::Units;
use crate::record::Stage;

/// Files of units that are open at once, so that what is kept of them stays small. A unit of more files is open alone.
pub(crate) const MAX_OPEN_FILES: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Sends {
    /// The next unit that may have something to send.
    next_unit: u32,
    /// The unit whose files are being given out, and the next of them.
    within: Option<(u32, u32)>,
    /// Files given out of which nothing has been heard.
    under_way: usize,
}

impl Sends {
    /// The next file to be signed and sent, by unit and place.
    pub(crate) fn next(&mut self, units: &mut Units) -> Option<(u32, u32)> {
        self.advance(units);
        if self.within.is_none() && self.next_unit < units.len() {
            let unit = self.next_unit;
            if units.is_walked(unit) {
                let files = units.facts(unit).files as usize;
                if units.open_files > 0 && units.open_files + files > MAX_OPEN_FILES {
                    return None;
                }
                units.begin(unit);
            }
            self.within = Some((unit, 0));
            self.next_unit += 1;
            self.advance(units);
        }
        let (unit, file) = self.within?;
        self.within = Some((unit, file + 1));
        self.under_way += 1;
        Some((unit, file))
    }

    /// Passes over what has nothing to send.
    pub(crate) fn advance(&mut self, units: &Units) {
        if let Some((unit, from)) = self.within {
            let files = units.open(unit).map_or(&[][..], |open| &open.files);
            let place = (from as usize..files.len()).find(|place| !files[*place].sent);
            self.within = place.and_then(|place| u32::try_from(place).ok()).map(|file| (unit, file));
        }
        let has_some = |unit| units.is_walked(unit) || (units.open(unit).is_some() && !units.is_sent(unit));
        while self.within.is_none() && self.next_unit < units.len() && !has_some(self.next_unit) {
            self.next_unit += 1;
        }
    }

    /// Whether no file is on its way, and none will be.
    pub(crate) fn are_over(&self, units: &Units) -> bool {
        self.under_way == 0 && self.are_given_out(units)
    }

    /// Whether no file will be given out any more.
    pub(crate) fn are_given_out(&self, units: &Units) -> bool {
        self.within.is_none() && self.next_unit >= units.len()
    }

    /// Whether no file is on its way.
    pub(crate) fn are_idle(&self) -> bool {
        self.under_way == 0
    }

    /// The file was sent. `true` if that was the last of its unit.
    pub(crate) fn sent(&mut self, units: &mut Units, unit: u32, file: u32) -> bool {
        self.under_way = self.under_way.saturating_sub(1);
        units.sent(unit, file)
    }

    /// The file could not be sent, so its unit will never be registered.
    pub(crate) fn not_sent(&mut self, units: &mut Units, unit: u32, error: String) {
        self.under_way = self.under_way.saturating_sub(1);
        if units.open(unit).is_some() {
            units.failed(unit, Stage::Send, error);
        }
    }
}
