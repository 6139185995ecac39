//! What became of each unit.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use encord_client::http::{Attempt, FaultKind, Outcome, Phase, StatusCode};
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
    /// Each attempt to send one of its files in this run, in the order of their ends.
    pub attempts: Vec<SendAttempt>,
    /// Why it failed, or is unresolved.
    pub error: Option<String>,
}

/// An attempt to send a file. It is small, because a run keeps all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SendAttempt {
    /// The status of the answer, or the fault that kept it away.
    pub outcome: Result<StatusCode, FaultKind>,
    /// The phase in which the outcome became known.
    pub phase: Phase,
    /// Whether it is not the first attempt to send its file.
    pub is_retry: bool,
    waited_ms: u32,
}

impl SendAttempt {
    fn new(Attempt { outcome, phase, waited, .. }: &Attempt, is_retry: bool) -> Self {
        let outcome = match outcome {
            Outcome::Status(status) => Ok(*status),
            Outcome::Fault(fault) => Err(fault.kind()),
        };
        let waited_ms = u32::try_from(waited.as_millis()).unwrap_or(u32::MAX);
        Self { outcome, phase: *phase, is_retry, waited_ms }
    }

    /// The wait before the attempt, in whole milliseconds.
    pub const fn waited(&self) -> Duration {
        Duration::from_millis(self.waited_ms as u64)
    }
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
    /// By number of the unit once the run has ended; until then in the order of their ends.
    attempts: Vec<(u32, SendAttempt)>,
}

impl Outcomes {
    pub(crate) fn new(numbers: Vec<u32>, done_before: Vec<bool>) -> Self {
        Self { numbers, done_before, problems: HashMap::new(), attempts: Vec::new() }
    }

    pub(crate) fn failed(&mut self, number: u32, stage: Stage, error: String) {
        self.problems.insert(number, (UnitStatus::Failed(stage), error));
    }

    pub(crate) fn unresolved(&mut self, number: u32, error: String) {
        self.problems.insert(number, (UnitStatus::Unresolved, error));
    }

    /// Keeps the attempts of a file.
    pub(crate) fn attempts(&mut self, number: u32, report: &ItemReport) {
        let attempts = report.attempts.iter().enumerate();
        self.attempts.extend(attempts.map(|(nth, attempt)| (number, SendAttempt::new(attempt, nth > 0))));
    }

    fn attempts_of(&self, number: u32) -> Vec<SendAttempt> {
        let first = self.attempts.partition_point(|(of, _)| *of < number);
        self.attempts[first..].iter().take_while(|(of, _)| *of == number).map(|(_, attempt)| *attempt).collect()
    }
}

impl Finished {
    pub(crate) fn new(plan: Plan, units: Arc<UnitList>, mut outcomes: Outcomes, upload: Snapshot) -> Self {
        // Stable, so that the attempts of a unit keep their order.
        outcomes.attempts.sort_by_key(|(number, _)| *number);
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
            attempts: self.outcomes.attempts_of(number),
            error: problem.map(|(_, error)| error.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_takes_sixteen_bytes() {
        assert_eq!(size_of::<(u32, SendAttempt)>(), 16);
    }
}
