//! JSON Lines, read one line at a time.

use std::io::{self, BufRead, BufReader, Read};

use crate::utf8::without_mark;

/// No line that means something is longer.
const LONGEST: u64 = 16 * 1024 * 1024;

/// The lines of a reader. Without `Debug`: a line may have a signed URL (rule U9).
pub(crate) struct Lines<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
    number: u64,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader: BufReader::with_capacity(64 * 1024, reader), line: Vec::new(), number: 0 }
    }

    /// The next line, trimmed, and its number, from 1. Lines of blanks are skipped.
    ///
    /// # Errors
    ///
    /// Reading fails, a line is longer than any that means something, or it is UTF-16.
    pub(crate) fn next(&mut self) -> io::Result<Option<(u64, &[u8])>> {
        loop {
            self.line.clear();
            let read = self.reader.by_ref().take(LONGEST).read_until(b'\n', &mut self.line)? as u64;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            if read == LONGEST && self.line.last() != Some(&b'\n') {
                return Err(io::Error::other(format!("line {} is longer than 16 MiB", self.number)));
            }
            if self.number == 1 {
                let text = without_mark(&self.line).map_err(io::Error::other)?.len();
                self.line.drain(..self.line.len() - text);
            }
            if !self.line.trim_ascii().is_empty() {
                return Ok(Some((self.number, self.line.trim_ascii())));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_trimmed_and_numbered() {
        #[track_caller]
        fn check(text: &str, expected: &[(u64, &str)]) {
            let mut lines = Lines::new(text.as_bytes());
            for (number, line) in expected {
                assert_eq!(lines.next().expect("readable"), Some((*number, line.as_bytes())));
            }
            assert_eq!(lines.next().expect("readable"), None);
        }
        check("", &[]);
        check("\n \r\n", &[]);
        check("a\nb", &[(1, "a"), (2, "b")]);
        check("\n a \r\n\n\tb\n", &[(2, "a"), (4, "b")]);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line() {
        let mut lines = Lines::new("\u{feff}a\n\u{feff}b".as_bytes());
        assert_eq!(lines.next().expect("readable"), Some((1, &b"a"[..])));
        assert_eq!(lines.next().expect("readable"), Some((2, "\u{feff}b".as_bytes())));
        assert_eq!(Lines::new("\u{feff}\n".as_bytes()).next().expect("readable"), None);
        for text in [b"\xFF\xFEa\0\n\0", b"\xFE\xFF\0a\0\n"] {
            assert_eq!(Lines::new(&text[..]).next().expect_err("UTF-16").to_string(), "it is UTF-16, not UTF-8");
        }
    }

    #[test]
    fn a_line_without_end_is_not_held() {
        let error = Lines::new(b"\n".chain(io::repeat(b'x'))).next().expect_err("too long");
        assert_eq!(error.to_string(), "line 2 is longer than 16 MiB");
    }
}
