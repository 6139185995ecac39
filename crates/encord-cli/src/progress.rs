//! The progress bar on standard error, and lines above it.

mod estimate;
mod no_terminal;

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use encord_upload::{ItemReport, Status};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use self::estimate::{Estimate, correction};
use self::no_terminal::NoTerminal;
use crate::args::When;

/// How often the bar is drawn, times a second.
const RATE: u8 = 10;

/// How often it moves.
const TICK: Duration = Duration::from_millis(200);

/// Cut at the end when the terminal is too narrow.
const TEMPLATE: &str = "{bar:20} {wide_msg}";

/// The progress of a batch. Clones share the bar.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    correction: AtomicI64,
    /// The bytes of all items.
    bytes: OnceLock<u64>,
    is_over: AtomicBool,
}

/// Writes above the bar, without tearing it.
#[derive(Debug)]
pub(crate) struct Above {
    bar: ProgressBar,
}

impl Progress {
    pub(crate) fn new(when: When) -> Self {
        let target = match when {
            When::Never => ProgressDrawTarget::hidden(),
            When::Auto => ProgressDrawTarget::stderr_with_hz(RATE),
            When::Always if io::stderr().is_terminal() => ProgressDrawTarget::stderr_with_hz(RATE),
            When::Always => ProgressDrawTarget::term_like_with_hz(Box::new(NoTerminal), RATE),
        };
        let bar = ProgressBar::with_draw_target(None, target);
        // The template is tested; were it wrong, the default would do.
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        Self { bar, shared: Arc::default() }
    }

    /// Shows a batch of so many items from here on. `files` gives the lengths of their files, which may take long: it is
    /// asked on a thread of its own, and not at all when nothing is shown.
    pub(crate) fn follow(
        &self,
        batch: encord_upload::Progress,
        items: u64,
        files: impl Iterator<Item = u64> + Send + 'static,
    ) {
        if self.bar.is_hidden() {
            return;
        }
        let (bar, shared) = (self.bar.clone(), Arc::clone(&self.shared));
        let mut estimate = Estimate::new(items);
        thread::spawn(move || {
            while !shared.is_over() {
                let correction = shared.correction.load(Ordering::Relaxed);
                let shown = estimate.show(batch.snapshot(), correction, shared.bytes.get().copied());
                bar.set_length(shown.length);
                bar.set_position(shown.position);
                bar.set_message(shown.text);
                thread::sleep(TICK);
            }
        });
        let shared = Arc::clone(&self.shared);
        thread::spawn(move || {
            let mut sum = 0_u64;
            for length in files {
                if shared.is_over() {
                    return;
                }
                sum = sum.saturating_add(length);
            }
            let _ = shared.bytes.set(sum);
        });
    }

    /// Shows what `shown` says from here on: position, length, text.
    pub(crate) fn show(&self, mut shown: impl FnMut() -> (u64, u64, String) + Send + 'static) {
        if self.bar.is_hidden() {
            return;
        }
        let (bar, shared) = (self.bar.clone(), Arc::clone(&self.shared));
        thread::spawn(move || {
            while !shared.is_over() {
                let (position, length, text) = shown();
                bar.set_length(length);
                bar.set_position(position);
                bar.set_message(text);
                thread::sleep(TICK);
            }
        });
    }

    /// An item came to its end.
    pub(crate) fn ended(&self, item: &ItemReport) {
        if !self.bar.is_hidden() {
            let length = match item.status {
                Status::Uploaded => item.bytes,
                _ => item.path.metadata().map_or(0, |file| file.len()),
            };
            self.shared.correction.fetch_add(correction(item, length), Ordering::Relaxed);
        }
    }

    /// Takes the bar away.
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

/// Never fails: nobody could be told, and an upload is worth more than what is said about it.
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
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }
}
