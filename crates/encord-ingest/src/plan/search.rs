//! Looking for what became of units whose job gave no answer (rule C3).

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use uuid::Uuid;

use crate::plan::command::{Command, ItemFacts};
use crate::plan::jobs::targets;
use crate::plan::units::{Facts, Units};

/// So many items are looked up in one call.
const IDS_PER_CALL: usize = 1_000;

/// The pause after the first look; it doubles up to the other one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

#[derive(Debug)]
pub(crate) struct Search {
    wanted: HashMap<u32, Wanted>,
    look: Option<Look>,
    next_look: Duration,
    pause: Duration,
    settle: Duration,
    by_name: bool,
}

#[derive(Debug)]
struct Wanted {
    until: Duration,
    /// Whether a look from its beginning has been for this unit too.
    in_this_look: bool,
    if_missing: IfMissing,
}

/// What a unit is that is not found.
#[derive(Debug, Clone)]
pub(crate) enum IfMissing {
    /// Unresolved, for this reason.
    Unresolved(String),
    /// To be posted again.
    Posted,
}

/// One look at everything that is wanted.
#[derive(Debug)]
enum Look {
    /// By placeholder. These are still to be asked about.
    Items(Vec<Uuid>),
    Listing {
        /// Items of other units.
        taken: HashSet<Uuid>,
        /// How many units share a name and a size.
        namesakes: HashMap<(u64, u64), u32>,
    },
}

impl Search {
    pub(crate) fn new(settle: Duration, by_name: bool) -> Self {
        Self { wanted: HashMap::new(), look: None, next_look: Duration::ZERO, pause: FIRST_PAUSE, settle, by_name }
    }

    /// Looks for a unit until it is found, or the time to settle is over.
    pub(crate) fn push(&mut self, unit: u32, now: Duration, if_missing: IfMissing) {
        self.enter(unit, now, now + self.settle, if_missing);
    }

    /// Looks for a unit once.
    pub(crate) fn push_once(&mut self, unit: u32, now: Duration, if_missing: IfMissing) {
        self.enter(unit, now, now, if_missing);
    }

    fn enter(&mut self, unit: u32, now: Duration, until: Duration, if_missing: IfMissing) {
        if self.wanted.is_empty() {
            (self.next_look, self.pause) = (now, FIRST_PAUSE);
        }
        self.wanted.insert(unit, Wanted { until, in_this_look: false, if_missing });
    }

    pub(crate) fn is_over(&self) -> bool {
        self.wanted.is_empty() && self.look.is_none()
    }

    /// When the next look begins.
    pub(crate) fn due(&self) -> Option<Duration> {
        (self.look.is_none() && !self.wanted.is_empty()).then_some(self.next_look)
    }

    /// Begins a look if it is time.
    pub(crate) fn advance(&mut self, units: &mut Units, now: Duration) {
        if self.look.is_some() || self.wanted.is_empty() || now < self.next_look {
            return;
        }
        let mut items = Vec::new();
        for (unit, wanted) in &mut self.wanted {
            wanted.in_this_look = true;
            let Facts { is_group, has_placeholder, .. } = units.facts(*unit);
            if has_placeholder && !is_group {
                items.extend(targets(units, *unit).map(|(item, _)| item));
            }
        }
        items.sort_unstable();
        self.look_up(units, items);
    }

    fn look_up(&mut self, units: &mut Units, mut items: Vec<Uuid>) {
        if items.is_empty() {
            return self.list(units);
        }
        let rest = items.split_off(items.len().min(IDS_PER_CALL));
        units.commands.push_back(Command::GetItems { items });
        self.look = Some(Look::Items(rest));
    }

    fn list(&mut self, units: &mut Units) {
        self.look = Some(Look::Listing { taken: units.items(), namesakes: units.namesakes() });
        units.commands.push_back(Command::ListItems);
    }

