//! The progress of a run on standard error: a bar on a terminal, else a line from time to time. Other lines are written above the
//! bar.

mod estimate;
mod no_terminal;
mod row;

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use encord_upload::{ItemReport, Status};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use self::estimate::{Estimate, correction};
use self::no_terminal::NoTerminal;
use crate::args::When;
use crate::clock::time_of_day;
use crate::output::note;
use crate::runtime::Threads;

/// How many times per second the bar is drawn.
const DRAWS_PER_SECOND: u8 = 10;

/// How often the figures are read.
const TICK: Duration = Duration::from_millis(200);

/// How often a line is printed if there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(30);

/// The assumed width of a terminal of unknown width.
const DEFAULT_COLUMNS: usize = 80;

/// The progress of a batch. Clones share the bar.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    form: Form,
    shared: Arc<Shared>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Bar,
    Lines,
    Nothing,
}

#[derive(Debug, Default)]
struct Shared {
    correction: AtomicI64,
    /// The known lengths of the files, by the position of the item in the manifest: 8 bytes for each item.
    lengths: Mutex<Vec<u64>>,
    /// The bytes of all files.
    bytes: OnceLock<u64>,
    is_over: AtomicBool,
}

/// Writes lines above the bar.
#[derive(Debug)]
pub(crate) struct Above {
    bar: ProgressBar,
}

impl Progress {
    pub(crate) fn new(when: When, threads: Threads) -> Self {
        let form = match when {
            _ if threads == Threads::Few => Form::Nothing,
            When::Never => Form::Nothing,
            When::Always => Form::Bar,
            When::Auto if io::stderr().is_terminal() => Form::Bar,
            When::Auto => Form::Lines,
        };
        let target = match form {
            Form::Bar if io::stderr().is_terminal() => ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND),
            Form::Bar => ProgressDrawTarget::term_like_with_hz(Box::new(NoTerminal), DRAWS_PER_SECOND),
            Form::Lines | Form::Nothing => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(None, target);
        // The template is tested. If it were wrong, the default style would be used.
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        Self { bar, form, shared: Arc::default() }
    }

    /// Starts to show a batch of this many items. `files` returns the positions of the items and the lengths of their files. It
    /// may take long, so it is called on a separate thread, and only if progress is shown.
    pub(crate) fn follow(
        &self,
        batch: encord_upload::Progress,
        items: u64,
        files: impl Iterator<Item = (usize, u64)> + Send + 'static,
    ) {
        if self.form == Form::Nothing {
            return;
        }
        let (bar, form, shared) = (self.bar.clone(), self.form, Arc::clone(&self.shared));
        let mut estimate = Estimate::new(items);
        let mut last_line = Duration::ZERO;
        let show = move || {
            while !shared.is_over() {
                let correction = shared.correction.load(Ordering::Relaxed);
                let snapshot = batch.snapshot();
                let row = estimate.row(snapshot, correction, shared.bytes.get().copied());
                if form == Form::Bar {
                    bar.set_message(row.fit(columns()));
                    bar.tick();
                } else if is_due(snapshot.elapsed, &mut last_line) {
                    note(format_args!("{} {}", time_of_day(), row.all()));
                }
                thread::sleep(TICK);
            }
        };
        // Without these threads there is less to see, and no harm.
        let _ = thread::Builder::new().name("progress".to_owned()).spawn(show);
        let shared = Arc::clone(&self.shared);
        let measure = move || {
            let mut sum = 0_u64;
            for (index, length) in files {
                if shared.is_over() {
                    return;
                }
                sum = sum.saturating_add(length);
                let mut lengths = shared.lengths.lock().unwrap_or_else(PoisonError::into_inner);
                lengths.resize(index, 0);
                lengths.push(length);
            }
            let _ = shared.bytes.set(sum);
        };
        let _ = thread::Builder::new().name("lengths".to_owned()).spawn(measure);
    }

    /// Starts to show the texts that `shown` returns.
    pub(crate) fn show(&self, mut shown: impl FnMut() -> String + Send + 'static) {
        if self.form == Form::Nothing {
            return;
        }
        let (bar, form, shared) = (self.bar.clone(), self.form, Arc::clone(&self.shared));
        let (began, mut last_line) = (Instant::now(), Duration::ZERO);
        let show = move || {
            while !shared.is_over() {
                if form == Form::Bar {
                    bar.set_message(shown().chars().take(columns().saturating_sub(1)).collect::<String>());
                    bar.tick();
                } else if is_due(began.elapsed(), &mut last_line) {
                    note(format_args!("{} {}", time_of_day(), shown()));
                }
                thread::sleep(TICK);
            }
        };
        // Without this thread there is less to see, and no harm.
        let _ = thread::Builder::new().name("progress".to_owned()).spawn(show);
    }

    /// Counts an item that has ended.
    pub(crate) fn ended(&self, item: &ItemReport) {
        if self.form == Form::Nothing {
            return;
        }
        let known = self.shared.lengths.lock().unwrap_or_else(PoisonError::into_inner).get(item.index).copied();
        let length = if item.status == Status::Uploaded { item.bytes } else { known.unwrap_or(0) };
        self.shared.correction.fetch_add(correction(item, length), Ordering::Relaxed);
    }

    /// Removes the bar.
    pub(crate) fn end(&self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        self.bar.finish_and_clear();
    }

    pub(crate) fn above(&self) -> Above {
        Above { bar: self.bar.clone() }
    }
}

impl Shared {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
}

/// Whether the next line is due at this time since the start.
fn is_due(elapsed: Duration, last: &mut Duration) -> bool {
    let is_due = elapsed.saturating_sub(*last) >= LINE_INTERVAL;
    if is_due {
        *last = elapsed;
    }
    is_due
}

fn columns() -> usize {
    terminal_size::terminal_size_of(io::stderr()).map_or(DEFAULT_COLUMNS, |(width, _)| width.0.into())
}

/// Never fails: the upload continues even if its messages cannot be written.
impl Write for Above {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let _ = self.bar.suspend(|| io::stderr().write_all(line));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = io::stderr().flush();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_valid() {
        assert!(ProgressStyle::with_template("{msg}").is_ok());
    }

    #[test]
    fn a_line_is_due_every_thirty_seconds() {
        let mut last = Duration::ZERO;
        let due: Vec<u64> = (0..100).filter(|second| is_due(Duration::from_secs(*second), &mut last)).collect();
        assert_eq!(due, [30, 60, 90]);
        // After a long pause, such as that of a sleeping laptop, only one line is due.
        assert!(is_due(Duration::from_secs(1_000), &mut last));
        assert!(!is_due(Duration::from_secs(1_001), &mut last));
    }
}
