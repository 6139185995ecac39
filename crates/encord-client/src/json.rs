//! JSON in the layout of the Python SDK: `", "` and `": "` between the parts, and nothing but ASCII.
//!
//! The platform does not care about the layout. But a signature covers the bytes of the body, so the same layout gives the same
//! signature as the SDK, and the tests can compare them.

use std::io;

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};

/// The body of a request.
///
/// Every value that is sent has a JSON form. If one had none, the body would be empty, and the platform would refuse it.
pub(crate) fn to_vec(value: &(impl Serialize + ?Sized)) -> Vec<u8> {
    let mut bytes = Vec::new();
    match value.serialize(&mut Serializer::with_formatter(&mut bytes, Layout)) {
        Ok(()) => bytes,
        Err(_) => Vec::new(),
    }
}

/// JSON within JSON, such as `clientMetadata` of a folder.
pub(crate) fn to_text(value: &(impl Serialize + ?Sized)) -> String {
    // This does not fail: the output is ASCII.
    String::from_utf8(to_vec(value)).unwrap_or_default()
}

struct Layout;

impl Formatter for Layout {
    fn begin_array_value<W: io::Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: io::Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn write_string_fragment<W: io::Write + ?Sized>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut units = [0; 2];
        let escaped = |char: &char| !char.is_ascii() || *char == '\u{7f}';
        for piece in fragment.split_inclusive(|char| escaped(&char)) {
            let Some(last) = piece.chars().next_back().filter(escaped) else {
                writer.write_all(piece.as_bytes())?;
                continue;
            };
            writer.write_all(&piece.as_bytes()[..piece.len() - last.len_utf8()])?;
            for unit in last.encode_utf16(&mut units) {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }

    fn write_char_escape<W: io::Write + ?Sized>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        let text: &[u8] = match escape {
            CharEscape::Quote => b"\\\"",
            CharEscape::ReverseSolidus => b"\\\\",
            CharEscape::Solidus => b"/",
            CharEscape::Backspace => b"\\b",
            CharEscape::FormFeed => b"\\f",
            CharEscape::LineFeed => b"\\n",
            CharEscape::CarriageReturn => b"\\r",
            CharEscape::Tab => b"\\t",
            CharEscape::AsciiControl(byte) => return write!(writer, "\\u{byte:04x}"),
        };
        writer.write_all(text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn c6_the_layout_is_that_of_the_sdk() {
        // The expected texts are those of `json.dumps` of Python 3.11.
        for (value, expected) in [
            (json!({"a": [1, 2, {"b": null}], "c": {}}), r#"{"a": [1, 2, {"b": null}], "c": {}}"#),
            (json!([]), "[]"),
            (json!("Ünïcode & 😀/\u{7f}"), "\"\\u00dcn\\u00efcode & \\ud83d\\ude00/\\u007f\""),
            (json!("\u{0}\u{8}\t\n\u{c}\r\u{1f}\"\\"), r#""\u0000\b\t\n\f\r\u001f\"\\""#),
            (json!([true, 1.5, -3]), "[true, 1.5, -3]"),
        ] {
            assert_eq!(to_text(&value), expected);
            assert_eq!(serde_json::from_str::<serde_json::Value>(expected).unwrap(), value);
        }
    }
}
