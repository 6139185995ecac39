//! A call that failed: from what the client and the platform say to an [`Error`].

use std::time::{Duration, SystemTime};

use super::answer::{Answer, date, unreadable};
use super::v1::{self, Envelope};
use crate::builder::Shared;
use crate::credentials::Credentials;
use crate::domain::Domain;
use crate::error::{CallAccount, Error, ErrorKind, Inner, effect_of, of_answer, v2_status};

/// Clocks that differ by less are no explanation.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);

/// Not yet an [`Error`]: what it means depends on the protocol.
pub(crate) struct Failure(Box<Cause>);

enum Cause {
    /// The client stopped.
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

    /// The envelope decides, except where the answer comes from in front of the platform.
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

/// What an answer could repeat.
pub(super) fn secret(shared: &Shared) -> Option<&str> {
    match &shared.credentials {
        Credentials::Key(_) => None,
        Credentials::Token(token) => Some(token.secret()),
    }
}

/// What the user can do about it.
pub(super) fn hints(shared: &Shared, kind: ErrorKind, date: Option<SystemTime>) -> Vec<String> {
    let mut hints = Vec::new();
    if kind == ErrorKind::SshKeyNotFound {
        hints.push("add the public key (the file that ends with `.pub`) to your Encord account".to_owned());
    }
    if matches!(kind, ErrorKind::Authentication | ErrorKind::SshKeyNotFound) {
        hints.push(region_hint(&shared.domain));
    }
    if kind == ErrorKind::Authentication
        && let Some(hint) = date.and_then(|date| clock_hint((shared.clock)(), date))
    {
        hints.push(hint);
    }
    hints
}

fn region_hint(domain: &Domain) -> String {
    let other = if *domain == Domain::EU { Domain::US } else { Domain::EU };
    format!("check the region: this went to {domain}, your account may be at {other}")
}

/// A signature says when it was made.
fn clock_hint(ours: SystemTime, theirs: SystemTime) -> Option<String> {
    let (by, direction) = match ours.duration_since(theirs) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(behind) => (behind.duration(), "behind"),
    };
    let seconds = by.as_secs();
    (by > CLOCK_TOLERANCE).then(|| {
        format!("set the clock of this machine: it is {seconds} s {direction} the server's, and signatures are dated")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_is_named() {
        let theirs = SystemTime::UNIX_EPOCH + Duration::from_secs(1_714_564_800);
        let hint = |ours| clock_hint(ours, theirs);
        assert_eq!(hint(theirs), None);
        assert_eq!(hint(theirs + CLOCK_TOLERANCE), None);
        assert_eq!(
            hint(theirs + Duration::from_secs(61)).as_deref(),
            Some("set the clock of this machine: it is 61 s ahead of the server's, and signatures are dated")
        );
        assert_eq!(
            hint(theirs - Duration::from_secs(7200)).as_deref(),
            Some("set the clock of this machine: it is 7200 s behind the server's, and signatures are dated")
        );
    }
}
