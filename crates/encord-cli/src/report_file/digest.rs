//! The totals of a report. Memory does not grow with the number of lines.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::SystemTime;

use encord_upload::Status;
use encord_upload::formats::ReportLine;
use serde::Serialize;

use super::timeline::{Bucket, Timeline};
use crate::failures::Failures;

/// How many of the slowest items are shown.
const SLOWEST: usize = 10;

/// The number of causes of retries that are kept. No report has as many.
const MAX_CAUSES: usize = 1000;

/// The digest of a report.
#[derive(Debug, Default)]
pub(super) struct Digest {
    pub(super) totals: Totals,
    pub(super) failures: Failures,
    pub(super) retries: BTreeMap<String, Retries>,
    pub(super) timeline: Timeline,
    /// The fastest of them first.
    slowest: BinaryHeap<Reverse<Slow>>,
}

/// Sums over all items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Totals {
    pub(super) uploaded: u64,
    pub(super) failed: u64,
    pub(super) cancelled: u64,
    pub(super) skipped: u64,
    pub(super) bytes: u64,
    pub(super) attempts: u64,
    /// All waits between attempts, in seconds.
    pub(super) waited_s: f64,
}

/// The attempts that were followed by a retry, by their outcomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Retries {
    pub(super) count: u64,
    pub(super) waited_s: f64,
}

/// An item that took long.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slow {
    pub(super) milliseconds: u64,
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) attempts: usize,
}

/// The digest for machines.
#[derive(Serialize)]
pub(super) struct Summary<'a> {
    #[serde(flatten)]
    totals: Totals,
    began_at: Option<String>,
    ended_at: Option<String>,
    seconds: Option<f64>,
    failures: Vec<FailureGroup<'a>>,
    retries: &'a BTreeMap<String, Retries>,
    slowest: Vec<SlowItem<'a>>,
    throughput: Vec<Bucket>,
}

#[derive(Serialize)]
struct FailureGroup<'a> {
    reason: &'a str,
    count: u64,
    example: &'a str,
}

#[derive(Serialize)]
struct SlowItem<'a> {
    path: &'a str,
    seconds: f64,
    bytes: u64,
    attempts: usize,
}

impl Digest {
    /// Adds the next line.
    pub(super) fn add(&mut self, line: &ReportLine<'_>) {
        let totals = &mut self.totals;
        match line.status {
            Status::Uploaded => totals.uploaded += 1,
            Status::Failed => {
                totals.failed += 1;
                self.failures.add(line.error.as_deref().unwrap_or_default(), &line.path);
            }
            Status::Skipped => totals.skipped += 1,
            _ => totals.cancelled += 1,
        }
        totals.bytes += line.bytes;
        totals.attempts += line.attempts.len() as u64;
        totals.waited_s += line.attempts.iter().map(|attempt| attempt.waited_s).sum::<f64>();
        for pair in line.attempts.windows(2).filter(|pair| pair[1].retry) {
            self.retry(&pair[0].outcome, pair[1].waited_s);
        }
        if let Some(ended) = line.ended_at {
            self.timeline.add(ended, line.seconds.unwrap_or(0.0), line.bytes);
        }
        if let Some(seconds) = line.seconds {
            self.slow(seconds, line);
        }
    }

    fn retry(&mut self, cause: &str, waited_s: f64) {
        if !self.retries.contains_key(cause) && self.retries.len() == MAX_CAUSES {
            return;
        }
        let retries = self.retries.entry(cause.to_owned()).or_default();
        retries.count += 1;
        retries.waited_s += waited_s;
    }

    fn slow(&mut self, seconds: f64, line: &ReportLine<'_>) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, which is right")]
        let milliseconds = (seconds * 1000.0) as u64;
        let is_among = |Reverse(slow): &Reverse<Slow>| milliseconds > slow.milliseconds;
        if self.slowest.len() < SLOWEST || self.slowest.peek().is_some_and(is_among) {
            let (path, attempts) = (line.path.clone().into_owned(), line.attempts.len());
            self.slowest.push(Reverse(Slow { milliseconds, path, bytes: line.bytes, attempts }));
            if self.slowest.len() > SLOWEST {
                self.slowest.pop();
            }
        }
    }

    /// The slowest items, the slowest first.
    pub(super) fn slowest(&self) -> Vec<&Slow> {
        let mut slowest: Vec<&Slow> = self.slowest.iter().map(|Reverse(slow)| slow).collect();
        slowest.sort_by(|one, other| other.cmp(one));
        slowest
    }

    /// The digest for machines.
    pub(super) fn summary(&self) -> Summary<'_> {
        let groups = self.failures.groups().into_iter();
        let (began, ended) = self.timeline.range().map_or((None, None), |(began, ended)| (Some(began), Some(ended)));
        let seconds =
            self.timeline.range().map(|(began, ended)| ended.duration_since(began).unwrap_or_default().as_secs_f64());
        Summary {
            totals: self.totals,
            began_at: began.map(timestamp),
            ended_at: ended.map(timestamp),
            seconds,
            failures: groups
                .map(|(reason, group)| FailureGroup { reason, count: group.count, example: &group.example })
                .collect(),
            retries: &self.retries,
            slowest: self.slowest().into_iter().map(SlowItem::from).collect(),
            throughput: self.timeline.buckets(usize::MAX),
        }
    }
}

