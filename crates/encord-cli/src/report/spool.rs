//! Sorts lines that arrive in any order.
//!
//! The lines are kept in one temporary file, and their offsets in another, so that memory does not grow with the number of lines.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

/// The size of one offset, in bytes.
const OFFSET_BYTES: u64 = size_of::<u64>() as u64;

/// The lines, each with its position in the order.
#[derive(Debug)]
pub(super) struct Spool {
    lines: BufWriter<File>,
    length: u64,
    /// For each position the offset of its line plus one, or 0 if there is no line.
    offsets: File,
    end: u64,
}

impl Spool {
    /// Uses two empty files, which nothing else may use.
    pub(super) fn new(lines: File, offsets: File) -> Self {
        Self { lines: BufWriter::new(lines), length: 0, offsets, end: 0 }
    }

    /// Adds one line with its line end. A line that is added again replaces the earlier one.
    pub(super) fn add(&mut self, position: u64, line: &[u8]) -> io::Result<()> {
        self.lines.write_all(line)?;
        self.offsets.seek(SeekFrom::Start(position * OFFSET_BYTES))?;
        self.offsets.write_all(&(self.length + 1).to_le_bytes())?;
        self.length += line.len() as u64;
        self.end = self.end.max(position + 1);
        Ok(())
    }

    /// Writes all lines in order. Nothing can be added afterwards.
    pub(super) fn copy(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let Self { lines, length: _, offsets, end } = self;
        lines.flush()?;
        lines.get_mut().rewind()?;
        offsets.rewind()?;
        let (mut lines, mut offsets) = (BufReader::new(lines.get_ref()), BufReader::new(offsets));
        let (mut line, mut at) = (Vec::new(), 0);
        for _ in 0..*end {
            let mut offset = [0; size_of::<u64>()];
            offsets.read_exact(&mut offset)?;
            let Some(begin) = u64::from_le_bytes(offset).checked_sub(1) else { continue };
            // Most lines are near the previous one, so most seeks stay within the buffer.
            lines.seek_relative(begin.cast_signed().wrapping_sub_unsigned(at))?;
            line.clear();
            at = begin + lines.read_until(b'\n', &mut line)? as u64;
            out.write_all(&line)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(added: &[(u64, &str)], expected: &str) {
        let file = || tempfile::tempfile().expect("a temporary file");
        let mut spool = Spool::new(file(), file());
        for (position, line) in added {
            spool.add(*position, line.as_bytes()).expect("written");
        }
        let mut copied = Vec::new();
        spool.copy(&mut copied).expect("copied");
        assert_eq!(String::from_utf8(copied).expect("UTF-8"), expected);
    }

    #[test]
    fn lines_come_out_in_order() {
        check(&[], "");
        check(&[(0, "a\n")], "a\n");
        check(&[(2, "ccc\n"), (0, "a\n"), (1, "bb\n")], "a\nbb\nccc\n");
    }

    #[test]
    fn positions_without_a_line_are_skipped() {
        check(&[(1_000_000, "z\n"), (7, "h\n")], "h\nz\n");
    }

    #[test]
    fn far_more_than_a_buffer_holds_comes_out_in_order() {
        let line =
            |position: u64| format!("{position} {}\n", "x".repeat(usize::try_from(position % 997).expect("small")));
        let count = 5_003;
        // Every position occurs once: 1709 and the prime have no common divisor.
        let scattered = (0..count).map(|n| n * 1_709 % count);
        let lines: Vec<(u64, String)> = scattered.map(|position| (position, line(position))).collect();
        let added: Vec<(u64, &str)> = lines.iter().map(|(position, line)| (*position, line.as_str())).collect();
        check(&added, &(0..count).map(line).collect::<String>());
    }
}
