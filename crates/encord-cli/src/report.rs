//! The report, one JSON object a line, and the summary in both forms.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::time::Duration;

use encord_http::{Attempt, Outcome};
use encord_upload::{ItemReport, Report, Summary};
use serde::Serialize;

use crate::args::Stream;
use crate::output::{Failure, json, print};

/// Where the report goes. A file is made before anything is sent, so that no upload ends without a report.
#[derive(Debug)]
pub(crate) enum Target {
    Standard,
    File(String, File),
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

#[derive(Serialize)]
struct Line<'a> {
    index: usize,
    path: &'a str,
    title: &'a str,
    status: &'static str,
    bytes: u64,
    attempts: Vec<AttemptLine>,
    error: Option<String>,
}

#[derive(Serialize)]
struct AttemptLine {
    outcome: String,
    phase: &'static str,
    waited_s: f64,
}

impl Target {
    /// Opens the target.
    ///
    /// # Errors
    ///
    /// The file cannot be made.
    pub(crate) fn open(stream: &Stream) -> Result<Self, Failure> {
        match stream {
            Stream::Standard => Ok(Self::Standard),
            Stream::File(path) => {
                let name = path.display().to_string();
                let file = File::create(path);
                let file = file.map_err(|error| Failure::usage(format_args!("report {name}: {error}")))?;
                Ok(Self::File(name, file))
            }
        }
    }

    /// Writes the report.
    ///
    /// # Errors
    ///
    /// Writing fails.
    pub(crate) fn write(self, report: &Report) -> Result<(), Failure> {
        match self {
            Self::Standard => print(|out| write(out, report)),
            Self::File(name, file) => {
                let mut out = BufWriter::new(file);
                write(&mut out, report)
                    .and_then(|()| out.flush())
                    .map_err(|error| Failure::failed(format_args!("cannot write the report {name}: {error}")))
            }
        }
    }
}

impl Sums {
    pub(crate) fn new(summary: Summary, elapsed: Duration) -> Self {
        let Summary { uploaded, failed, cancelled, skipped, bytes, attempts, .. } = summary;
        // To the millisecond; more would be noise.
        let seconds = Duration::new(elapsed.as_secs(), elapsed.subsec_millis() * 1_000_000).as_secs_f64();
        Self { uploaded, failed, cancelled, skipped, bytes, attempts, seconds }
    }

    /// The sums in a sentence.
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

fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    report.items().iter().try_for_each(|item| {
        let ItemReport { index, path, title, status, bytes, attempts, error, .. } = item;
        let line = Line {
            index: *index,
            path: &path.to_string_lossy(),
            title,
            status: status.as_str(),
            bytes: *bytes,
            attempts: attempts.iter().map(AttemptLine::from).collect(),
            error: error.as_ref().map(ToString::to_string),
        };
        json(out, &line)
    })
}

impl From<&Attempt> for AttemptLine {
    fn from(attempt: &Attempt) -> Self {
        let outcome = match &attempt.outcome {
            Outcome::Status(status) => status.as_str().to_owned(),
            Outcome::Fault(fault) => fault.kind().as_str().to_owned(),
        };
        Self { outcome, phase: attempt.phase.as_str(), waited_s: attempt.waited.as_secs_f64() }
    }
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
