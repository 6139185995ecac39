//! Jobs: when one is posted, with which units, and what its end says of each of them.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use uuid::Uuid;

use crate::plan::batches::{Batches, Verdict};
use crate::plan::command::{Command, JobOutcome, Refusal, Stop};
use crate::plan::units::{Facts, Units};
use crate::record::{Record, Stage};

/// At most so many jobs are on the platform at once.
const MAX_JOBS: usize = 2;

/// A job is posted as soon as so many units wait for it,
pub const ENOUGH_UNITS: usize = 300;

/// or the first of them has waited for so long.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// A job never has more units,
const MAX_UNITS: usize = 1_000;

/// nor more files, unless a single unit has.
const MAX_FILES: usize = 10_000;

#[derive(Debug)]
pub(crate) struct Jobs {
    /// Units that have been sent.
    ready: VecDeque<u32>,
    /// Since when the first of them waits.
    since: Duration,
    batches: Batches,
    under_way: HashMap<u32, Vec<u32>>,
    next: u32,
}

/// The units of a job of which it is still to be found out what they became.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unclear {
    pub(crate) units: Vec<u32>,
    /// Why.
    pub(crate) reason: String,
}

impl Jobs {
    pub(crate) fn new(next: u32, max_retries: u32) -> Self {
        Self {
            ready: VecDeque::new(),
            since: Duration::ZERO,
            batches: Batches::new(MAX_UNITS, max_retries),
            under_way: HashMap::new(),
            next,
        }
    }

    /// A unit has been sent.
    pub(crate) fn push(&mut self, unit: u32, now: Duration) {
        if self.ready.is_empty() {
            self.since = now;
        }
        self.ready.push_back(unit);
    }

    /// A job of an earlier run, which still has to be asked about.
    pub(crate) fn resume(&mut self, units: &mut Units, job: u32, id: Uuid, of: Vec<u32>) {
        self.under_way.insert(job, of);
        units.commands.push_back(Command::Poll { job, id });
    }

    /// Whether nothing waits, and nothing is on the platform.
    pub(crate) fn are_over(&self) -> bool {
        self.ready.is_empty() && !self.batches.has_parts() && self.under_way.is_empty()
    }

    /// When something is to be posted that is not posted yet.
    pub(crate) fn due(&self) -> Option<Duration> {
        if self.under_way.len() >= MAX_JOBS {
            return None;
        }
        let due = match (self.batches.has_parts(), self.ready.is_empty()) {
            (true, _) => Duration::ZERO,
            (false, false) => self.since + MAX_WAIT,
            (false, true) => return None,
        };
        Some(due.max(self.batches.not_before()))
    }

    /// Posts what is to be posted. `pressing`: nothing is being sent that could come along.
    pub(crate) fn advance(&mut self, units: &mut Units, now: Duration, pressing: bool) {
        while self.under_way.len() < MAX_JOBS && now >= self.batches.not_before() {
            let enough = self.ready.len() >= ENOUGH_UNITS.min(self.batches.limit());
            let waited = !self.ready.is_empty() && now >= self.since + MAX_WAIT;
            let of = match self.batches.next_part() {
                Some(part) => part,
                None if enough || waited || pressing => self.gather(units, now),
                None => break,
            };
            if of.is_empty() {
                break;
            }
            let (job, again) = (self.next, units.open(of[0]).is_some_and(|open| open.again));
            self.next += 1;
            units.write_through(Record::Post { job, units: of.clone() });
            units.commands.push_back(Command::Post { job, units: of.clone(), again });
            self.under_way.insert(job, of);
        }
    }

    /// The units of the next job. No two have the same name, since it may be the name that says which item is whose; and those
    /// that are posted again are not mixed with the others.
    fn gather(&mut self, units: &Units, now: Duration) -> Vec<u32> {
        let mut of = Vec::new();
        let mut rest = VecDeque::new();
        let (mut names, mut files, mut again) = (HashSet::new(), 0, None);
        while of.len() < self.batches.limit()
            && let Some(unit) = self.ready.pop_front()
        {
            let Some(open) = units.open(unit) else { continue };
            let fits = files == 0 || files + open.files.len() <= MAX_FILES;
            if fits && *again.get_or_insert(open.again) == open.again && names.insert(units.facts(unit).name) {
                files += open.files.len();
                of.push(unit);
            } else {
                rest.push_back(unit);
            }
        }
        rest.append(&mut self.ready);
        self.ready = rest;
        self.since = now;
        of
    }

