//! Lists of records, fetched page by page.

use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::stream::{BoxStream, Stream, StreamExt as _, unfold};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tracing::warn;

use crate::call::{Answer, Call, send};
use crate::error::{Error, ErrorKind, Inner, plain};
use crate::query::Query;
use crate::shared::Shared;

/// A list that fetches pages while it is read. It holds one page at a time.
///
/// It is a [`Stream`] of records. A record that cannot be read is one `Err`, and the list continues (rule C5). A page that cannot be
/// fetched is an `Err` too, and ends the list.
#[must_use = "nothing is fetched before the list is read"]
pub struct List<T> {
    records: BoxStream<'static, Result<T, Error>>,
}

/// All records of a list, and the errors of records that could not be read.
///
/// It dereferences to a slice of the records. A record that cannot be read does not fail the list (rule C5). It is logged at WARN,
/// and its error is in [`unreadable`](Self::unreadable).
#[derive(Clone, Debug)]
pub struct Records<T> {
    records: Vec<T>,
    unreadable: Vec<Error>,
}

/// A page, with its records as JSON text. Lists without pages call the records `result`, or are bare arrays.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(alias = "result", default)]
    results: Vec<Box<RawValue>>,
    #[serde(alias = "next_page_token", default)]
    next_page_token: Option<String>,
}

/// The state between two records.
struct Reading<T> {
    shared: Arc<Shared>,
    path: String,
    query: QueryOfToken,
    page: VecDeque<Box<RawValue>>,
    next: Next,
    of: PhantomData<fn() -> T>,
}

/// Makes the query of a page from its token.
type QueryOfToken = Box<dyn Fn(Option<&str>) -> Query + Send + Sync>;

enum Next {
    First,
    Token(String),
    End,
}

impl<T: DeserializeOwned + Send + 'static> List<T> {
    /// Lists the pages of this path. `query` makes the query of each page from its token.
    pub(crate) fn paged(
        shared: &Arc<Shared>,
        path: String,
        query: impl Fn(Option<&str>) -> Query + Send + Sync + 'static,
    ) -> Self {
        let reading = Reading {
            shared: Arc::clone(shared),
            path,
            query: Box::new(query),
            page: VecDeque::new(),
            next: Next::First,
            of: PhantomData,
        };
        Self { records: unfold(reading, Reading::step).boxed() }
    }

    /// Returns a list that has only this error.
    pub(crate) fn failed(error: Error) -> Self {
        Self { records: futures_util::stream::iter([Err(error)]).boxed() }
    }
}

impl<T> List<T> {
    /// Returns the next record; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        self.records.next().await
    }

    /// Reads the whole list into memory.
    ///
    /// # Errors
    ///
    /// If a page cannot be fetched. The errors of records that cannot be read are in [`Records::unreadable`].
    pub async fn all(mut self) -> Result<Records<T>, Error> {
        let mut all = Records::default();
        while let Some(record) = self.next().await {
            match record {
                Err(error) if error.kind() != ErrorKind::Record => return Err(error),
                record => all.push(record),
            }
        }
        Ok(all)
    }
}

impl<T> Stream for List<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.records.poll_next_unpin(cx)
    }
}

impl<T: DeserializeOwned> Reading<T> {
    async fn step(mut self) -> Option<(Result<T, Error>, Self)> {
        loop {
            if let Some(record) = self.page.pop_front() {
                return Some((read(&record), self));
            }
            let token = match std::mem::replace(&mut self.next, Next::End) {
                Next::First => None,
                Next::Token(token) => Some(token),
                Next::End => return None,
            };
            match self.fetch(token).await {
                Ok(()) => {}
                Err(error) => return Some((Err(error), self)),
            }
        }
    }

    /// Fetches a page. An empty page with a token does not end the list. A repeated token is an error, because the list would never
    /// end.
    async fn fetch(&mut self, token: Option<String>) -> Result<(), Error> {
        let answer = send(&self.shared, &Call::get(&self.path, &(self.query)(token.as_deref()))).await?;
        let Page { results, next_page_token } = answer.json()?;
        self.page = results.into();
        self.next = match next_page_token {
            Some(next) if Some(&next) == token.as_ref() => {
                return Err(Error::new(Inner {
                    kind: ErrorKind::Answer,
                    words: Some("the page after this one is said to be the same page again".to_owned()),
                    ..Inner::default()
                }));
            }
            Some(next) => Next::Token(next),
            None => Next::End,
        };
        Ok(())
    }
}

impl<T: DeserializeOwned> Records<T> {
    /// Reads a list without pages: `{"results": […]}`, `{"result": […]}` or `[…]`.
    pub(crate) fn of_answer(answer: Answer) -> Result<Self, Error> {
        let records =
            if answer.is_array() { answer.json::<Vec<Box<RawValue>>>()? } else { answer.json::<Page>()?.results };
        let mut all = Self { records: Vec::with_capacity(records.len()), unreadable: Vec::new() };
        for record in records {
            all.push(read(&record));
        }
        Ok(all)
    }
}

impl<T> Records<T> {
    /// Returns the errors of the records that could not be read.
    pub fn unreadable(&self) -> &[Error] {
        &self.unreadable
    }

    /// Returns only the records.
    pub fn into_vec(self) -> Vec<T> {
        self.records
    }

    fn push(&mut self, record: Result<T, Error>) {
        match record {
            Ok(record) => self.records.push(record),
            Err(error) => {
                warn!(%error, "a record cannot be read and is left out");
                self.unreadable.push(error);
            }
        }
    }
}

impl<T> Default for Records<T> {
    fn default() -> Self {
        Self { records: Vec::new(), unreadable: Vec::new() }
    }
}

impl<T> Deref for Records<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.records
    }
}

impl<T> IntoIterator for Records<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.records.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Records<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.records.iter()
    }
}

impl<T> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("List")
    }
}

fn read<T: DeserializeOwned>(record: &RawValue) -> Result<T, Error> {
    serde_json::from_str(record.get()).map_err(|error| {
        let which = identifier(record.get()).map_or_else(String::new, |id| format!("{id}: "));
        Error::new(Inner {
            kind: ErrorKind::Record,
            words: Some(plain(&format!("{which}{error}"), None)),
            ..Inner::default()
        })
    })
}

/// Returns an identifier of the record for messages, if it has one.
fn identifier(record: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(record).ok()?;
    ["uuid", "datasetUuid", "projectHash", "data_hash", "model_uid", "name", "title"]
        .iter()
        .find_map(|name| value.get(name)?.as_str().map(str::to_owned))
}
