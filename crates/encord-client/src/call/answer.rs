//! Successful answers.

use std::time::SystemTime;

use bytes::Bytes;
use encord_http::{HeaderMap, Response, header};
use serde::de::DeserializeOwned;

use crate::error::{CallAccount, Effect, Error, ErrorKind, Inner, plain};

/// An answer of the platform: its body, and the attempts that were made.
pub(crate) struct Answer {
    pub(super) body: Bytes,
    pub(super) account: CallAccount,
    pub(super) date: Option<SystemTime>,
}

impl Answer {
    /// Accepts any 2xx, even where the SDK accepts only 200.
    pub(super) fn new(response: Response, account: CallAccount) -> Result<Self, Box<Self>> {
        let (status, date) = (response.status(), date(response.headers()));
        let answer = Self { body: response.into_body(), account, date };
        if status.is_success() { Ok(answer) } else { Err(Box::new(answer)) }
    }

    /// Parses the answer.
    pub(crate) fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        if self.body.is_empty() {
            return Err(self.unreadable("it is empty"));
        }
        match serde_json::from_slice(&self.body) {
            Ok(value) => Ok(value),
            Err(error) => {
                let words = plain(&error.to_string(), None);
                Err(self.unreadable(&words))
            }
        }
    }

    /// Parses an answer that contains a secret. The error does not quote it.
    pub(crate) fn json_secret<T: DeserializeOwned>(self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|_| self.unreadable("it is no token"))
    }

    /// Whether the answer is a bare array.
    pub(crate) fn is_array(&self) -> bool {
        self.body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[')
    }

    /// Parses the answer. An empty answer and `null` give the default.
    pub(crate) fn json_or_default<T: DeserializeOwned + Default>(self) -> Result<T, Error> {
        if self.body.is_empty() { Ok(T::default()) } else { self.json::<Option<T>>().map(Option::unwrap_or_default) }
    }

    /// Returns the error for an answer that cannot be parsed. The server may have acted.
    pub(crate) fn unreadable(self, words: &str) -> Error {
        unreadable(words.to_owned(), self.account)
    }
}

pub(super) fn unreadable(words: String, account: CallAccount) -> Error {
    Error::new(Inner {
        kind: ErrorKind::Answer,
        words: Some(words),
        effect: Effect::Unknown,
        call: Some(account),
        ..Inner::default()
    })
}

pub(super) fn date(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(header::DATE)?.to_str().ok()?).ok()
}