    /// The platform took it.
    pub(crate) fn posted(&mut self, units: &mut Units, job: u32, id: Uuid) {
        let Some(of) = self.under_way.get(&job) else { return };
        self.batches.taken(of.len());
        units.write_through(Record::Posted { job, id });
        units.commands.push_back(Command::Poll { job, id });
    }

    /// The platform did not take it.
    pub(crate) fn not_posted(&mut self, units: &mut Units, now: Duration, job: u32, refusal: Refusal, error: String) {
        let Some(of) = self.under_way.remove(&job) else { return };
        units.write(Record::NotPosted { job, error: error.clone() });
        match self.batches.refused(of, refusal, now) {
            Verdict::Again => {}
            Verdict::Bad(unit) if units.open(unit).is_some_and(|open| open.again) => units.unresolved(unit, error),
            Verdict::Bad(unit) => units.failed(unit, Stage::Register, error),
            Verdict::Stop => drop(units.stop.get_or_insert(Stop::Platform(error))),
        }
    }

    /// Nobody knows whether the platform took it, or what became of it.
    pub(crate) fn lost(&mut self, job: u32, reason: String) -> Unclear {
        Unclear { units: self.under_way.remove(&job).unwrap_or_default(), reason }
    }

    /// It has ended. Calls `registered` for each unit that is an item.
    pub(crate) fn ended(
        &mut self,
        units: &mut Units,
        job: u32,
        outcome: JobOutcome,
        mut registered: impl FnMut(&mut Units, u32, Uuid),
    ) -> Unclear {
        let mut of = self.under_way.remove(&job).unwrap_or_default();
        for (unit, item) in owners(units, &of, &outcome.items) {
            registered(units, unit, item);
        }
        of.retain(|unit| units.open(*unit).is_some());
        let mut reason = outcome.reason;
        for error in outcome.errors {
            let is_whose = |unit: &u32| error.objects.iter().any(|object| is_of(units, *unit, object));
            let whose: Vec<u32> = of.iter().copied().filter(is_whose).collect();
            if whose.is_empty() {
                reason = format!("{reason}; it says: {}", error.error);
            }
            // What is posted again may have failed because it is an item already.
            for unit in whose {
                if units.open(unit).is_some_and(|open| !open.again) {
                    units.failed(unit, Stage::Register, error.error.clone());
                }
            }
        }
        of.retain(|unit| units.open(*unit).is_some());
        Unclear { units: of, reason }
    }
}

/// Which item is whose: by placeholder, else by a name that occurs once among what is left.
fn owners(units: &Units, of: &[u32], items: &[(Uuid, u64)]) -> Vec<(u32, Uuid)> {
    let single = |unit: &u32| !units.facts(*unit).is_group;
    let placeholders: HashMap<Uuid, u32> = of
        .iter()
        .filter(|unit| single(unit))
        .flat_map(|unit| targets(units, *unit).map(|(item, _)| (item, *unit)))
        .collect();
    let mut owners: HashMap<u32, Uuid> =
        items.iter().filter_map(|(item, _)| placeholders.get(item).map(|unit| (*unit, *item))).collect();
    let mut names: HashMap<u64, Vec<Uuid>> = HashMap::new();
    for (item, name) in items.iter().filter(|(item, _)| !placeholders.contains_key(item)) {
        names.entry(*name).or_default().push(*item);
    }
    for unit in of {
        let Facts { name, .. } = units.facts(*unit);
        if let Some([item]) = names.get(&name).map(Vec::as_slice) {
            owners.entry(*unit).or_insert(*item);
        }
    }
    let mut owners: Vec<_> = owners.into_iter().collect();
    owners.sort_unstable();
    owners
}

/// What was signed for a unit.
pub(crate) fn targets(units: &Units, unit: u32) -> impl Iterator<Item = (Uuid, &str)> {
    let files = units.open(unit).map_or(&[][..], |open| &open.files);
    files.iter().filter_map(|file| file.target.as_ref().map(|(item, object)| (*item, &**object)))
}

/// Whether what the platform calls an object is one of the unit: by its key, or by its placeholder.
fn is_of(units: &Units, unit: u32, object: &str) -> bool {
    targets(units, unit).any(|(item, key)| object == key || object.parse() == Ok(item))
}
