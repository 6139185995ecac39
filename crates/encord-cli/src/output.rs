//! Exit codes, errors on standard error, data on standard output.

use std::fmt;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::escape::Escaped;
use crate::mistakes;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All done.
    Done = 0,
    /// Failed: a batch was stopped by a failure.
    Failed = 1,
    /// Wrong usage or input.
    Usage = 2,
    /// Finished, but some items failed and that was allowed.
    Partial = 3,
    /// Interrupted by a signal.
    Interrupted = 130,
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    errors: Vec<String>,
    hint: Option<String>,
}

impl Exit {
    /// How a run that came to its end exits, with so many failures.
    pub(crate) const fn with(failures: u64, allow_failures: bool) -> Self {
        match (failures, allow_failures) {
            (0, _) => Self::Done,
            (_, true) => Self::Partial,
            (_, false) => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Failure {
    /// Wrong usage or input.
    pub(crate) fn usage(error: impl fmt::Display) -> Self {
        Self::usages(vec![error.to_string()])
    }

    /// Wrong usage or input, in several places.
    pub(crate) fn usages(errors: Vec<String>) -> Self {
        Self { exit: Exit::Usage, errors, hint: None }
    }

    /// A failure that is not caused by the input.
    pub(crate) fn failed(error: impl fmt::Display) -> Self {
        Self::failures(vec![error.to_string()])
    }

    /// A failure with several errors.
    pub(crate) fn failures(errors: Vec<String>) -> Self {
        Self { exit: Exit::Failed, errors, hint: None }
    }

    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Writes the failure to standard error.
    pub(crate) fn show(&self) -> Exit {
        for error in &self.errors {
            note(format_args!("error: {error}"));
        }
        let meant = || self.errors.iter().find_map(|error| mistakes::meant(error));
        if let Some(hint) = self.hint.as_deref().or_else(meant) {
            note(format_args!("hint: {hint}"));
        }
        self.exit
    }
}

#[cfg(test)]
impl Failure {
    pub(crate) fn errors(&self) -> &[String] {
        &self.errors
    }
}

/// Whether only errors are written to standard error.
static IS_QUIET: AtomicBool = AtomicBool::new(false);

/// From now on writes only errors to standard error.
pub(crate) fn be_quiet() {
    IS_QUIET.store(true, Ordering::Relaxed);
}

/// Writes a line that is not an error to standard error, unless [`be_quiet`] was called.
pub(crate) fn say(line: impl fmt::Display) {
    if !IS_QUIET.load(Ordering::Relaxed) {
        note(line);
    }
}

/// Writes a line to standard error, with control characters escaped. A failure is ignored, because there is no place to report
/// it.
pub(crate) fn note(line: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "{}", Escaped(line));
}

/// Writes to standard output. If the reader has closed the pipe, this is not an error.
pub(crate) fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut stdout = BufWriter::new(io::stdout().lock());
    match write(&mut stdout).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::failed(format_args!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a JSON document on one line.
pub(crate) fn json(write: &mut dyn Write, value: &impl serde::Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *write, value)?;
    writeln!(write)
}
