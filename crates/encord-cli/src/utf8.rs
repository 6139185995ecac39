//! What other programs put before their text to say how it is written.

/// Gives the text without the byte-order mark that Windows likes to put before UTF-8.
///
/// # Errors
///
/// The mark is that of UTF-16.
pub(crate) fn without_mark(text: &[u8]) -> Result<&[u8], &'static str> {
    match text {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Err("it is UTF-16, not UTF-8"),
        [0xEF, 0xBB, 0xBF, text @ ..] | text => Ok(text),
    }
}
