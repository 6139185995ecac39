//! The plan: what is the next step of this run? A state machine without I/O: events in, commands out.
//!
//! ```text
//! walked ─ sign ─▶ signed ─ PUT ─▶ sent ─ job ─▶ registered ─ link ─▶ linked
//! ```
//!
//! A unit leaves this way as failed, or as unresolved: its job was posted, or may have been, and nobody can say what became of it.

mod batches;
mod command;
mod jobs;
mod links;
mod search;
mod sends;
mod units;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use uuid::Uuid;

pub use self::command::{Command, Event, ItemFacts, JobOutcome, Refusal, Stop, Totals, UnitError};
pub use self::jobs::ENOUGH_UNITS;
use self::jobs::{Jobs, Unclear};
use self::links::Links;
pub use self::links::MAX_LINKS_PER_CALL;
use self::search::{IfMissing, Search};
use self::sends::Sends;
use self::units::Units;
pub use self::units::{Facts, OpenFile, State};
use crate::replay::{Known, KnownFile, KnownJob};

/// How a run is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct Options {
    /// Whether items are linked to a dataset.
    pub link: bool,
    /// Whether a run goes on after a unit has failed.
    pub allow_failures: bool,
    /// Whether name and size together may say which item of the folder is whose: when nobody else puts such items there.
    pub by_name: bool,
    /// Whether what is unresolved is posted again.
    pub repost_unresolved: bool,
    /// For how long the result of a job without an answer is looked for.
    pub settle: Duration,
    /// How often a call is made again that an overloaded platform has refused, and that the client does not repeat itself.
    pub max_retries: u32,
    /// The number of the first new job.
    pub next_job: u32,
}

/// The plan of one run. Times are those since its beginning.
#[derive(Debug)]
pub struct Plan {
    options: Options,
    units: Units,
    sends: Sends,
    jobs: Jobs,
    search: Search,
    links: Links,
    /// Jobs of earlier runs and their units, until the plan begins.
    earlier: BTreeMap<u32, (Option<Uuid>, Vec<u32>)>,
}

/// A name as the plan knows it.
pub fn name_hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

impl Plan {
    /// A plan without units.
    pub fn new(options: Options) -> Self {
        Self {
            units: Units::new(options.allow_failures, options.link),
            sends: Sends::default(),
            jobs: Jobs::new(options.next_job, options.max_retries),
            search: Search::new(options.settle, options.by_name),
            links: Links::new(options.max_retries),
            earlier: BTreeMap::new(),
            options,
        }
    }

    /// Adds a unit that the ledger does not know.
    pub fn add(&mut self, unit: u32, facts: Facts) {
        self.units.enter_walked(unit, facts, false);
    }

    /// Adds a unit that the ledger knows. `job` says what the ledger knows of a job.
    pub fn resume(&mut self, unit: u32, facts: Facts, known: Known, job: impl Fn(u32) -> Option<KnownJob>) {
        match known {
            Known::Begun(files) => {
                self.units.enter_open(unit, facts, opened(files), false);
                if self.units.is_sent(unit) {
                    self.jobs.push(unit, Duration::ZERO);
                }
            }
            Known::Posted(files, number) => {
                let KnownJob { id, again } = job(number).unwrap_or(KnownJob { id: None, again: false });
                self.units.enter_open(unit, facts, opened(files), again);
                self.earlier.entry(number).or_insert((id, Vec::new())).1.push(unit);
            }
            Known::Registered(item) => {
                if self.units.enter_registered(unit, facts, item, false) {
                    self.links.push(unit, Duration::ZERO);
                }
            }
            Known::Linked(item) => drop(self.units.enter_registered(unit, facts, item, true)),
            Known::Failed => self.units.enter_walked(unit, facts, true),
            Known::Unresolved(files) => {
                self.units.enter_open(unit, facts, opened(files), true);
                let if_missing = if self.options.repost_unresolved {
                    IfMissing::Posted
                } else {
                    IfMissing::Unresolved("it was unresolved before, and the platform has no such item".to_owned())
                };
                self.search.push_once(unit, Duration::ZERO, if_missing);
            }
        }
    }

    /// Takes an item that stands in the folder for that of a unit of which nothing has been done.
    pub fn adopt(&mut self, unit: u32, item: Uuid) {
        self.units.begin(unit);
        if self.units.registered(unit, item) {
            self.links.push(unit, Duration::ZERO);
        }
    }

    /// Begins, when all units are there: asks about the jobs of earlier runs, and looks for those that gave no answer.
    pub fn begin(&mut self) {
        for (job, (id, units)) in std::mem::take(&mut self.earlier) {
            if let Some(id) = id {
                self.jobs.resume(&mut self.units, job, id, units);
            } else {
                let reason = "the run was ended before it had the job's answer".to_owned();
                self.look_for(Unclear { units, reason }, Duration::ZERO);
            }
        }
        self.advance(Duration::ZERO);
    }

