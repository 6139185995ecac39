//! What became of each unit.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
    /// When the upload of its last file ended, if a file was uploaded or failed in this run.
    pub ended_at: Option<SystemTime>,
    /// The time from the start of its first upload in this run to the end of its last, in whole milliseconds.
    pub took: Duration,
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
    /// In the same order.
    uploads: Vec<UploadTime>,
}

/// The time of the upload of one file. It is small, because a run keeps all of them.
#[derive(Debug)]
struct UploadTime {
    number: u32,
    took_ms: u32,
    /// Since the Unix epoch.
    ended_ms: u64,
}

impl Outcomes {
    pub(crate) fn new(numbers: Vec<u32>, done_before: Vec<bool>) -> Self {
        Self { numbers, done_before, problems: HashMap::new(), attempts: Vec::new(), uploads: Vec::new() }
    }

    pub(crate) fn failed(&mut self, number: u32, stage: Stage, error: String) {
        self.problems.insert(number, (UnitStatus::Failed(stage), error));
    }

    pub(crate) fn unresolved(&mut self, number: u32, error: String) {
        self.problems.insert(number, (UnitStatus::Unresolved, error));
    }

    /// Keeps the attempts of a file and their time.
    pub(crate) fn uploaded(&mut self, number: u32, report: &ItemReport) {
        let attempts = report.attempts.iter().enumerate();
        self.attempts.extend(attempts.map(|(nth, attempt)| (number, SendAttempt::new(attempt, nth > 0))));
        if let Some(ended) = report.ended_at.and_then(|at| at.duration_since(UNIX_EPOCH).ok()) {
            let took_ms = u32::try_from(report.took.as_millis()).unwrap_or(u32::MAX);
            let ended_ms = u64::try_from(ended.as_millis()).unwrap_or(u64::MAX);
            self.uploads.push(UploadTime { number, took_ms, ended_ms });
        }
    }

    /// When the last upload of a unit ended, and the time since the start of the first.
    fn time_of(&self, number: u32) -> (Option<SystemTime>, Duration) {
        let uploads = of(&self.uploads, number, |upload| upload.number);
        let starts = uploads.iter().map(|upload| upload.ended_ms.saturating_sub(upload.took_ms.into()));
        let ends = uploads.iter().map(|upload| upload.ended_ms);
        let (Some(start), Some(end)) = (starts.min(), ends.max()) else { return (None, Duration::ZERO) };
        (UNIX_EPOCH.checked_add(Duration::from_millis(end)), Duration::from_millis(end.saturating_sub(start)))
    }

    fn attempts_of(&self, number: u32) -> Vec<SendAttempt> {
        of(&self.attempts, number, |(of, _)| *of).iter().map(|(_, attempt)| *attempt).collect()
    }
}

/// Returns what belongs to a unit in a list that is sorted by the numbers of units.
fn of<T>(list: &[T], number: u32, number_of: impl Fn(&T) -> u32) -> &[T] {
    let from = list.partition_point(|entry| number_of(entry) < number);
    let count = list[from..].partition_point(|entry| number_of(entry) == number);
    &list[from..from + count]
}

impl Finished {
    pub(crate) fn new(plan: Plan, units: Arc<UnitList>, mut outcomes: Outcomes, upload: Snapshot) -> Self {
        // Stable, so that the attempts of a unit keep their order.
        outcomes.attempts.sort_by_key(|(number, _)| *number);
        outcomes.uploads.sort_by_key(|upload| upload.number);
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
        let (ended_at, took) = self.outcomes.time_of(number);
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
            ended_at,
            took,
            error: problem.map(|(_, error)| error.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_takes_sixteen_bytes_and_so_does_the_time_of_an_upload() {
        assert_eq!((size_of::<(u32, SendAttempt)>(), size_of::<UploadTime>()), (16, 16));
    }

    #[test]
    fn the_time_of_a_unit_is_from_its_first_upload_to_its_last() {
        let mut outcomes = Outcomes::new(vec![3, 4, 5], vec![false; 3]);
        outcomes.uploads = [(3, 100, 10_100), (4, 500, 11_000), (4, 2_000, 12_000), (4, 10, 10_900)]
            .map(|(number, took_ms, ended_ms)| UploadTime { number, took_ms, ended_ms })
            .into();
        let at = |milliseconds| Some(UNIX_EPOCH + Duration::from_millis(milliseconds));
        assert_eq!(outcomes.time_of(3), (at(10_100), Duration::from_millis(100)));
        assert_eq!(outcomes.time_of(4), (at(12_000), Duration::from_secs(2)));
        assert_eq!(outcomes.time_of(5), (None, Duration::ZERO));
    }
}
