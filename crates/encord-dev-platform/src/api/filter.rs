//! Filters of lists.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::problem::Problem;
use crate::query::Query;
use crate::state::Millis;

/// Parses a time in any of the forms that the SDKs send. A time without a zone is UTC.
pub(super) fn time(text: &str) -> Result<Millis, Problem> {
    let local = || {
        let day = || text.parse::<Date>().ok().map(|day| day.at(0, 0, 0, 0));
        let time = text.parse::<DateTime>().ok().or_else(day)?;
        TimeZone::UTC.to_timestamp(time).ok()
    };
    let time = text.parse::<Timestamp>().ok().or_else(local);
    time.map(|time| Millis(time.as_millisecond())).ok_or_else(|| Problem::invalid(format!("`{text}` is not a time")))
}

/// Matches a text against a `LIKE` pattern of SQL: `%` stands for any characters, `_` for one. Case is ignored.
pub(super) fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut read) = (0, 0);
    // Where to continue in pattern and text if the part after the last `%` does not match.
    let mut back: Option<(usize, usize)> = None;
    while let Some(letter) = text.get(read) {
        match pattern.get(at) {
            Some('%') => {
                back = Some((at + 1, read));
                at += 1;
            }
            Some(expected) if *expected == '_' || expected == letter => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((after, skipped)) = back else { return false };
                back = Some((after, skipped + 1));
                at = after;
                read = skipped + 1;
            }
        }
    }
    pattern.iter().skip(at).all(|letter| *letter == '%')
}

/// Text to search for in names. Case is ignored.
pub(super) struct Search(String);

impl Search {
    pub(super) fn read(query: &Query) -> Self {
        Self(query.text("search").unwrap_or_default().to_lowercase())
    }

    pub(super) fn fits(&self, name: &str) -> bool {
        self.0.is_empty() || name.to_lowercase().contains(&self.0)
    }
}

/// The filters of lists of datasets and projects, with the names of the newer protocol.
#[derive(Debug, Default)]
pub(super) struct Filter {
    title_eq: Option<String>,
    title_like: Option<String>,
    description_eq: Option<String>,
    description_like: Option<String>,
    created_before: Option<Millis>,
    created_after: Option<Millis>,
    edited_before: Option<Millis>,
    edited_after: Option<Millis>,
}

impl Filter {
    pub(super) fn of_query(query: &Query) -> Result<Self, Problem> {
        Self::read(|newer, _| query.text(newer).map(str::to_owned))
    }

    /// Reads the filters from the payload of an envelope.
    pub(super) fn of_payload(payload: &Value) -> Result<Self, Problem> {
        Self::read(|_, older| payload.get(older)?.as_str().map(str::to_owned))
    }

    fn read(value: impl Fn(&str, &str) -> Option<String>) -> Result<Self, Problem> {
        let text = |newer: &str, older: &str| value(newer, older).filter(|text| !text.is_empty());
        let moment = |newer, older| text(newer, older).map(|text| time(&text)).transpose();
        Ok(Self {
            title_eq: text("titleEq", "title_eq"),
            title_like: text("titleLike", "title_like"),
            description_eq: text("descriptionEq", "desc_eq").or_else(|| text("descEq", "desc_eq")),
            description_like: text("descriptionLike", "desc_like").or_else(|| text("descLike", "desc_like")),
            created_before: moment("createdBefore", "created_before")?,
            created_after: moment("createdAfter", "created_after")?,
            edited_before: moment("editedBefore", "edited_before")?,
            edited_after: moment("editedAfter", "edited_after")?,
        })
    }

    pub(super) fn fits(&self, title: &str, description: &str, created: Millis, edited: Millis) -> bool {
        let equal = |wanted: &Option<String>, text: &str| wanted.as_deref().is_none_or(|wanted| wanted == text);
        let alike = |wanted: &Option<String>, text: &str| wanted.as_deref().is_none_or(|wanted| like(wanted, text));
        equal(&self.title_eq, title)
            && alike(&self.title_like, title)
            && equal(&self.description_eq, description)
            && alike(&self.description_like, description)
            && self.created_before.is_none_or(|limit| created < limit)
            && self.created_after.is_none_or(|limit| created >= limit)
            && self.edited_before.is_none_or(|limit| edited < limit)
            && self.edited_after.is_none_or(|limit| edited >= limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_sql() {
        for (pattern, text, expected) in [
            ("a", "a", true),
            ("A%", "abc", true),
            ("%c", "abc", true),
            ("%b%", "abc", true),
            ("%b", "abab", true),
            ("a_c", "abc", true),
            ("a_c", "abbc", false),
            ("", "", true),
            ("%", "", true),
            ("b", "abc", false),
            ("%ab%ab%", "ab", false),
        ] {
            assert_eq!(like(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn times_in_many_forms() {
        let noon = Ok(Millis(1_714_564_800_000));
        for text in ["2024-05-01T12:00:00Z", "2024-05-01 12:00:00", "2024-05-01T14:00:00+02:00"] {
            assert_eq!(time(text), noon, "{text}");
        }
        assert_eq!(time("2024-05-01"), Ok(Millis(1_714_521_600_000)));
        assert_eq!(time("soon").unwrap_err().message, "`soon` is not a time");
    }
}
