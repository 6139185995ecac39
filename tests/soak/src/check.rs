//! Checks the report and the journal of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::comparison::{Comparison, Record};
use crate::lab::{Result, at};
use crate::upload::{Cut, Ended, RunFiles};

/// The items of a campaign, and the set of items that are known to be stored.
pub(crate) struct Items {
    /// The paths in the order of the manifest.
    pub(crate) paths: Vec<String>,
    pub(crate) lengths: Vec<u64>,
    pub(crate) done: BTreeSet<usize>,
    pub(crate) allow_failures: bool,
    pub(crate) has_journal: bool,
    journal: Vec<u8>,
    report: Vec<u8>,
}

/// The report of a run.
struct Report {
    uploaded: BTreeSet<usize>,
    failed: u64,
}

impl Items {
    pub(crate) fn new(paths: Vec<String>, lengths: Vec<u64>, allow_failures: bool, has_journal: bool) -> Self {
        let (done, journal, report) = Default::default();
        Self { paths, lengths, done, allow_failures, has_journal, journal, report }
    }

    pub(crate) fn object(&self, index: usize) -> &str {
        self.paths[index].rsplit('/').next().unwrap_or_default()
    }

    /// Checks the files that a run left, and adds their attempts to the comparison. `records` are the store's log of the run.
    pub(crate) fn settle(
        &mut self,
        ended: Ended,
        files: &RunFiles,
        records: &[Record],
        comparison: &mut Comparison,
    ) -> Result<()> {
        self.check_requests(records, comparison)?;
        check_secrets(files)?;
        let report = read(&files.report())?;
        let told = match (ended.cut, ended.code) {
            // A run that was interrupted before it sent anything writes no report.
            (Some(Cut::Interrupt(_)), Some(130)) if text(&files.stdout)?.is_empty() && report == self.report => {
                if let Some(record) = records.iter().find(|record| !comparison.may_be_late(&record.object)) {
                    return Err(format!("interrupted, it had sent this and does not say so: {record:?}").into());
                }
                false
            }
            (_, Some(0 | 1 | 3)) | (Some(Cut::Interrupt(_)), Some(130)) => true,
            // The run exited immediately, before or after it wrote the report. A signal may come before its handler is installed.
            (Some(Cut::Twice), Some(130)) | (Some(_), None) => report != self.report,
            _ => return Err(format!("a run ended with {ended:?}: {}", text(&files.stderr)?).into()),
        };
        let journaled = self.read_journal(files)?;
        if told {
            let report = self.read_report(&report, ended, files, comparison)?;
            if self.has_journal && report.uploaded != journaled {
                return Err(
                    format!("the report has {:?} as uploaded, the journal {journaled:?}", report.uploaded).into()
                );
            }
            let expected = match (ended.cut, report.failed) {
                (None, 0) => Some(0),
                (None, _) if self.allow_failures => Some(3),
                (None, _) => Some(1),
                // The signal may have come too late to matter.
                (Some(_), _) => ended.code,
            };
            if ended.code != expected {
                return Err(format!("{} failed, and the exit code is {:?}", report.failed, ended.code).into());
            }
            self.done.extend(report.uploaded);
        } else {
            for index in (0..self.paths.len()).filter(|index| !self.done.contains(index)) {
                comparison.hide(self.object(index));
            }
            self.done.extend(journaled);
        }
        self.report = report;
        for entry in fs::read_dir(&files.out)? {
            let path = entry?.path();
            // An unfinished report, which a killed run could not remove.
            if !told && path.to_string_lossy().contains("/.encord-report-") {
                fs::remove_file(&path).map_err(at(&path))?;
            } else if path != files.report() && path != files.journal() {
                return Err(format!("a run left {}", path.display()).into());
            }
        }
        Ok(())
    }

    /// Checks that no finished item was sent again.
    fn check_requests(&self, records: &[Record], comparison: &Comparison) -> Result<()> {
        let done = self.done.iter().map(|index| self.object(*index));
        let done: BTreeSet<&str> = done.filter(|object| !comparison.may_be_late(object)).collect();
        match records.iter().find(|record| record.status.is_some() && done.contains(record.object.as_str())) {
            Some(record) => Err(format!("it was done and is sent again: {record:?}").into()),
            None => Ok(()),
        }
    }

