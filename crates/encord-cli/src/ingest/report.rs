//! The report of an ingest: one line per unit, in the format of every upload report.

use std::borrow::Cow;

use encord_ingest::record::Stage;
use encord_ingest::{Finished, Problem, SendAttempt, UnitOutcome, UnitStatus};
use serde::Serialize;

use crate::args::Stream;
use crate::output::{Failure, json};
use crate::report::Target;

/// The target of the report. The lines are written at the end; until then the ledger has all facts.
#[derive(Debug)]
pub(super) struct Lines(Target);

/// A line of the report. Its first seven fields are those of every report.
#[derive(Serialize)]
struct Line<'a> {
    index: usize,
    path: Cow<'a, str>,
    title: Cow<'a, str>,
    status: &'static str,
    bytes: u64,
    attempts: Vec<AttemptEntry>,
    error: Option<&'a str>,
    kind: Option<&'static str>,
    files: usize,
    stage: &'static str,
    item: Option<String>,
    retries: u64,
}

/// An attempt to send a file, as in every report.
#[derive(Serialize)]
struct AttemptEntry {
    outcome: Cow<'static, str>,
    phase: &'static str,
    waited_s: f64,
}

impl AttemptEntry {
    fn of(attempt: &SendAttempt) -> Self {
        let outcome = match attempt.outcome {
            Ok(status) => status.as_str().to_owned().into(),
            Err(fault) => fault.as_str().into(),
        };
        Self { outcome, phase: attempt.phase.as_str(), waited_s: attempt.waited().as_secs_f64() }
    }
}

impl Lines {
    pub(super) fn open(stream: &Stream) -> Result<Self, Failure> {
        Target::open("report", stream).map(Self)
    }

    pub(super) fn write(self, finished: &Finished, problems: &[Problem]) -> Result<(), Failure> {
        self.0.write(&mut |out| {
            let mut index = 0;
            for unit in finished.units() {
                index = unit.index + 1;
                json(out, &line(&unit))?;
            }
            for (index, problem) in (index..).zip(problems) {
                json(out, &of_problem(index, problem))?;
            }
            Ok(())
        })
    }
}

fn line(unit: &UnitOutcome) -> Line<'_> {
    let (status, stage) = words(unit.status);
    Line {
        index: unit.index,
        path: unit.path.to_string_lossy(),
        title: (&unit.title).into(),
        status,
        bytes: unit.bytes,
        attempts: unit.attempts.iter().map(AttemptEntry::of).collect(),
        error: unit.error.as_deref(),
        kind: Some(unit.kind.as_str()),
        files: unit.files,
        stage,
        item: unit.item.map(|item| item.to_string()),
        retries: unit.retries,
    }
}

fn of_problem(index: usize, problem: &Problem) -> Line<'_> {
    let name = problem.path.file_name().unwrap_or_default();
    Line {
        index,
        path: problem.path.to_string_lossy(),
        title: name.to_string_lossy(),
        status: "failed",
        bytes: 0,
        attempts: Vec::new(),
        error: Some(&problem.error),
        kind: None,
        files: 1,
        stage: Stage::Walk.as_str(),
        item: None,
        retries: 0,
    }
}

/// Returns the status, and the stage that the unit reached or failed at.
fn words(status: UnitStatus) -> (&'static str, &'static str) {
    match status {
        UnitStatus::Skipped => ("skipped", "done"),
        UnitStatus::Done => ("uploaded", "done"),
        UnitStatus::Failed(stage) => ("failed", stage.as_str()),
        UnitStatus::Unresolved => ("failed", "unresolved"),
        _ => ("cancelled", "left"),
    }
}
