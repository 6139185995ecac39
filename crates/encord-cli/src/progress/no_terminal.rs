//! A stand-in for a terminal, for `--progress always` when standard error is not a terminal.

use std::fmt;
use std::io::{self, Write};

use indicatif::TermLike;

/// Writes the same control sequences as to a terminal.
#[derive(Debug)]
pub(super) struct NoTerminal;

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