impl<'a> From<&'a Slow> for SlowItem<'a> {
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    fn from(slow: &'a Slow) -> Self {
        let Slow { milliseconds, path, bytes, attempts } = slow;
        Self { path, seconds: *milliseconds as f64 / 1000.0, bytes: *bytes, attempts: *attempts }
    }
}

fn timestamp(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time).map(|time| format!("{time:.3}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::digest;

    fn line(index: u64, status: &str, more: &str) -> String {
        format!(
            r#"{{"index": {index}, "path": "f{index}", "title": "f", "status": "{status}", "bytes": 10, "attempts": {more}}}"#
        ) + "\n"
    }

    #[test]
    fn a_report_is_summed_up() {
        let attempts = r#"[{"outcome": "503", "phase": "waiting", "waited_s": 0.0},
            {"outcome": "reset", "phase": "sending", "waited_s": 1.5}, {"outcome": "200", "phase": "done", "waited_s": 3.0}]"#;
        let attempts = attempts.replace('\n', " ");
        let timed = format!(r#"{attempts}, "error": null, "ended_at": "2026-11-26T00:00:{{}}Z", "seconds": {{}}"#);
        let timed = |second: &str, took: &str| timed.replacen("{}", second, 1).replacen("{}", took, 1);
        let failed = r#"[], "error": "PUT h/a failed while waiting: 403 Forbidden (1 attempt: 403; x)""#;
        let report = [
            line(0, "uploaded", &timed("10", "4.5")),
            line(1, "failed", failed),
            line(2, "failed", failed),
            line(3, "skipped", r#"[], "error": null"#),
            line(4, "cancelled", r#"[], "error": null"#),
            line(5, "uploaded", &timed("14.5", "9")),
        ];
        let digest = digest(report.concat().as_bytes()).expect("a report");
        let summary = serde_json::to_value(digest.summary()).expect("written");
        assert_eq!(
            summary,
            serde_json::json!({
                "uploaded": 2, "failed": 2, "cancelled": 1, "skipped": 1, "bytes": 60, "attempts": 6, "waited_s": 9.0,
                "began_at": "2026-11-26T00:00:05.500Z", "ended_at": "2026-11-26T00:00:14.500Z", "seconds": 9.0,
                "failures": [{"reason": "403 Forbidden", "count": 2, "example": "f1"}],
                "retries": {"503": {"count": 2, "waited_s": 3.0}, "reset": {"count": 2, "waited_s": 6.0}},
                "slowest": [
                    {"path": "f5", "seconds": 9.0, "bytes": 10, "attempts": 3},
                    {"path": "f0", "seconds": 4.5, "bytes": 10, "attempts": 3},
                ],
                "throughput": summary["throughput"],
            })
        );
        let sum: f64 =
            summary["throughput"].as_array().expect("a list").iter().filter_map(|b| b["bytes"].as_f64()).sum();
        assert!((sum - 20.0).abs() < 1e-6, "{summary}");
    }

    #[test]
    fn the_first_attempt_of_each_later_file_of_a_unit_is_no_retry() {
        let attempt = |outcome: &str, waited: u32, more: &str| {
            format!(r#"{{"outcome": "{outcome}", "phase": "done", "waited_s": {waited}{more}}}"#)
        };
        let attempts = [
            attempt("200", 0, ""),
            attempt("503", 0, r#", "retry": false"#),
            attempt("200", 2, ""),
            attempt("200", 0, r#", "retry": false"#),
        ];
        let report = line(0, "uploaded", &format!(r#"[{}], "error": null"#, attempts.join(", ")));
        let summary = serde_json::to_value(digest(report.as_bytes()).expect("a report").summary()).expect("written");
        assert_eq!(summary["retries"], serde_json::json!({"503": {"count": 1, "waited_s": 2.0}}));
        assert_eq!(summary["attempts"], 4);
    }

    #[test]
    fn only_the_slowest_are_kept() {
        let report: String = (0..100)
            .map(|n| line(n, "uploaded", &format!(r#"[], "error": null, "seconds": {}"#, n * 37 % 100)))
            .collect();
        let digest = digest(report.as_bytes()).expect("a report");
        let slowest: Vec<u64> = digest.slowest().iter().map(|slow| slow.milliseconds / 1000).collect();
        assert_eq!(slowest, [99, 98, 97, 96, 95, 94, 93, 92, 91, 90]);
    }

    #[test]
    fn what_is_no_report_is_named_by_line() {
        let good = line(0, "uploaded", r#"[], "error": null"#);
        for bad in [r#"{"path": "a", "signed_url": "https://h/a?s3cret"}"#, "x", "[]", "{}"] {
            let error = digest(format!("{good}{bad}").as_bytes()).expect_err("no report").to_string();
            assert!(error.starts_with("line 2: ") && !error.contains("s3cret"), "{error}");
        }
    }
}
