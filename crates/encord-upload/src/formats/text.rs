//! Lines of text from other programs.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read};

use thiserror::Error;

use super::FormatError;

/// The longest line that is read, in bytes.
pub const MAX_LINE_BYTES: u64 = 16 * 1024 * 1024;

/// A text is UTF-16, not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("it is UTF-16, not UTF-8")]
pub struct Utf16;

/// Removes the byte-order mark that Windows puts before UTF-8.
///
/// # Errors
///
/// [`Utf16`]: the byte-order mark is that of UTF-16.
pub fn without_byte_order_mark(text: &[u8]) -> Result<&[u8], Utf16> {
    match text {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Err(Utf16),
        [0xEF, 0xBB, 0xBF, text @ ..] | text => Ok(text),
    }
}

/// The lines of a reader. It has no `Debug`, because a line may contain a signed URL (rule U9).
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
    number: u64,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader: BufReader::with_capacity(64 * 1024, reader), line: Vec::new(), number: 0 }
    }

    /// Returns the next line, trimmed, and its number, counted from 1. Blank lines are skipped.
    ///
    /// # Errors
    ///
    /// Reading fails, a line is longer than [`MAX_LINE_BYTES`], or the text is UTF-16.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Cow<'_, str>)>, FormatError> {
        loop {
            self.line.clear();
            let reader = self.reader.by_ref().take(MAX_LINE_BYTES);
            let read = { reader }.read_until(b'\n', &mut self.line).map_err(FormatError::Read)? as u64;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            if read == MAX_LINE_BYTES && self.line.last() != Some(&b'\n') {
                return Err(FormatError::Line { number: self.number, reason: "it is longer than 16 MiB".to_owned() });
            }
            if self.number == 1 {
                let text = without_byte_order_mark(&self.line);
                let text = text.map_err(|utf16| FormatError::Read(io::Error::other(utf16)))?.len();
                self.line.drain(..self.line.len() - text);
            }
            if !self.line.trim_ascii().is_empty() {
                return Ok(Some((self.number, surrogate_escaped(self.line.trim_ascii()))));
            }
        }
    }
}

/// Writes bytes that are not UTF-8 as Python does in JSON: `\udcf6` for the byte F6 (PEP 383).
fn surrogate_escaped(line: &[u8]) -> Cow<'_, str> {
    if let Ok(line) = str::from_utf8(line) {
        return Cow::Borrowed(line);
    }
    let mut text = String::with_capacity(line.len() + 16);
    for chunk in line.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            if joins_an_escape(&text) {
                text.push(char::REPLACEMENT_CHARACTER);
                continue;
            }
            // Writing to a string cannot fail.
            let _ = write!(text, "\\udc{byte:02x}");
        }
    }
    Cow::Owned(text)
}

/// Whether an escape after this text would combine with its end, which is a backslash or the first half of a surrogate pair.
fn joins_an_escape(text: &str) -> bool {
    let ends_with_backslash = |text: &str| text.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1;
    let parts = text.len().checked_sub("ud800".len()).and_then(|at| text.split_at_checked(at));
    let is_half = parts.is_some_and(|(front, end)| {
        matches!(end.as_bytes(), [b'u', b'd' | b'D', b'8' | b'9' | b'a' | b'b' | b'A' | b'B', ..])
            && ends_with_backslash(front)
    });
    is_half || ends_with_backslash(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_trimmed_and_numbered() {
        #[track_caller]
        fn check(text: &[u8], expected: &[(u64, &str)]) {
            let mut lines = Lines::new(text);
            for (number, line) in expected {
                assert_eq!(lines.next().expect("readable"), Some((*number, Cow::Borrowed(*line))));
            }
            assert_eq!(lines.next().expect("readable"), None);
        }
        check(b"", &[]);
        check(b"\n \r\n", &[]);
        check(b"a\nb", &[(1, "a"), (2, "b")]);
        check(b"\n a \r\n\n\tb\n", &[(2, "a"), (4, "b")]);
        check(b"gr\xf6\xdfe\n\xe2\x82", &[(1, r"gr\udcf6\udcdfe"), (2, r"\udce2\udc82")]);
        check(b"\\\\\xf6\n\\\xf6\n\\\\\\\xf6", &[(1, r"\\\udcf6"), (2, "\\\u{fffd}"), (3, "\\\\\\\u{fffd}")]);
        check(
            b"\\ud905\xf6\n\\UDBFF\xf6\n\\\\uD905\xf6",
            &[(1, "\\ud905\u{fffd}"), (2, r"\UDBFF\udcf6"), (3, r"\\uD905\udcf6")],
        );
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line() {
        let mut lines = Lines::new("\u{feff}a\n\u{feff}b".as_bytes());
        assert_eq!(lines.next().expect("readable"), Some((1, Cow::Borrowed("a"))));
        assert_eq!(lines.next().expect("readable"), Some((2, Cow::Borrowed("\u{feff}b"))));
        assert_eq!(Lines::new("\u{feff}\n".as_bytes()).next().expect("readable"), None);
        for text in [b"\xFF\xFEa\0\n\0", b"\xFE\xFF\0a\0\n"] {
            assert_eq!(Lines::new(&text[..]).next().expect_err("UTF-16").to_string(), "it is UTF-16, not UTF-8");
        }
    }

    #[test]
    fn a_line_without_end_is_not_held() {
        let error = Lines::new(b"\n".chain(io::repeat(b'x'))).next().expect_err("too long");
        assert_eq!(error.to_string(), "line 2: it is longer than 16 MiB");
    }
}
