//! Lists that come in pages.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::problem::{Kind, Problem};
use crate::query::Query;
use crate::switches::Switches;

const DEFAULT_SIZE: u64 = 100;
const MAX_SIZE: u64 = 1000;

/// The order and the page that a request asks for.
#[derive(Debug)]
pub(super) struct Paging {
    by_name: bool,
    descending: bool,
    size: usize,
    place: Place,
    empty_pages: bool,
}

/// The content of a page token, which is opaque to clients.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// The name and the number of the last record that was sent.
    after: Option<(String, u64)>,
    /// Whether an empty page was sent after that record.
    empty_page_sent: bool,
}

impl Paging {
    pub(super) fn read(query: &Query, switches: &Switches) -> Result<Self, Problem> {
        let size = query.number("pageSize")?.unwrap_or(DEFAULT_SIZE);
        if !(1..=MAX_SIZE).contains(&size) {
            return Err(Problem::new(Kind::Shape, format!("pageSize: must be from 1 to {MAX_SIZE}")));
        }
        let place = query.text("pageToken").map(Place::read).transpose()?.unwrap_or_default();
        Ok(Self {
            by_name: query.text("order") != Some("createdAt"),
            descending: query.flag("desc")?.unwrap_or(false),
            size: usize::try_from(size).unwrap_or(usize::MAX).min(switches.page_limit),
            place,
            empty_pages: switches.empty_pages,
        })
    }

    /// Uses the order of creation, for lists that have no other.
    pub(super) fn without_names(mut self) -> Self {
        self.by_name = false;
        self
    }

    /// Returns the page. `records` gives each record with its number and its name.
    pub(super) fn page<'r, R: 'r>(
        &self,
        records: impl Iterator<Item = (u64, &'r str, &'r R)>,
        written: impl FnMut(&R) -> Value,
    ) -> Value {
        if self.empty_pages && !self.place.empty_page_sent {
            let token = Place { empty_page_sent: true, ..self.place.clone() }.written();
            return json!({ "results": [], "nextPageToken": token });
        }
        let key = |number: u64, name: &'r str| (if self.by_name { name } else { "" }, number);
        let order = |a: &(&str, u64), b: &(&str, u64)| if self.descending { b.cmp(a) } else { a.cmp(b) };
        let mut rest: Vec<_> = records.map(|(number, name, record)| (key(number, name), record)).collect();
        if let Some((name, number)) = &self.place.after {
            rest.retain(|(key, _)| order(key, &(name, *number)).is_gt());
        }
        let more = rest.len() > self.size;
        if more {
            rest.select_nth_unstable_by(self.size, |(a, _), (b, _)| order(a, b));
            rest.truncate(self.size);
        }
        rest.sort_unstable_by(|(a, _), (b, _)| order(a, b));
        let last = rest.last().filter(|_| more);
        let token = last.map(|((name, number), _)| {
            Place { after: Some(((*name).to_owned(), *number)), empty_page_sent: false }.written()
        });
        let results: Vec<_> = rest.into_iter().map(|(_, record)| record).map(written).collect();
        json!({ "results": results, "nextPageToken": token })
    }
}

impl Place {
    fn read(token: &str) -> Result<Self, Problem> {
        let place = URL_SAFE_NO_PAD.decode(token).ok().and_then(|json| serde_json::from_slice(&json).ok());
        place.ok_or_else(|| Problem::invalid("pageToken is not one of this list"))
    }

    fn written(&self) -> String {
        URL_SAFE_NO_PAD.encode(json!(self).to_string())
    }
}

/// Returns a whole list in the form of a page.
pub(super) fn whole(results: &[Value]) -> Value {
    json!({ "results": results, "nextPageToken": null })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] = ["b", "a", "c", "a", "d"];

    /// Returns the pages of a list, each as the numbers of its records.
    fn pages(query: &str, switches: &Switches) -> Vec<Vec<u64>> {
        let mut pages = Vec::new();
        let mut token = String::new();
        loop {
            let query = Query::read(&format!("{query}{token}"));
            let records: Vec<u64> = (0..).take(NAMES.len()).collect();
            let named = records.iter().zip(NAMES).map(|(number, name)| (*number, name, number));
            let page = Paging::read(&query, switches).unwrap().page(named, |number| json!(number));
            pages.push(page["results"].as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect());
            match page["nextPageToken"].as_str() {
                Some(next) => token = format!("&pageToken={next}"),
                None => return pages,
            }
            assert!(pages.len() < 20);
        }
    }

    #[test]
    fn pages_follow_each_other_in_the_order_asked_for() {
        let default = Switches::default();
        assert_eq!(pages("pageSize=2", &default), [vec![1, 3], vec![0, 2], vec![4]]);
        assert_eq!(pages("pageSize=2&order=name&desc=True", &default), [vec![4, 2], vec![0, 3], vec![1]]);
        assert_eq!(pages("pageSize=3&order=createdAt", &default), [vec![0, 1, 2], vec![3, 4]]);
        assert_eq!(pages("pageSize=5&order=createdAt&desc=True", &default), [[4, 3, 2, 1, 0]]);
    }

    #[test]
    fn the_switches_shorten_pages_and_add_empty_ones() {
        let switches = Switches { page_limit: 3, empty_pages: true, ..Switches::default() };
        assert_eq!(pages("order=createdAt", &switches), [vec![], vec![0, 1, 2], vec![], vec![3, 4]]);
    }

    #[test]
    fn sizes_and_tokens_that_are_none_are_refused() {
        for (query, message) in [
            ("pageSize=0", "pageSize: must be from 1 to 1000"),
            ("pageSize=1001", "pageSize: must be from 1 to 1000"),
            ("pageToken=x", "pageToken is not one of this list"),
        ] {
            let refused = Paging::read(&Query::read(query), &Switches::default()).unwrap_err();
            assert_eq!(refused.message, message);
        }
    }
}