    /// The answer to a look by placeholder. Gives the units that are items.
    pub(crate) fn items(&mut self, units: &mut Units, found: &[ItemFacts], now: Duration) -> Vec<(u32, Uuid)> {
        let Some(Look::Items(rest)) = &mut self.look else { return Vec::new() };
        let rest = std::mem::take(rest);
        let owners = self.owners(units, found);
        if !rest.is_empty() {
            self.look_up(units, rest);
        } else if self.wanted.values().any(|wanted| wanted.in_this_look) {
            self.list(units);
        } else {
            self.end_look(now);
        }
        owners
    }

    /// The platform does not look these up.
    pub(crate) fn items_refused(&mut self, units: &mut Units) {
        if matches!(self.look, Some(Look::Items(_))) {
            self.list(units);
        }
    }

    /// A page of the listing. Gives the units that are items.
    pub(crate) fn listed(&mut self, units: &Units, page: &[ItemFacts]) -> Vec<(u32, Uuid)> {
        if matches!(self.look, Some(Look::Listing { .. })) { self.owners(units, page) } else { Vec::new() }
    }

    /// The listing is over. Gives the units that are not to be found, and what they are then.
    pub(crate) fn list_ended(&mut self, now: Duration) -> Vec<(u32, IfMissing)> {
        if !matches!(self.look, Some(Look::Listing { .. })) {
            return Vec::new();
        }
        let is_over = |wanted: &Wanted| wanted.in_this_look && now >= wanted.until;
        let mut missing: Vec<_> = self.wanted.extract_if(|_, wanted| is_over(wanted)).collect();
        missing.sort_unstable_by_key(|(unit, _)| *unit);
        self.end_look(now);
        missing.into_iter().map(|(unit, wanted)| (unit, wanted.if_missing)).collect()
    }

    fn end_look(&mut self, now: Duration) {
        self.look = None;
        let last = self.wanted.values().map(|wanted| wanted.until.max(now)).min();
        self.next_look = last.map_or(now, |last| last.min(now + self.pause));
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    /// Which of these items is whose. What has an owner is wanted no more.
    fn owners(&mut self, units: &Units, items: &[ItemFacts]) -> Vec<(u32, Uuid)> {
        let registered = || items.iter().filter(|item| item.is_registered);
        let mut wanted: Vec<u32> = self.wanted.keys().copied().collect();
        wanted.sort_unstable();
        let mut owners = Vec::new();
        // What is certain comes first.
        for by_name in [false, true] {
            let is_whose = |unit, item: &&ItemFacts| {
                if by_name { self.is_by_name(units, unit, item) } else { Self::is_surely(units, unit, item) }
            };
            let by_hint = |unit: u32| registered().find(|item| is_whose(unit, item)).map(|item| item.item);
            let found: Vec<_> = wanted.iter().filter_map(|unit| Some((*unit, by_hint(*unit)?))).collect();
            for (unit, item) in found {
                if owners.iter().all(|(_, taken)| *taken != item) {
                    owners.push((unit, item));
                    wanted.retain(|other| *other != unit);
                }
            }
        }
        for (unit, item) in &owners {
            self.wanted.remove(unit);
            if let Some(Look::Listing { taken, .. }) = &mut self.look {
                taken.insert(*item);
            }
        }
        owners
    }

    fn is_surely(units: &Units, unit: u32, item: &ItemFacts) -> bool {
        units.facts(unit).is_group == item.is_group
            && targets(units, unit).any(|(id, key)| id == item.item || item.object.as_deref() == Some(key))
    }

    /// Whether the name and, of a single file, the size say that the item is of this unit and can be of no other.
    fn is_by_name(&self, units: &Units, unit: u32, item: &ItemFacts) -> bool {
        let Some(Look::Listing { taken, namesakes }) = &self.look else { return false };
        let Facts { name, size, is_group, .. } = units.facts(unit);
        let same = is_group || item.size == Some(size);
        let alone = namesakes.get(&(name, size)) == Some(&1);
        self.by_name && alone && same && is_group == item.is_group && name == item.name && !taken.contains(&item.item)
    }
}
