//! The query of a request, encoded as the Python SDK encodes it.

use std::fmt::{Display, Write as _};

/// The parameters of a request, in their order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query(String);

impl Query {
    /// Adds a parameter, if it has a value.
    pub(crate) fn with(mut self, name: &str, value: Option<impl Display>) -> Self {
        if let Some(value) = value {
            let between = if self.0.is_empty() { '?' } else { '&' };
            // Writing to a string never fails.
            let _ = write!(self.0, "{between}{name}=");
            push_quoted(&mut self.0, &value.to_string());
        }
        self
    }

    /// Adds a boolean as Python writes it: `True` or `False`.
    pub(crate) fn with_flag(self, name: &str, value: Option<bool>) -> Self {
        self.with(name, value.map(|value| if value { "True" } else { "False" }))
    }

    /// Returns the query with its question mark, or an empty text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Encodes a value like `quote_plus` of Python.
fn push_quoted(query: &mut String, value: &str) {
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => query.push(char::from(byte)),
            b' ' => query.push('+'),
            _ => {
                // Writing to a string never fails.
                let _ = write!(query, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c6_a_query_is_encoded_as_the_sdk_does() {
        let query = Query::default()
            .with("search", Some("a b&c/ü"))
            .with_flag("isRecursive", Some(false))
            .with("parent", None::<&str>)
            .with("pageSize", Some(2));
        assert_eq!(query.as_str(), "?search=a+b%26c%2F%C3%BC&isRecursive=False&pageSize=2");
        assert_eq!(Query::default().as_str(), "");
        assert_eq!(Query::default().with("t", Some("~._-+=\u{0}")).as_str(), "?t=~._-%2B%3D%00");
    }
}
