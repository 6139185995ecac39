//! Which file is to be sent next, and how many are on their way.

use std::time::Duration;

use crate::plan::command::Stop;
use crate::plan::units::Units;
use crate::record::Stage;

/// Files of units that are open at once, so that what is kept of them stays small. A unit of more files is open alone.
pub(crate) const MAX_OPEN_FILES: usize = 10_000;

/// After so many files for which the store could not be had, and no file that began after them was sent, it is not the files that are
/// bad.
const MAX_OUTAGES: usize = 20;

#[derive(Debug, Default)]
pub(crate) struct Sends {
    /// The next unit that may have something to send.
    next_unit: u32,
    /// The unit whose files are being given out, and the next of them.
    within: Option<(u32, u32)>,
    /// Files given out of which nothing has been heard.
    under_way: usize,
    /// Units for which the store could not be had, and when. They fail once a file is sent whose upload began later: one that was
    /// under way by then says nothing of the time after.
    outages: Vec<(u32, String, Duration)>,
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
    pub(crate) fn sent(&mut self, units: &mut Units, unit: u32, file: u32, began: Duration) -> bool {
        self.under_way = self.under_way.saturating_sub(1);
        let was_last = units.sent(unit, file);
        self.fail_outages(units, began);
        was_last
    }

    /// The file could not be sent, so its unit will never be registered. `outage`: unless the store cannot be had at all.
    pub(crate) fn not_sent(&mut self, units: &mut Units, unit: u32, outage: Option<Duration>, error: String) {
        self.under_way = self.under_way.saturating_sub(1);
        match outage {
            None => fail(units, unit, error),
            Some(at) if self.outages.len() < MAX_OUTAGES => self.outages.push((unit, error, at)),
            Some(_) => {
                // The next run sends them all.
                units.stop.get_or_insert(Stop::Platform(error));
                return;
            }
        }
        self.fail_outages(units, Duration::ZERO);
    }

    /// Fails the units of the time before.
    fn fail_outages(&mut self, units: &mut Units, before: Duration) {
        // Nothing may be left that could tell whether the store can be had.
        let is_last = self.under_way == 0;
        for (unit, error, _) in self.outages.extract_if(.., |(_, _, at)| is_last || *at < before) {
            fail(units, unit, error);
        }
    }
}

fn fail(units: &mut Units, unit: u32, error: String) {
    if units.open(unit).is_some() {
        units.failed(unit, Stage::Send, error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::run::options;
    use crate::plan::{Event, Facts, Plan, State};

    const FACTS: Facts = Facts { name: 0, size: 1, files: 1, is_group: false, has_placeholder: true };

    /// A list of units of one file each, all of them given out.
    fn given_out(count: u32) -> (Sends, Units) {
        let (mut sends, mut units) = (Sends::default(), Units::new(true, false));
        (0..count).for_each(|unit| units.enter_walked(unit, FACTS, false));
        while sends.next(&mut units).is_some() {}
        (sends, units)
    }

    const BEFORE: Duration = Duration::from_secs(1);
    const OUTAGE: Option<Duration> = Some(Duration::from_secs(2));
    const AFTER: Duration = Duration::from_secs(3);

    #[test]
    fn c8_a_store_that_cannot_be_had_stops_the_run_and_burns_nothing() {
        let (mut sends, mut units) = given_out(100);
        for unit in 0..=20 {
            assert_eq!(units.stop, None, "{unit}");
            sends.not_sent(&mut units, unit, OUTAGE, "refused".to_owned());
            // Those that were under way when it began arrive yet.
            sends.sent(&mut units, 99 - unit, 0, BEFORE);
        }
        assert_eq!((units.stop, units.totals.failed), (Some(Stop::Platform("refused".to_owned())), 0));
    }

    #[test]
    fn c8_outages_and_uploads_are_compared_on_the_clock_of_the_plan() {
        let mut plan = Plan::new(options(true));
        (0..4).for_each(|unit| plan.add(unit, FACTS));
        plan.begin();
        while plan.next_file().is_some() {}
        let at = Duration::from_secs;
        plan.handle(Event::NotSent { unit: 0, file: 0, is_outage: true, error: String::new() }, at(10));
        // It began before the failure, although it ended long after.
        plan.handle(Event::Sent { unit: 1, file: 0, took: at(91) }, at(100));
        assert_eq!(plan.totals().failed, 0);
        plan.handle(Event::Sent { unit: 2, file: 0, took: at(89) }, at(100));
        assert_eq!(plan.totals().failed, 1);
    }

    #[test]
    fn c8_files_fail_when_others_are_sent_or_nothing_is_left() {
        let (mut sends, mut units) = given_out(100);
        for unit in 0..98 {
            sends.not_sent(&mut units, unit, OUTAGE.filter(|_| unit % 2 == 0), "bad".to_owned());
            if unit % 30 == 29 {
                sends.sent(&mut units, 98, 0, AFTER);
                assert_eq!(units.totals.failed, u64::from(unit) + 1);
            }
        }
        assert_eq!((units.stop.clone(), units.state(0)), (None, State::Other));
        for last in [0, 2] {
            let (mut sends, mut units) = given_out(3);
            for unit in 0..3 {
                assert_eq!(units.totals.failed, 0);
                if unit == last {
                    sends.sent(&mut units, unit, 0, BEFORE);
                } else {
                    sends.not_sent(&mut units, unit, OUTAGE, "refused".to_owned());
                }
            }
            assert_eq!((units.totals.failed, units.stop), (2, None));
        }
    }
}