    /// Reads the new entries of the journal.
    fn read_journal(&mut self, files: &RunFiles) -> Result<BTreeSet<usize>> {
        let mut journal = read(&files.journal())?;
        // Ignores an incomplete last line, as the next run does.
        journal.truncate(journal.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
        let Some(added) = journal.strip_prefix(&*self.journal) else {
            return Err("the journal has lost what it had".into());
        };
        let header = usize::from(self.journal.is_empty());
        let mut entries = BTreeSet::new();
        for line in added.split_inclusive(|byte| *byte == b'\n').skip(header) {
            let entry: Value = serde_json::from_slice(line)?;
            let index =
                self.paths.iter().position(|path| entry["path"] == **path).ok_or("a path that is none of ours")?;
            if entry["size"] != self.lengths[index] || self.done.contains(&index) || !entries.insert(index) {
                return Err(format!("the journal has it twice, or with another length: {entry}").into());
            }
        }
        self.journal = journal;
        Ok(entries)
    }

    /// Checks that the report has a line for each item, in the order of the manifest, and that the summary has the sums of the lines.
    fn read_report(
        &self,
        report: &[u8],
        ended: Ended,
        files: &RunFiles,
        comparison: &mut Comparison,
    ) -> Result<Report> {
        let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
        let mut uploaded = BTreeSet::new();
        let lines: Vec<Value> = report
            .split_inclusive(|byte| *byte == b'\n')
            .map(serde_json::from_slice)
            .collect::<std::result::Result<_, _>>()?;
        if lines.len() != self.paths.len() {
            return Err(format!("the report has {} lines for {} items", lines.len(), self.paths.len()).into());
        }
        for (index, line) in lines.iter().enumerate() {
            let wrong = || format!("this line of the report is not true ({ended:?}): {line}");
            let attempts = line["attempts"].as_array().ok_or_else(wrong)?;
            let outcome = |attempt: &Value| {
                Some((attempt["outcome"].as_str()?.to_owned(), attempt["phase"].as_str()?.to_owned()))
            };
            let attempts: Vec<_> = attempts.iter().map(outcome).collect::<Option<_>>().ok_or_else(wrong)?;
            for (outcome, phase) in &attempts {
                comparison.attempt(self.object(index), outcome, phase);
            }
            let last = attempts.last().map(|(outcome, phase)| (&**outcome, &**phase));
            let was_done = self.done.contains(&index);
            let status = line["status"].as_str().ok_or_else(wrong)?;
            let is_true = match status {
                "skipped" => was_done && attempts.is_empty(),
                "uploaded" => {
                    uploaded.insert(index);
                    !was_done && last == Some(("200", "done")) && line["bytes"] == self.lengths[index]
                }
                "failed" => !was_done && last.is_some_and(|(outcome, _)| outcome != "200") && line["error"].is_string(),
                "cancelled" => {
                    comparison.hide(self.object(index));
                    !self.allow_failures || ended.cut.is_some()
                }
                _ => false,
            };
            if !is_true || line["index"] != index || line["path"] != *self.paths[index] {
                return Err(wrong().into());
            }
            *sums.entry(status).or_default() += 1;
            *sums.entry("attempts").or_default() += attempts.len() as u64;
            *sums.entry("bytes").or_default() += line["bytes"].as_u64().ok_or_else(wrong)?;
        }
        // A run that exited immediately may not have printed a summary.
        let summary = text(&files.stdout)?;
        if !(summary.is_empty() && matches!(ended.cut, Some(Cut::Kill | Cut::Twice))) {
            let summary: Value = serde_json::from_str(&summary)?;
            for name in ["uploaded", "failed", "cancelled", "skipped", "bytes", "attempts"] {
                if summary[name] != sums.get(name).copied().unwrap_or_default() {
                    return Err(format!("the summary is {summary}, the lines of the report come to {sums:?}").into());
                }
            }
        }
        Ok(Report { uploaded, failed: sums.get("failed").copied().unwrap_or_default() })
    }
}

/// Checks that no output and no file contains a signature.
fn check_secrets(files: &RunFiles) -> Result<()> {
    for path in [&files.stdout, &files.stderr, &files.report(), &files.journal()] {
        if String::from_utf8_lossy(&read(path)?).contains("-Signature=") {
            return Err(format!("{}: has a signature in it", path.display()).into());
        }
    }
    Ok(())
}

/// Reads a file; empty if it does not exist.
fn read(path: &Path) -> Result<Vec<u8>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    Ok(fs::read(path).map_err(at(path))?)
}

fn text(path: &Path) -> Result<String> {
    Ok(fs::read_to_string(path).map_err(at(path))?)
}
