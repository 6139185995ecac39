//! The progress bar on standard error, and lines above it.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use encord_upload::{ItemReport, Status};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use crate::args::When;
use crate::report::human_bytes;

/// How often the bar is drawn, times a second.
const RATE: u8 = 10;

const TEMPLATE: &str = "{elapsed_precise} {bar:30} {pos}/{len} items, {msg}";

/// The progress of a batch. Clones share the bar.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

/// What a [`Progress`] has counted.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    failed: u64,
    bytes: u64,
}

/// Writes above the bar, without tearing it.
#[derive(Debug)]
pub(crate) struct Above {
    bar: ProgressBar,
}

impl Progress {
    pub(crate) fn new(when: When, items: u64) -> Self {
        let target = match when {
            When::Never => ProgressDrawTarget::hidden(),
            When::Auto => ProgressDrawTarget::stderr_with_hz(RATE),
            When::Always if io::stderr().is_terminal() => ProgressDrawTarget::stderr_with_hz(RATE),
            When::Always => ProgressDrawTarget::term_like_with_hz(Box::new(NoTerminal), RATE),
        };
        let bar = ProgressBar::with_draw_target(Some(items), target);
        // The template is tested; were it wrong, the default would do.
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// Shows the bar from here on.
    pub(crate) fn start(&self) -> Counts {
        let counts = Counts::default();
        if !self.bar.is_hidden() {
            self.bar.set_message(counts.text());
            self.bar.enable_steady_tick(Duration::from_millis(200));
        }
        counts
    }

    /// An item came to its end.
    pub(crate) fn item(&self, counts: &mut Counts, item: &ItemReport) {
        counts.bytes += item.bytes;
        counts.failed += u64::from(item.status == Status::Failed);
        self.bar.inc(1);
        if !self.bar.is_hidden() {
            self.bar.set_message(counts.text());
        }
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }

    pub(crate) fn above(&self) -> Above {
        Above { bar: self.bar.clone() }
    }
}

impl Counts {
    fn text(&self) -> String {
        let Self { failed, bytes } = self;
        format!("{}, {failed} failed", human_bytes(*bytes))
    }
}

impl Write for Above {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.bar.suspend(|| io::stderr().write_all(line))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Standard error that is not a terminal, for `--progress always`: it understands the same control sequences or records
/// them.
#[derive(Debug)]
struct NoTerminal;

impl TermLike for NoTerminal {
    fn width(&self) -> u16 {
        80
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        move_cursor(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        move_cursor(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        move_cursor(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        move_cursor(n, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        write(format_args!("{text}\n"))
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        write(format_args!("{text}"))
    }

    fn clear_line(&self) -> io::Result<()> {
        write(format_args!("\r\x1b[2K"))
    }

    fn flush(&self) -> io::Result<()> {
        io::stderr().flush()
    }
}

fn move_cursor(n: usize, direction: char) -> io::Result<()> {
    if n == 0 { Ok(()) } else { write(format_args!("\x1b[{n}{direction}")) }
}

fn write(text: fmt::Arguments<'_>) -> io::Result<()> {
    io::stderr().write_fmt(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_valid() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }
}
