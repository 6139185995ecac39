//! The query of a request.

use percent_encoding::percent_decode_str;
use uuid::Uuid;

use crate::problem::{Kind, Problem};

/// The parameters of a query, decoded, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Parses a query. `+` is a space, as in a form. Bytes that are not UTF-8 are replaced.
    pub(crate) fn read(query: &str) -> Self {
        let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(n, v)| (decode(n), decode(v))).collect(),
        )
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns all values of a parameter that may be repeated.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Parses a boolean: `True` and `False` as Python writes them, `true` and `false`, `1` and `0`.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        let read = |value: &str| match value {
            "True" | "true" | "1" => Ok(true),
            "False" | "false" | "0" => Ok(false),
            _ => Err(Problem::new(Kind::Shape, format!("{name}: not a boolean"))),
        };
        self.text(name).map(read).transpose()
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Problem> {
        let read = |value: &str| value.parse().map_err(|_| Problem::new(Kind::Shape, format!("{name}: not a number")));
        self.text(name).map(read).transpose()
    }
}

/// Parses an id of a path or a body.
pub(crate) fn uuid(text: &str) -> Result<Uuid, Problem> {
    Uuid::try_parse(text).map_err(|_| Problem::new(Kind::Shape, "not a valid uuid"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded() {
        let query =
            Query::read("search=a+b%26c%2F%C3%BC&isRecursive=False&itemTypes=image&itemTypes=video&x&&pageSize=2");
        assert_eq!(query.text("search"), Some("a b&c/ü"));
        assert_eq!(query.flag("isRecursive"), Ok(Some(false)));
        assert_eq!(query.all("itemTypes").collect::<Vec<_>>(), ["image", "video"]);
        assert_eq!(query.number("pageSize"), Ok(Some(2)));
        assert_eq!((query.text("x"), query.text("y")), (Some(""), None));
        assert_eq!(query.flag("desc"), Ok(None));
        assert_eq!(query.flag("search").unwrap_err().message, "search: not a boolean");
        assert_eq!(query.number("search").unwrap_err().message, "search: not a number");
        assert_eq!(Query::read(""), Query::default());
    }
}
