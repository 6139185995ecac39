//! A JSON object as it was written, with repeated keys.
//!
//! The values are kept as text, so that this module writes all errors about them. The errors of `serde_json` repeat values, and a
//! value may be a signed URL.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The entries that have not been taken yet. It has no `Debug`, because a value may be a signed URL (rule U9).
pub(super) struct Object<'a> {
    pub(super) entries: Vec<(String, Value<'a>)>,
}

/// A JSON value.
#[derive(Clone, Copy)]
pub(super) struct Value<'a>(&'a RawValue);

/// A JSON string: UTF-8, or WTF-8 if it has lone surrogates.
pub(super) struct Text(Vec<u8>);

impl<'a> Object<'a> {
    /// Reads a line that must be exactly one object. The error says what the line is instead.
    pub(super) fn read(line: &'a str) -> Result<Self, String> {
        let value: &RawValue = serde_json::from_str(line).map_err(|error| not_json(line, &error))?;
        match Value(value).kind() {
            "an object" => {}
            "a list" => return Err(format!("must be a JSON object, not a list; {LIST}")),
            other => return Err(format!("must be a JSON object, not {other}")),
        }
        serde_json::from_str(value.get()).map_err(|_| "a key is not Unicode".to_owned())
    }

    /// Takes the value of a key. Null counts as absent.
    pub(super) fn take(&mut self, key: &'static str) -> Result<Option<Value<'a>>, String> {
        let mut found = self.entries.extract_if(.., |(name, _)| name == key).map(|(_, value)| value);
        let value = found.next();
        if found.next().is_some() {
            return Err(format!("`{key}` is given more than once"));
        }
        Ok(value.filter(|value| value.kind() != "null"))
    }

    /// Takes the string of a key.
    pub(super) fn text(&mut self, key: &'static str) -> Result<Option<Text>, String> {
        let Some(value) = self.take(key)? else { return Ok(None) };
        value.text().map(Some).ok_or_else(|| format!("`{key}` must be a string, not {}", value.kind()))
    }

    /// Whether the key is left.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(name, _)| name == key)
    }
}

impl<'a> Value<'a> {
    /// Returns the type of the value in words.
    pub(super) fn kind(self) -> &'static str {
        match self.0.get().as_bytes().first() {
            Some(b'{') => "an object",
            Some(b'[') => "a list",
            Some(b'"') => "a string",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            _ => "a number",
        }
    }

    /// Returns the value, if it is a string.
    pub(super) fn text(self) -> Option<Text> {
        (self.kind() == "a string").then(|| serde_json::from_str(self.0.get()).ok()).flatten()
    }

    /// Returns the entries, if the value is an object.
    pub(super) fn object(self) -> Option<Object<'a>> {
        (self.kind() == "an object").then(|| serde_json::from_str(self.0.get()).ok()).flatten()
    }
}

impl Text {
    /// Returns the text, if it has no lone surrogate.
    pub(super) fn unicode(self) -> Option<String> {
        String::from_utf8(self.0).ok()
    }

    /// Returns the bytes of the text. A lone surrogate of U+DC80 to U+DCFF stands for a byte that is not UTF-8 (PEP 383).
    pub(super) fn bytes(self) -> Vec<u8> {
        if str::from_utf8(&self.0).is_ok() {
            return self.0;
        }
        let mut bytes = Vec::with_capacity(self.0.len());
        let mut rest = &self.0[..];
        while let Some((first, after)) = rest.split_first() {
            let surrogate = match rest {
                [0xED, second @ 0xB2..=0xB3, third, after @ ..] => Some(((second & 0x03) << 6 | third & 0x3F, after)),
                _ => None,
            };
            let (byte, after) = surrogate.unwrap_or((*first, after));
            bytes.push(byte);
            rest = after;
        }
        bytes
    }

    /// Returns the text for people to read, as [`OsStr::to_string_lossy`](std::ffi::OsStr::to_string_lossy) shows the same bytes.
    pub(super) fn lossy(self) -> String {
        String::from_utf8(self.bytes()).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }
}

const LIST: &str = "`jq -c '.[]'` makes a line of each item";

/// Returns the error of a line that is not JSON, with advice.
fn not_json(line: &str, error: &serde_json::Error) -> String {
    if error.is_eof() && line.starts_with('[') {
        return format!("not JSON: one item a line; this line is the beginning of a longer list: {LIST}");
    }
    if error.is_eof() && line.starts_with('{') {
        return "not JSON: one item a line; this line is the beginning of a longer one: use `jq -c .`".to_owned();
    }
    if !line.starts_with(['{', '[', '"']) && line.contains([',', ';', '\t']) {
        return "not JSON; a table (CSV) is not taken: each line is an object, `{\"path\": …, \"signed_url\": …}`"
            .to_owned();
    }
    let message = error.to_string();
    // serde_json counts from line 1, but the text is one line of a larger file.
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = message.strip_suffix(&place).unwrap_or(&message);
    format!("not JSON: {message} at column {}", error.column())
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some((name, value)) = map.next_entry()? {
                    entries.push((name, Value(value)));
                }
                Ok(Object { entries })
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl Visitor<'_> for Bytes {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_bytes<E: Error>(self, text: &[u8]) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }
        }

        // Read as bytes, because `serde_json` then accepts lone surrogates too.
        deserializer.deserialize_bytes(Bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u6_a_name_that_is_not_utf_8_is_the_one_that_python_means() {
        #[track_caller]
        fn check(json: &str, expected: &[u8]) {
            let text = || serde_json::from_str::<Text>(json).expect("a string");
            assert_eq!(text().bytes(), expected);
            assert_eq!(text().lossy(), String::from_utf8_lossy(expected));
        }
        check(r#""gr\udcf6\udcdfe.jpg""#, b"gr\xf6\xdfe.jpg");
        check(r#""\udc80\udcff""#, b"\x80\xff");
        check(r#""\udcc3\udca9""#, b"\xc3\xa9");
        check("\"gr\u{f6}\u{df}e \u{d7ff}\u{e000}\"", "gr\u{f6}\u{df}e \u{d7ff}\u{e000}".as_bytes());
        // A surrogate pair is a character, and other lone surrogates do not stand for bytes.
        check(r#""\ud83d\udcf6""#, "\u{1f4f6}".as_bytes());
        check(r#""\ud800""#, b"\xed\xa0\x80");
        check(r#""\udc7f\udd00""#, b"\xed\xb1\xbf\xed\xb4\x80");
    }
}
