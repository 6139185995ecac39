//! What became of each unit.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use encord_upload::{ItemReport, Snapshot};
use uuid::Uuid;

use crate::kind::Kind;
use crate::plan::{Plan, State, Stop, Totals};
use crate::record::Stage;
use crate::units::UnitList;

/// Something that became known during a run. Units are named by their place in the list.
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice<'a> {
    /// A file was sent, or not.
    File(&'a ItemReport),
    /// A unit failed.
    Failed {
        /// The unit.
        unit: usize,
        /// Where.
        stage: Stage,
        /// Why.
        error: &'a str,
    },
    /// Nobody can say what became of a unit.
    Unresolved {
        /// The unit.
        unit: usize,
        /// Why.
        error: &'a str,
    },
}

/// How a run ended.
#[derive(Debug)]
pub struct Finished {
    plan: Plan,
    units: Arc<UnitList>,
    outcomes: Outcomes,
    upload: Snapshot,
}

/// What became of one unit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnitOutcome {
    /// Its place in the list, from 0.
    pub index: usize,
    /// The file, or the folder of a group.
    pub path: PathBuf,
    /// What its item is called.
    pub title: String,
    /// What it becomes.
    pub kind: Kind,
    /// How many files it has.
    pub files: usize,
    /// How many bytes they have.
    pub bytes: u64,
    /// What became of it.
    pub status: UnitStatus,
    /// Its item, if it is one.
    pub item: Option<Uuid>,
    /// How often its files were tried to be sent in this run.
    pub attempts: u64,
    /// Why it failed, or is unresolved.
    pub error: Option<String>,
}

/// What became of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnitStatus {
    /// It was all done by an earlier run, or stood there already.
    Skipped,
    /// It is an item, and a row if there is a dataset.
    Done,
    /// It failed.
    Failed(Stage),
    /// Nobody can say what became of it.
    Unresolved,
    /// The run ended before its end. The next one goes on with it.
    Left,
}

/// What the plan does not keep.
#[derive(Debug)]
pub(crate) struct Outcomes {
    numbers: Vec<u32>,
    done_before: Vec<bool>,
    problems: HashMap<u32, (UnitStatus, String)>,
    attempts: HashMap<u32, u64>,
}

impl Outcomes {
    pub(crate) fn new(numbers: Vec<u32>, done_before: Vec<bool>) -> Self {
        Self { numbers, done_before, problems: HashMap::new(), attempts: HashMap::new() }
    }

    pub(crate) fn failed(&mut self, number: u32, stage: Stage, error: String) {
        self.problems.insert(number, (UnitStatus::Failed(stage), error));
    }

    pub(crate) fn unresolved(&mut self, number: u32, error: String) {
        self.problems.insert(number, (UnitStatus::Unresolved, error));
    }

    /// Counts what is above the first attempt of each file.
    pub(crate) fn attempts(&mut self, number: u32, report: &ItemReport) {
        let more = (report.attempts.len() as u64).saturating_sub(1);
        if more > 0 {
            *self.attempts.entry(number).or_default() += more;
        }
    }
}

impl Finished {
    pub(crate) fn new(plan: Plan, units: Arc<UnitList>, outcomes: Outcomes, upload: Snapshot) -> Self {
        Self { plan, units, outcomes, upload }
    }

    /// Why it ended early, if it did.
    pub fn stop(&self) -> Option<&Stop> {
        self.plan.stop()
    }

    /// The unit whose failure ended it.
    pub fn failure(&self) -> Option<UnitOutcome> {
        let Some(Stop::Failure { unit: number }) = self.stop() else { return None };
        let unit = self.outcomes.numbers.iter().position(|of| of == number)?;
        Some(self.unit(unit))
    }

    /// How far it came.
    pub fn totals(&self) -> Totals {
        self.plan.totals()
    }

    /// The figures of the uploads.
    pub fn upload(&self) -> Snapshot {
        self.upload
    }

    /// What became of each unit, in the order of the list.
    pub fn units(&self) -> impl Iterator<Item = UnitOutcome> {
        (0..self.units.len()).map(|unit| self.unit(unit))
    }

    fn unit(&self, unit: usize) -> UnitOutcome {
        let number = self.outcomes.numbers[unit];
        let problem = self.outcomes.problems.get(&number);
        let (state, item) = match self.plan.state(number) {
            State::Done(item) if self.outcomes.done_before[unit] => (UnitStatus::Skipped, Some(item)),
            State::Done(item) => (UnitStatus::Done, Some(item)),
            State::Registered(item) => (UnitStatus::Left, Some(item)),
            State::Other => (UnitStatus::Left, None),
        };
        let files = self.units.files_in(unit);
        let is_sent = matches!(state, UnitStatus::Done | UnitStatus::Skipped) || item.is_some();
        UnitOutcome {
            index: unit,
            path: self.units.place(unit),
            title: self.units.title(unit),
            kind: self.units.kind(unit),
            files,
            bytes: if is_sent { (0..files).map(|file| self.units.size(unit, file)).sum() } else { 0 },
            status: problem.map_or(state, |(status, _)| *status),
            item,
            attempts: self.outcomes.attempts.get(&number).copied().unwrap_or_default(),
            error: problem.map(|(_, error)| error.clone()),
        }
    }
}
