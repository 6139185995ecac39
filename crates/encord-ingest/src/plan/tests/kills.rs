//! What holds after a kill at any step, whatever the platform is like.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng};

use super::Disk;
use super::Steps;
use super::platform::{Platform, Second, Switches, Trouble};
use super::run::{End, UNITS, UnitOf, files_of, options, run};
use crate::kind::Kind;
use crate::plan::Options;
use crate::record::Record;
use crate::replay::Known;

/// How a run is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Death {
    Kill,
    /// What was not synced may be gone.
    Power,
}

fn all_switches() -> Vec<(Switches, bool)> {
    use Trouble::{Busy, Forgotten, Limit, LostAfterItsEffect, LostBeforeItsEffect};
    let either = [true, false];
    let mut all = Vec::new();
    for second in [Second::Duplicate, Second::NoOp, Second::Error] {
        for trouble in [Trouble::None, LostBeforeItsEffect, LostAfterItsEffect, Busy, Limit, Forgotten] {
            for bits in 0..64_u32 {
                let bit = |at: u32| either[(bits >> at & 1) as usize];
                let switches = Switches {
                    second,
                    keeps_id: bit(0),
                    shows_placeholders: bit(1),
                    bulk_refuses_unknown: bit(2),
                    shows_objects: bit(3),
                    trouble,
                    takes: if bit(4) { Duration::ZERO } else { Duration::from_secs(5) },
                };
                all.push((switches, bit(5)));
            }
        }
    }
    all
}

/// The units of jobs whose answer the ledger does not have, by places, and those of jobs that the platform forgot.
fn unanswered(disk: &Disk, places: &[usize], forgets: bool) -> BTreeSet<usize> {
    let mut open = std::collections::BTreeMap::new();
    for record in &disk.records {
        match record {
            Record::Post { job, units } => drop(open.insert(*job, units)),
            Record::NotPosted { job, .. } => drop(open.remove(job)),
            Record::Posted { job, .. } if !forgets => drop(open.remove(job)),
            _ => {}
        }
    }
    open.into_values().flatten().map(|unit| places[*unit as usize]).collect()
}

/// Of each number of the ledger its place.
fn places(disk: &Disk) -> Vec<usize> {
    let replay = disk.replay();
    let mut places = vec![usize::MAX; replay.next_unit() as usize];
    for place in 0..UNITS.len() {
        if let Some(unit) = replay.find(Kind::Image, &files_of(place)) {
            places[unit as usize] = place;
        }
    }
    places
}

/// Whether a look at the platform can tell the item of a unit.
fn is_findable(platform: &Platform, by_name: bool, place: usize) -> bool {
    let UnitOf { is_group, name, size, .. } = UNITS[place];
    let alone = UNITS.iter().filter(|unit| (unit.name, unit.size) == (name, size)).count() == 1;
    let Switches { keeps_id, shows_objects, .. } = platform.switches;
    let by_id = keeps_id && !is_group;
    platform.items_of(place) > 0 && (by_id || (shows_objects && !is_group) || (by_name && alone))
}

struct Case {
    switches: Switches,
    by_name: bool,
    death: Death,
    kill_after: Option<usize>,
    /// Orders of events at random, by this seed.
    seed: Option<[u8; 32]>,
}

impl Case {
    fn steps(&self, kill_after: Option<usize>) -> Steps {
        let steps = Steps::killed_after(kill_after);
        match &self.seed {
            Some(seed) => steps.at_random(TestRng::from_seed(RngAlgorithm::ChaCha, seed)),
            None => steps,
        }
    }

    /// Runs, is killed, runs again to the end, and once more with what is unresolved posted again. Gives the steps of the first run.
    fn check(&self) -> usize {
        let (mut disk, mut platform) = (Disk::default(), Platform::new(self.switches));
        let options = options(self.by_name);
        let mut steps = self.steps(self.kill_after);
        let mut end = run(&mut disk, &mut platform, options, &mut steps);
        if end == End::Killed {
            if self.death == Death::Power {
                disk.lose_power();
            }
            end = run(&mut disk, &mut platform, options, &mut self.steps(None));
        }
        assert_eq!(end, End::Over);
        self.check_end(&disk, &platform);
        if self.seed.is_some() {
            disk.read_back();
        }
        self.check_repost(disk, platform, options);
        steps.taken()
    }