    /// Takes an event.
    pub fn handle(&mut self, event: Event, now: Duration) {
        match event {
            Event::Signed { unit, file, item, object } => drop(self.units.signed(unit, file, item, object)),
            Event::Sent { unit, file, took } => {
                if self.sends.sent(&mut self.units, unit, file, now.saturating_sub(took)) {
                    self.jobs.push(unit, now);
                }
            }
            // The run ends, and what has not been sent goes with it.
            Event::NotSent { .. } if self.units.stop.is_some() => {}
            Event::NotSent { unit, file: _, is_outage, error } => {
                let outage = (is_outage && self.options.allow_failures).then_some(now);
                self.sends.not_sent(&mut self.units, unit, outage, error);
            }
            Event::Posted { job, id } => self.jobs.posted(&mut self.units, job, id),
            Event::NotPosted { job, refusal, error } => {
                self.jobs.not_posted(&mut self.units, now, job, refusal, error);
            }
            Event::JobLost { job, error } => {
                let unclear = self.jobs.lost(job, error);
                self.look_for(unclear, now);
            }
            Event::JobEnded { job, outcome } => {
                let links = &mut self.links;
                let unclear = self.jobs.ended(&mut self.units, job, outcome, |units, unit, item| {
                    if units.registered(unit, item) {
                        links.push(unit, now);
                    }
                });
                self.look_for(unclear, now);
            }
            Event::Items(found) => {
                let owners = self.search.items(&mut self.units, &found, now);
                self.found(owners, now);
            }
            Event::ItemsRefused => self.search.items_refused(&mut self.units),
            Event::Listed(page) => {
                let owners = self.search.listed(&self.units, &page);
                self.found(owners, now);
            }
            Event::ListEnded => {
                for (unit, if_missing) in self.search.list_ended(now) {
                    match if_missing {
                        IfMissing::Unresolved(reason) => self.units.unresolved(unit, reason),
                        IfMissing::Posted => self.jobs.push(unit, now),
                    }
                }
            }
            Event::Linked => self.links.linked(&mut self.units),
            Event::NotLinked { refusal, error } => self.links.not_linked(&mut self.units, now, refusal, error),
            Event::PlatformFailed { error } => drop(self.units.stop.get_or_insert(Stop::Platform(error))),
            Event::Cancelled => drop(self.units.stop.get_or_insert(Stop::Cancelled)),
        }
        self.advance(now);
    }

    /// Does what is due by now.
    pub fn advance(&mut self, now: Duration) {
        if self.units.stop.is_some() {
            return;
        }
        self.sends.advance(&self.units);
        self.search.advance(&mut self.units, now);
        let sent = self.sends.are_over(&self.units);
        let full = self.sends.are_idle() && self.units.open_files >= sends::MAX_OPEN_FILES;
        self.jobs.advance(&mut self.units, now, sent || full);
        let settled = sent && self.jobs.are_over() && self.search.is_over();
        self.links.advance(&mut self.units, now, settled);
    }

    /// The next command.
    pub fn next_command(&mut self) -> Option<Command> {
        self.units.commands.pop_front()
    }

    /// The next file to be signed and sent, by unit and place; `None` when there is none now. It may come with commands.
    pub fn next_file(&mut self) -> Option<(u32, u32)> {
        if self.units.stop.is_some() { None } else { self.sends.next(&mut self.units) }
    }

    /// Whether [`next_file`](Self::next_file) will give no file any more.
    pub fn is_given_out(&self) -> bool {
        self.sends.are_given_out(&self.units)
    }

    /// Where a unit is.
    pub fn state(&self, unit: u32) -> State {
        self.units.state(unit)
    }

    /// When [`advance`](Self::advance) has something to do without an event.
    pub fn due(&self) -> Option<Duration> {
        if self.units.stop.is_some() {
            return None;
        }
        [self.jobs.due(), self.search.due(), self.links.due()].into_iter().flatten().min()
    }

    /// The files of a unit that is under way.
    pub fn files(&self, unit: u32) -> &[OpenFile] {
        self.units.open(unit).map_or(&[], |open| &open.files)
    }

    /// Whether everything is done that can be.
    pub fn is_over(&self) -> bool {
        self.sends.are_over(&self.units) && self.jobs.are_over() && self.search.is_over() && self.links.are_over()
    }

    /// Why the run ends early, if it does: no call is asked for any more.
    pub fn stop(&self) -> Option<&Stop> {
        self.units.stop.as_ref()
    }

    /// How far it is.
    pub fn totals(&self) -> Totals {
        self.units.totals
    }

    fn look_for(&mut self, unclear: Unclear, now: Duration) {
        for unit in unclear.units {
            self.search.push(unit, now, IfMissing::Unresolved(unclear.reason.clone()));
        }
    }

    fn found(&mut self, owners: Vec<(u32, Uuid)>, now: Duration) {
        for (unit, item) in owners {
            if self.units.registered(unit, item) {
                self.links.push(unit, now);
            }
        }
    }
}

fn opened(files: Box<[KnownFile]>) -> Vec<OpenFile> {
    files.into_iter().map(|KnownFile { target, sent }| OpenFile { target, sent }).collect()
}

#[cfg(test)]
mod tests;
