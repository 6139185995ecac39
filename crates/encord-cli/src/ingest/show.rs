//! The texts about an ingest for a person.

use std::collections::BTreeMap;
use std::time::Duration;

use encord_client::{Error, ErrorKind};
use encord_ingest::{Finished, IngestProgress, LeftOut, Made, Names, Problem, UnitStatus};
use serde::Serialize;

use crate::args::UploadArgs;
use crate::failures::{self, Failures};
use crate::output::{Failure, json, print, say};
use crate::report::human_bytes;

/// Says how many files are left out, by reason, and names the first of them.
pub(super) fn left_out(left_out: &BTreeMap<LeftOut, Names>) {
    for (reason, Names { count, examples }) in left_out {
        let names: Vec<_> = examples.iter().map(|path| path.display().to_string()).collect();
        let more = if *count > examples.len() as u64 { ", …" } else { "" };
        say(format_args!("left out: {count} {}: {}{more}", reason.as_str(), names.join(", ")));
    }
}

/// Reports the files and folders that could not be read.
pub(super) fn problems(problems: &[Problem], allow_failures: bool) -> Result<(), Failure> {
    let lines = problems.iter().map(|Problem { path, error, .. }| format!("{}: {error}", path.display()));
    if allow_failures {
        lines.for_each(|line| say(format_args!("warning: {line}")));
        return Ok(());
    }
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return Ok(());
    }
    Err(Failure::failures(lines).with_hint("nothing was sent; with --allow-failures the other files are uploaded"))
}

/// Says which folder and dataset were made.
pub(super) fn made(made: Made) {
    match made {
        Made::Folder(path) => say(format_args!("made the folder {path}")),
        Made::Dataset(title) => say(format_args!("made the dataset {title}")),
    }
}

/// Returns the failure for a folder or dataset that is missing or ambiguous, or for a failed call.
pub(super) fn unresolved_name(error: &Error, is_shard: bool) -> Failure {
    let failure = match error.kind() {
        ErrorKind::AmbiguousName | ErrorKind::NoSuchName | ErrorKind::Input => Failure::usage(error),
        _ => Failure::failed(error),
    };
    if is_shard && error.kind() == ErrorKind::NoSuchName {
        return failure
            .with_hint("a shard makes no folder and no dataset, so that there is one of each: make them first");
    }
    failure
}

/// Returns the progress as a line.
pub(super) fn bar(view: &IngestProgress, units: u64) -> String {
    let (totals, upload) = (view.totals(), view.upload());
    let mut parts = vec![
        format!("{}/{} files sent", totals.sent, totals.files),
        format!("{}/{units} registered", totals.registered),
    ];
    if totals.linked > 0 {
        parts.push(format!("{} linked", totals.linked));
    }
    parts.push(human_bytes(upload.bytes_sent));
    if upload.retries > 0 {
        parts.push(format!("{} retries", upload.retries));
    }
    if totals.failed + totals.unresolved > 0 {
        parts.push(format!("{} failed", totals.failed + totals.unresolved));
    }
    parts.join(", ")
}

/// Shows the failures by reason, and how to try again those that the next run tries again.
pub(super) fn failures(finished: &Finished, problems: &[Problem]) {
    let mut failures = Failures::default();
    for unit in finished.units() {
        if let (UnitStatus::Failed(_) | UnitStatus::Unresolved, Some(error)) = (unit.status, &unit.error) {
            let what = if unit.status == UnitStatus::Unresolved { "unresolved: " } else { "" };
            failures.add(&format!("{what}{error}"), &unit.path.to_string_lossy());
        }
    }
    for Problem { path, error, .. } in problems {
        failures.add(error, &path.to_string_lossy());
    }
    failures.tell();
    if finished.totals().failed > 0 || !problems.is_empty() {
        failures::tell_how_to_try_again(None, true);
    }
}

#[derive(Serialize)]
struct Sums {
    files: u64,
    sent: u64,
    units: u64,
    registered: u64,
    linked: u64,
    failed: u64,
    unresolved: u64,
    skipped: u64,
    left: u64,
    bytes: u64,
    seconds: f64,
}

/// Shows the totals of the run.
pub(super) fn sums(finished: &Finished, problems: u64, elapsed: Duration, args: &UploadArgs) -> Result<(), Failure> {
    let totals = finished.totals();
    let (mut skipped, mut left) = (0, 0);
    for unit in finished.units() {
        skipped += u64::from(unit.status == UnitStatus::Skipped);
        left += u64::from(unit.status == UnitStatus::Left);
    }
    let sums = Sums {
        files: totals.files + problems,
        sent: finished.upload().ended.uploaded,
        units: totals.units + problems,
        registered: totals.registered,
        linked: totals.linked,
        failed: totals.failed + problems,
        unresolved: totals.unresolved,
        skipped,
        left,
        bytes: finished.upload().ended.bytes,
        seconds: Duration::new(elapsed.as_secs(), elapsed.subsec_millis() * 1_000_000).as_secs_f64(),
    };
    if args.json {
        return print(|out| json(out, &sums));
    }
    let Sums { sent, registered, linked, failed, unresolved, bytes, seconds, .. } = &sums;
    let mut parts = vec![format!("{sent} files sent"), format!("{registered} registered")];
    parts.extend((*linked > 0).then(|| format!("{linked} linked")));
    parts.push(format!("{failed} failed"));
    parts.extend((*unresolved > 0).then(|| format!("{unresolved} unresolved")));
    parts.extend((skipped > 0).then(|| format!("{skipped} done before")));
    parts.extend((left > 0).then(|| format!("{left} left to do")));
    say(format_args!("{}; {} in {seconds:.1} s", parts.join(", "), human_bytes(*bytes)));
    Ok(())
}
