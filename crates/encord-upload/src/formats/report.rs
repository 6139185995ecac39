//! A line of a report.

use std::borrow::Cow;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, SystemTime};

use encord_http::{Attempt, FaultKind, Outcome, Phase, StatusCode};
use serde::{Deserialize, Serialize, Serializer};

use super::FormatError;
use super::text::Lines;
use crate::item::UploadItem;
use crate::report::{ItemReport, Status};

/// The line of a report about one item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReportLine<'a> {
    /// The place of the item in the manifest, from 0.
    pub index: u64,
    /// The file.
    #[serde(borrow)]
    pub path: Cow<'a, str>,
    /// The title of the item.
    #[serde(borrow)]
    pub title: Cow<'a, str>,
    /// The result.
    pub status: Status,
    /// The bytes that the server has acknowledged.
    pub bytes: u64,
    /// Every attempt, in order.
    #[serde(borrow)]
    pub attempts: Vec<ReportAttempt<'a>>,
    /// The error, if the item failed.
    #[serde(borrow)]
    pub error: Option<Cow<'a, str>>,
    /// When the item ended, if it was started.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "timestamp")]
    pub ended_at: Option<SystemTime>,
    /// The time from start to end with all waits, if the item was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

/// The entry of a report about one attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReportAttempt<'a> {
    /// A status, or the kind of a fault.
    #[serde(borrow)]
    pub outcome: Cow<'a, str>,
    /// The phase in which the outcome became known.
    #[serde(borrow)]
    pub phase: Cow<'a, str>,
    /// The wait before the attempt, in seconds.
    pub waited_s: f64,
    /// Whether it repeats the attempt before it. Written only where it is false: at the first attempt of another file, in the line
    /// of several files.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub retry: bool,
}

/// What an attempt is unless the line says otherwise.
const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_true(value: &bool) -> bool {
    *value
}

/// Returns milliseconds, as in a line of a report.
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A time in the form of RFC 3339, in UTC, to the millisecond.
mod timestamp {
    use std::time::SystemTime;

    use jiff::Timestamp;
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::Serializer;

    #[expect(clippy::ref_option, reason = "as serde asks for it")]
    pub(super) fn serialize<S: Serializer>(time: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
        match time.and_then(|time| Timestamp::try_from(time).ok()) {
            Some(time) => serializer.collect_str(&format_args!("{time:.3}")),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SystemTime>, D::Error> {
        let Some(text) = Option::<std::borrow::Cow<'de, str>>::deserialize(deserializer)? else { return Ok(None) };
        let time = text.parse::<Timestamp>().map_err(|_| D::Error::custom("not a time"))?;
        SystemTime::try_from(time).map(Some).map_err(|_| D::Error::custom("a time that is out of range"))
    }
}

/// The lines of a report, read one at a time.
pub struct ReportLines<R> {
    lines: Lines<R>,
}

impl<'a> ReportLine<'a> {
    /// Makes the line of an item of which nothing else is known.
    pub fn new(index: usize, path: &'a Path, title: impl Into<Cow<'a, str>>, status: Status) -> Self {
        Self {
            index: index as u64,
            path: path.to_string_lossy(),
            title: title.into(),
            status,
            bytes: 0,
            attempts: Vec::new(),
            error: None,
            ended_at: None,
            seconds: None,
        }
    }

    /// Makes the line of an item that is skipped because an earlier report lists it as uploaded.
    pub fn skipped(index: usize, item: &'a UploadItem) -> Self {
        Self::new(index, &item.path, item.display_title(), Status::Skipped)
    }
}

impl ReportAttempt<'_> {
    /// Makes the entry of an attempt that repeats the one before it, or is the first.
    pub fn new(outcome: Result<StatusCode, FaultKind>, phase: Phase, waited: Duration) -> Self {
        let outcome = match outcome {
            Ok(status) => Cow::Owned(status.as_str().to_owned()),
            Err(fault) => Cow::Borrowed(fault.as_str()),
        };
        Self { outcome, phase: phase.as_str().into(), waited_s: waited.as_secs_f64(), retry: true }
    }
}

impl<'a> From<&'a ItemReport> for ReportLine<'a> {
    fn from(item: &'a ItemReport) -> Self {
        let ItemReport { index, path, title, status, bytes, attempts, error, ended_at, took } = item;
        Self {
            bytes: *bytes,
            attempts: attempts.iter().map(ReportAttempt::from).collect(),
            error: error.as_ref().map(|error| error.to_string().into()),
            ended_at: *ended_at,
            // Rounded to milliseconds; more digits would not be meaningful.
            seconds: ended_at.map(|_| Duration::from_millis(millis(*took)).as_secs_f64()),
            ..Self::new(*index, path, title, *status)
        }
    }
}

impl Serialize for ItemReport {
    /// Serialises the item as a line of a report.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ReportLine::from(self).serialize(serializer)
    }
}

impl From<&Attempt> for ReportAttempt<'_> {
    fn from(attempt: &Attempt) -> Self {
        let outcome = match &attempt.outcome {
            Outcome::Status(status) => Ok(*status),
            Outcome::Fault(fault) => Err(fault.kind()),
        };
        Self::new(outcome, attempt.phase, attempt.waited)
    }
}

impl<R: Read> ReportLines<R> {
    /// Reads a report.
    pub fn new(reader: R) -> Self {
        Self { lines: Lines::new(reader) }
    }

    /// Passes the next line to `read`. Returns `None` after the last line.
    ///
    /// # Errors
    ///
    /// [`FormatError`]: the line cannot be read, or is not a line of a report.
    pub fn next_with<T>(&mut self, read: impl FnOnce(ReportLine<'_>) -> T) -> Result<Option<T>, FormatError> {
        let Some((number, line)) = self.lines.next()? else { return Ok(None) };
        match serde_json::from_str(&line) {
            Ok(line) => Ok(Some(read(line))),
            Err(error) => {
                // The messages of `serde_json` repeat values.
                let reason = format!("not a line of a report (column {})", error.column());
                Err(FormatError::Line { number, reason })
            }
        }
    }
}

impl<R> std::fmt::Debug for ReportLines<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReportLines").finish_non_exhaustive()
    }
}