    fn check_end(&self, disk: &Disk, platform: &Platform) {
        let (replay, places) = (disk.replay(), places(disk));
        let unanswered = unanswered(disk, &places, self.switches.trouble == Trouble::Forgotten);
        for (place, unit) in UNITS.iter().enumerate() {
            let number = replay.find(Kind::Image, &files_of(place)).expect("every unit is in the ledger");
            let known = replay.unit(number).expect("known");
            let items = platform.items_of(place);
            assert!(items <= 1, "{} is an item {items} times", unit.name);
            let is_lost = unanswered.contains(&place) && !is_findable(platform, self.by_name, place);
            match known {
                Known::Failed => {
                    assert!(unit.is_bad && items == 0 && !is_lost, "{}: {known:?}", unit.name);
                    let is_why = |record: &Record| matches!(record, Record::Failed { unit: of, error, .. } if *of == number && error != unit.name);
                    assert!(!disk.records.iter().any(is_why), "{} failed for another unit's reason", unit.name);
                }
                Known::Unresolved(_) => assert!(is_lost, "{} is unresolved and can be found", unit.name),
                Known::Linked(item) => {
                    assert!(!unit.is_bad && !is_lost && items == 1, "{}: {known:?}", unit.name);
                    assert_eq!(platform.rows.iter().filter(|row| *row == item).count(), 1);
                    let of: Vec<_> = platform.items.iter().filter(|of| of.id == *item).map(|of| of.unit).collect();
                    assert_eq!(of, [place], "the item of {} is another unit's", unit.name);
                }
                _ => panic!("{} is not at its end: {known:?}", unit.name),
            }
        }
    }

    /// What is unresolved is posted again when that is asked for, and is an item once unless the platform makes doubles.
    fn check_repost(&self, mut disk: Disk, mut platform: Platform, options: Options) {
        let replay = disk.replay();
        let unresolved: Vec<usize> = (0..UNITS.len())
            .filter(|place| {
                let unit = replay.find(Kind::Image, &files_of(*place)).expect("known");
                matches!(replay.unit(unit), Some(Known::Unresolved(_)))
            })
            .collect();
        let before: Vec<usize> = unresolved.iter().map(|place| platform.items_of(*place)).collect();
        platform.switches.trouble = Trouble::None;
        let options = Options { repost_unresolved: true, ..options };
        assert_eq!(run(&mut disk, &mut platform, options, &mut self.steps(None)), End::Over);
        let replay = disk.replay();
        for (place, before) in unresolved.into_iter().zip(before) {
            let unit = replay.find(Kind::Image, &files_of(place)).expect("known");
            let known = replay.unit(unit).expect("known");
            let (items, name) = (platform.items_of(place), UNITS[place].name);
            match (before, self.switches.second) {
                _ if UNITS[place].is_bad => assert_eq!(items, 0),
                (0, _) | (1, Second::NoOp) => {
                    assert!(items == 1 && matches!(known, Known::Linked(_)), "{name}: {items}, {known:?}");
                }
                (1, Second::Duplicate) => assert!(items == 2, "{name}: {items}, {known:?}"),
                _ => assert!(items == 1 && matches!(known, Known::Unresolved(_)), "{name}: {items}, {known:?}"),
            }
        }
    }
}

/// Every switch, and a kill after every step of the run: of a seventh of the steps for each, another seventh for the next.
#[test]
fn c2_c3_nothing_is_lost_or_doubled_whatever_is_killed_and_whatever_the_platform_is_like() {
    let mut runs = 0;
    for (at, (switches, by_name)) in all_switches().into_iter().enumerate() {
        let case = |death, kill_after| Case { switches, by_name, death, kill_after, seed: None };
        let steps = case(Death::Kill, None).check();
        for kill_after in (1..=steps).filter(|step| (step + at) % 7 == 0) {
            let death = if (kill_after + at) % 14 == 0 { Death::Kill } else { Death::Power };
            case(death, Some(kill_after)).check();
            runs += 1;
        }
    }
    assert!(runs > 20_000, "only {runs} runs");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// The same in any order of events, with URLs that expire in between.
    #[test]
    fn c2_c3_no_order_of_events_loses_or_doubles(
        switches in 0..all_switches().len(),
        kill_after in 1_usize..150,
        power in any::<bool>(),
        seed in any::<[u8; 32]>(),
    ) {
        let (switches, by_name) = all_switches()[switches];
        let death = if power { Death::Power } else { Death::Kill };
        Case { switches, by_name, death, kill_after: Some(kill_after), seed: Some(seed) }.check();
    }
}
