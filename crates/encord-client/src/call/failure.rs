//! Turns a failed call into an [`Error`].

use super::answer::{Answer, date, unreadable};
use super::hints::{hints, secret};
use super::v1::{self, Envelope};
use crate::error::{CallAccount, Error, ErrorKind, Inner, effect_of, of_answer, v2_status};
use crate::shared::Shared;

/// A failed call. It is not an [`Error`] yet, because its meaning depends on the protocol.
pub(crate) struct Failure(Box<Cause>);

enum Cause {
    /// The HTTP client reported an error.
    Http(encord_http::Error, CallAccount),
    /// A status between 300 and 399.
    Unexpected(CallAccount),
}

impl Failure {
    pub(super) fn new(error: encord_http::Error, account: CallAccount) -> Self {
        Self(Box::new(Cause::Http(error, account)))
    }

    pub(super) fn unexpected(answer: Answer) -> Self {
        Self(Box::new(Cause::Unexpected(answer.account)))
    }

    pub(super) fn of_v2(self, shared: &Shared) -> Error {
        match *self.0 {
            Cause::Http(error, account) => by_status(shared, error, account),
            Cause::Unexpected(account) => redirected(account),
        }
    }

    /// Reads the error from the envelope, except for 413 and 429, which a proxy in front of the platform sends.
    pub(super) fn of_v1(self, shared: &Shared) -> Error {
        match *self.0 {
            Cause::Http(error, account) if !matches!(account.status, Some(413 | 429)) => {
                match serde_json::from_slice::<Envelope>(error.body()) {
                    Ok(envelope) if envelope.code().is_some() => {
                        let date = date(error.headers());
                        let failed = v1::failed(shared, &envelope, account, date);
                        failed.with_http(error)
                    }
                    _ => by_status(shared, error, account),
                }
            }
            Cause::Http(error, account) => by_status(shared, error, account),
            Cause::Unexpected(account) => redirected(account),
        }
    }
}

fn redirected(account: CallAccount) -> Error {
    unreadable("a redirect, which is not followed: the signature covers the place".to_owned(), account)
}

fn by_status(shared: &Shared, error: encord_http::Error, account: CallAccount) -> Error {
    let effect = effect_of(error.attempts());
    let retry_after = encord_http::retry_after(error.headers(), (shared.clock)());
    let mut inner = Inner { effect, retry_after, ..Inner::default() };
    if let Some(status) = account.status {
        let (kind, default) = v2_status(status);
        inner.kind = kind;
        inner.words = Some(of_answer(error.body(), secret(shared)).unwrap_or_else(|| default.to_owned()));
        inner.hints = hints(shared, kind, date(error.headers()));
    } else {
        inner.kind = ErrorKind::Transport;
    }
    Error::new(Inner { call: Some(account), http: Some(error), ..inner })
}
