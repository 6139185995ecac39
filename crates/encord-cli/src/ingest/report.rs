//! The report of an ingest: one line per unit, in the format of every upload report.

use encord_ingest::record::Stage;
use encord_ingest::{Finished, Problem, SendAttempt, UnitOutcome, UnitStatus};
use encord_upload::Status;
use encord_upload::formats::{ReportAttempt, ReportLine};
use serde::Serialize;

use crate::args::Stream;
use crate::output::{Failure, json};
use crate::report::Target;

/// The target of the report. The lines are written at the end; until then the ledger has all facts.
#[derive(Debug)]
pub(super) struct Lines(Target);

/// A line of the report.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    common: ReportLine<'a>,
    kind: Option<&'static str>,
    files: usize,
    stage: &'static str,
    item: Option<String>,
    retries: usize,
}

impl Lines {
    pub(super) fn open(stream: &Stream) -> Result<Self, Failure> {
        Target::open("report", stream).map(Self)
    }

    pub(super) fn write(self, finished: &Finished, problems: &[Problem]) -> Result<(), Failure> {
        self.0.write(&mut |out| {
            let (mut index, mut problems) = (0.., problems.iter().peekable());
            for unit in finished.units() {
                while let Some(problem) = problems.next_if(|problem| problem.before <= unit.index) {
                    json(out, &of_problem(index.next().unwrap_or_default(), problem))?;
                }
                json(out, &line(index.next().unwrap_or_default(), &unit))?;
            }
            for problem in problems {
                json(out, &of_problem(index.next().unwrap_or_default(), problem))?;
            }
            Ok(())
        })
    }
}

fn line(index: usize, unit: &UnitOutcome) -> Line<'_> {
    let (status, stage) = words(unit.status);
    let mut line = ReportLine::new(index, &unit.path, &unit.title, status);
    line.bytes = unit.bytes;
    line.attempts = unit.attempts.iter().enumerate().map(|(nth, attempt)| entry(attempt, nth)).collect();
    line.error = unit.error.as_deref().map(Into::into);
    line.ended_at = unit.ended_at;
    line.seconds = unit.ended_at.map(|_| unit.took.as_secs_f64());
    Line {
        common: line,
        kind: Some(unit.kind.as_str()),
        files: unit.files,
        stage,
        item: unit.item.map(|item| item.to_string()),
        retries: unit.attempts.iter().filter(|attempt| attempt.is_retry).count(),
    }
}

/// The entry about an attempt of a unit. The first attempt of all is no retry without saying so.
fn entry(attempt: &SendAttempt, nth: usize) -> ReportAttempt<'static> {
    let mut entry = ReportAttempt::new(attempt.outcome, attempt.phase, attempt.waited());
    entry.retry = attempt.is_retry || nth == 0;
    entry
}

fn of_problem(index: usize, Problem { path, title, error, .. }: &Problem) -> Line<'_> {
    let mut line = ReportLine::new(index, path, title, Status::Failed);
    line.error = Some(error.into());
    Line { common: line, kind: None, files: 1, stage: Stage::Walk.as_str(), item: None, retries: 0 }
}

/// Returns the status, and the stage that the unit reached or failed at.
fn words(status: UnitStatus) -> (Status, &'static str) {
    match status {
        UnitStatus::Skipped => (Status::Skipped, "done"),
        UnitStatus::Done => (Status::Uploaded, "done"),
        UnitStatus::Failed(stage) => (Status::Failed, stage.as_str()),
        UnitStatus::Unresolved => (Status::Failed, "unresolved"),
        _ => (Status::Cancelled, "left"),
    }
}
