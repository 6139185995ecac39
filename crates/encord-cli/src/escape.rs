//! Makes foreign text safe to show to people.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

/// Returns the text on one line. Characters that control a terminal are written as `\u{1b}` (rule U9).
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(is_control) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if is_control(letter) {
            // Writing to a string cannot fail.
            let _ = write!(shown, "{}", letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    Cow::Owned(shown)
}

/// Quotes a word for a shell. Characters that control a terminal are escaped, so a word that has one must be mended by hand.
pub(crate) fn shell_quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=:,@%+".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", escaped(word).replace('\'', r"'\''"))
    }
}

/// Shows a value escaped.
pub(crate) struct Escaped<T>(pub(crate) T);

impl<T: fmt::Display> fmt::Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&escaped(&self.0.to_string()))
    }
}

/// Whether a character moves the cursor, ends the line, or turns the direction of writing.
fn is_control(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_needs_it() {
        for (text, expected) in
            [("/a/b-1.c", "/a/b-1.c"), ("/a b", "'/a b'"), ("it's", r"'it'\''s'"), ("", "''"), ("a\n", "'a\\n'")]
        {
            assert_eq!(shell_quoted(text), expected);
        }
    }

    #[test]
    fn u9_nothing_controls_the_terminal() {
        #[track_caller]
        fn check(text: &str, expected: &str) {
            assert_eq!(escaped(text), expected);
        }
        check("größe 3.png — \u{1f4f6}", "größe 3.png — \u{1f4f6}");
        check("\u{1b}[2Jok\n300 uploaded", "\\u{1b}[2Jok\\n300 uploaded");
        check("\r\t\u{7f}\u{9b}31m", "\\r\\t\\u{7f}\\u{9b}31m");
        check("gpj.\u{202e}exe", "gpj.\\u{202e}exe");
        check("a\u{2028}b\u{2029}", "a\\u{2028}b\\u{2029}");
        assert_eq!(format!("{:<4}|", Escaped("a\n")), "a\\n |");
    }
}
