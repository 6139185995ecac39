//! The report, one JSON object per line, and the summary as text and as JSON.

mod spool;
mod target;

use std::io;
use std::time::Duration;

use encord_upload::formats::ReportLine;
use encord_upload::{ItemReport, Summary, UploadItem};
use serde::Serialize;

use self::spool::Spool;
pub(crate) use self::target::{Target, could_be_made, folder};
use crate::args::Stream;
use crate::output::{Failure, json};

/// The report of a run. Lines are added when items end, and written in the order of the manifest.
#[derive(Debug)]
pub(crate) struct Reporter {
    target: Target,
    spool: io::Result<Spool>,
}

/// A line of the report.
#[derive(Debug)]
pub(crate) struct Line {
    index: u64,
    text: Vec<u8>,
}

/// The sums of a run.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Sums {
    uploaded: u64,
    failed: u64,
    cancelled: u64,
    skipped: u64,
    bytes: u64,
    attempts: u64,
    seconds: f64,
}

impl Reporter {
    /// Begins a report. An existing file is not changed before [`finish`](Self::finish).
    ///
    /// # Errors
    ///
    /// The report cannot be written there.
    pub(crate) fn open(stream: &Stream) -> Result<Self, Failure> {
        let target = Target::open("report", stream)?;
        let spool = Ok(Spool::new(target.scratch()?, target.scratch()?));
        Ok(Self { target, spool })
    }

    /// Checks whether a report could be written, without writing it.
    ///
    /// # Errors
    ///
    /// It could not.
    pub(crate) fn check(stream: &Stream) -> Result<(), Failure> {
        Target::check("report", stream)
    }

    /// Adds a line. The first error is kept for the end, so that the uploads continue.
    pub(crate) fn add(&mut self, line: &Line) {
        if let Ok(spool) = &mut self.spool
            && let Err(error) = spool.add(line.index, &line.text)
        {
            self.spool = Err(error);
        }
    }

    /// Adds an item that an earlier report lists as uploaded.
    pub(crate) fn add_skipped(&mut self, index: usize, item: &UploadItem) {
        self.add(&Line::from(&ReportLine::skipped(index, item)));
    }

    /// Writes the report to its place.
    ///
    /// # Errors
    ///
    /// Writing failed, now or earlier.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let Self { target, spool } = self;
        let mut spool = spool.map_err(|error| target.unwritable(&error))?;
        target.write(&mut |out| spool.copy(out))
    }
}

impl Line {
    /// Its length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }
}

impl From<&ItemReport> for Line {
    fn from(item: &ItemReport) -> Self {
        Self::from(&ReportLine::from(item))
    }
}

impl From<&ReportLine<'_>> for Line {
    fn from(line: &ReportLine<'_>) -> Self {
        let mut text = Vec::with_capacity(256);
        // Serialising text and numbers cannot fail.
        let _ = json(&mut text, line);
        Self { index: line.index, text }
    }
}

impl Sums {
    pub(crate) fn new(summary: Summary, elapsed: Duration) -> Self {
        let Summary { uploaded, failed, cancelled, skipped, bytes, attempts, .. } = summary;
        // Rounded to milliseconds; more digits would not be meaningful.
        let seconds = Duration::new(elapsed.as_secs(), elapsed.subsec_millis() * 1_000_000).as_secs_f64();
        Self { uploaded, failed, cancelled, skipped, bytes, attempts, seconds }
    }

    /// Returns the totals as a sentence.
    pub(crate) fn sentence(&self) -> String {
        let Self { uploaded, failed, cancelled, skipped, bytes, attempts, seconds } = self;
        let bytes = human_bytes(*bytes);
        let plural = if *attempts == 1 { "" } else { "s" };
        format!(
            "{uploaded} uploaded, {failed} failed, {cancelled} cancelled, {skipped} skipped; \
             {bytes} in {seconds:.1} s, {attempts} attempt{plural}"
        )
    }
}

/// `999 B`, `1.2 kB`, `123 MB`: powers of 1000, rounded down.
pub(crate) fn human_bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    let Some((unit, power)) = UNITS.iter().zip(1..).take_while(|(_, power)| bytes >= 1000_u64.pow(*power)).last()
    else {
        return format!("{bytes} B");
    };
    let tenths = bytes / (1000_u64.pow(power) / 10);
    let whole = tenths / 10;
    if whole < 10 { format!("{whole}.{} {unit}", tenths % 10) } else { format!("{whole} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_rounded_down() {
        #[track_caller]
        fn check(bytes: u64, expected: &str) {
            assert_eq!(human_bytes(bytes), expected);
        }
        check(0, "0 B");
        check(999, "999 B");
        check(1_000, "1.0 kB");
        check(9_999, "9.9 kB");
        check(10_000, "10 kB");
        check(123_456_789, "123 MB");
        check(999_999_999, "999 MB");
        check(u64::MAX, "18 EB");
    }

    #[test]
    fn the_summary_is_one_sentence() {
        let sums = Sums {
            uploaded: 98,
            failed: 2,
            cancelled: 0,
            skipped: 0,
            bytes: 123_000_000,
            attempts: 104,
            seconds: 4.213,
        };
        assert_eq!(sums.sentence(), "98 uploaded, 2 failed, 0 cancelled, 0 skipped; 123 MB in 4.2 s, 104 attempts");
    }
}
