//! A second parser of JSON objects, for comparison. It keeps all entries in order, as values of `serde_json`.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// The entries of an object, repeated keys included.
pub(crate) struct Entries(pub(crate) Vec<(String, Box<RawValue>)>);

impl Entries {
    /// Parses a line, if it is an object.
    pub(crate) fn read(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }

    /// Returns the values of a key.
    pub(crate) fn all(&self, key: &str) -> Vec<&RawValue> {
        self.0.iter().filter(|(name, _)| name == key).map(|(_, value)| &**value).collect()
    }

    /// Returns the first value of a key, if it is a string.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        text(self.all(key).first()?)
    }
}

/// Returns a value, if it is a string.
pub(crate) fn text(value: &RawValue) -> Option<String> {
    match serde_json::from_str(value.get()) {
        Ok(Value::String(text)) => Some(text),
        _ => None,
    }
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;

        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(EntriesVisitor)
    }
}
