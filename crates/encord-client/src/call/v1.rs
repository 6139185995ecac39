//! The protocol `v1`: every call is a `POST` of an envelope, and every answer is an envelope with its own status.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::answer::{Answer, unreadable};
use super::class::Class;
use super::hints::{hints, secret};
use crate::error::{CallAccount, Effect, Error, ErrorKind, Inner, V1Code, plain, v1_code};
use crate::shared::Shared;

/// The resource of a call, which decides the route.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Resource {
    Dataset(Uuid),
    Project(Uuid),
}

/// The verb inside the envelope.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum QueryMethod {
    Get,
    Post,
}

/// A call of `v1`.
#[derive(Debug)]
pub(crate) struct V1Call<'a, P> {
    pub(crate) resource: Resource,
    pub(crate) query_type: &'a str,
    pub(crate) query_method: QueryMethod,
    pub(crate) uid: Option<String>,
    pub(crate) payload: P,
    pub(crate) class: Class,
}

#[derive(Serialize)]
pub(super) struct Outgoing<'a, P> {
    query_type: &'a str,
    query_method: QueryMethod,
    values: Values<'a, P>,
}

#[derive(Serialize)]
struct Values<'a, P> {
    uid: Option<&'a str>,
    payload: &'a P,
}

/// `{"status": 200, "response": …}`, or `{"status": 400, "response": ["CODE"], "payload": …}`.
#[derive(Deserialize)]
pub(super) struct Envelope {
    status: Value,
    #[serde(default)]
    response: Option<Box<RawValue>>,
    #[serde(default)]
    payload: Option<Value>,
}

impl Resource {
    pub(super) fn headers(self) -> (&'static str, String) {
        match self {
            Self::Dataset(uuid) => ("dataset", uuid.to_string()),
            Self::Project(uuid) => ("project", uuid.to_string()),
        }
    }

    pub(super) const fn target(self) -> &'static str {
        match self {
            Self::Dataset(_) | Self::Project(_) => "/public",
        }
    }
}

impl<P> V1Call<'_, P> {
    pub(super) fn envelope(&self) -> Outgoing<'_, P> {
        let Self { resource: _, query_type, query_method, uid, payload, class: _ } = self;
        Outgoing { query_type, query_method: *query_method, values: Values { uid: uid.as_deref(), payload } }
    }
}

impl Envelope {
    /// Returns the code of an answer that is not a success.
    pub(super) fn code(&self) -> Option<String> {
        if self.status == 200 {
            return None;
        }
        match serde_json::from_str(self.response.as_ref()?.get()).ok()? {
            Value::String(code) => Some(code),
            Value::Array(codes) => codes.first()?.as_str().map(str::to_owned),
            _ => None,
        }
    }
}

/// Returns the content of the envelope of an answer.
pub(super) fn opened(shared: &Shared, answer: Answer) -> Result<Option<Answer>, Error> {
    let Answer { body, account, date } = answer;
    let envelope = match serde_json::from_slice::<Envelope>(&body) {
        Ok(envelope) => envelope,
        Err(error) => {
            let words = format!("it is no envelope: {}", plain(&error.to_string(), None));
            return Err(unreadable(words, account));
        }
    };
    if envelope.status != 200 {
        return Err(failed(shared, &envelope, account, date));
    }
    let response =
        envelope.response.map(|raw| String::from(Box::<str>::from(raw))).filter(|response| response != "null");
    Ok(response.map(|response| Answer { body: response.into(), account, date }))
}

/// Returns the error in an envelope.
pub(super) fn failed(shared: &Shared, envelope: &Envelope, account: CallAccount, date: Option<SystemTime>) -> Error {
    let payload = envelope.payload.as_ref().filter(|payload| !payload.is_null()).map(crate::error::text_of);
    let payload = payload.filter(|payload| !payload.is_empty()).map(|payload| plain(&payload, secret(shared)));
    let code = envelope.code();
    let (kind, words, refused) = match code.as_deref().and_then(v1_code) {
        Some(V1Code { kind: kind @ ErrorKind::AlreadyExists, words, payload: _, refused }) => {
            (kind, payload.map_or_else(|| words.to_owned(), |payload| format!("{words} {payload}")), refused)
        }
        Some(V1Code { kind, words, payload: shown, refused }) => {
            (kind, payload.filter(|_| shown).unwrap_or_else(|| words.to_owned()), refused)
        }
        None => {
            let code =
                code.map_or_else(|| "no code".to_owned(), |code| format!("the code {}", plain(&code, secret(shared))));
            let payload = payload.map_or_else(String::new, |payload| format!(": {payload}"));
            (ErrorKind::Server, format!("{code}, which this version does not know{payload}"), false)
        }
    };
    Error::new(Inner {
        kind,
        words: Some(words),
        hints: hints(shared, kind, date),
        effect: if refused { Effect::Refused } else { Effect::Unknown },
        call: Some(account),
        ..Inner::default()
    })
}
