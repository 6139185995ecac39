//! Sends all calls: target, signature, attempts, and the meaning of the answer.

mod answer;
mod class;
mod failure;
mod hints;
mod v1;

use std::time::SystemTime;

use bytes::Bytes;
use encord_http::{Failed, HeaderName, HeaderValue, Method, Payload, Request, header};
use serde::Serialize;

pub(crate) use self::answer::Answer;
pub(crate) use self::class::Class;
use self::failure::Failure;
pub(crate) use self::v1::{QueryMethod, Resource, V1Call};
use crate::credentials::Credentials;
use crate::error::{CallAccount, Error};
use crate::json;
use crate::query::Query;
use crate::shared::Shared;
use crate::signature::{MessageSignature, sign_digest, sign_message};

const TRACE_HEADER: HeaderName = HeaderName::from_static("x-cloud-trace-context");
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");
const SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");
const SIGNATURE: HeaderName = HeaderName::from_static("signature");
const RESOURCE_TYPE: HeaderName = HeaderName::from_static("resourcetype");
const RESOURCE_ID: HeaderName = HeaderName::from_static("resourceid");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A call of `v2`.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    method: Method,
    /// Path and query.
    target: String,
    body: Option<Bytes>,
    class: Class,
}

impl Call {
    /// A `GET` of this path below `/v2/public/`.
    pub(crate) fn get(path: &str, query: &Query) -> Self {
        Self::new(Method::GET, path, query, None, Class::Read)
    }

    /// A `POST` without a body.
    pub(crate) fn post_empty(path: &str, class: Class) -> Self {
        Self::new(Method::POST, path, &Query::default(), None, class)
    }

    /// A `POST` of JSON.
    pub(crate) fn post(path: &str, body: &impl Serialize, class: Class) -> Self {
        Self::new(Method::POST, path, &Query::default(), Some(json::to_vec(body).into()), class)
    }

    /// A `DELETE`.
    pub(crate) fn delete(path: &str) -> Self {
        Self::new(Method::DELETE, path, &Query::default(), None, Class::Repeatable)
    }

    fn new(method: Method, path: &str, query: &Query, body: Option<Bytes>, class: Class) -> Self {
        Self { method, target: format!("/v2/public/{path}{}", query.as_str()), body, class }
    }
}

/// Sends a call of `v2`.
pub(crate) async fn send(shared: &Shared, call: &Call) -> Result<Answer, Error> {
    let body = call.body.clone().unwrap_or_default();
    let signed = |created| match &shared.credentials {
        Credentials::Key(key) => {
            let MessageSignature { content_digest, signature_input, signature } =
                sign_message(key, call.method.as_str(), &call.target, &body, created);
            vec![(CONTENT_DIGEST, content_digest), (SIGNATURE_INPUT, signature_input), (SIGNATURE, signature)]
        }
        Credentials::Token(token) => vec![(header::AUTHORIZATION, token.header_value())],
    };
    let content_type = call.body.is_some().then_some((header::CONTENT_TYPE, JSON));
    let sent = Sending { method: &call.method, target: &call.target, body: &body, class: call.class };
    sent.send(shared, content_type.into_iter().collect(), signed).await.map_err(|failure| failure.of_v2(shared))
}

/// Sends a call of `v1`. The answer is the content of the envelope; `None` for `null`.
pub(crate) async fn send_v1(shared: &Shared, call: &V1Call<'_, impl Serialize>) -> Result<Option<Answer>, Error> {
    let body = Bytes::from(json::to_vec(&call.envelope()));
    let signed = |_created| {
        let authorization = match &shared.credentials {
            Credentials::Key(key) => sign_digest(key, &body),
            Credentials::Token(token) => token.header_value(),
        };
        vec![(header::AUTHORIZATION, authorization)]
    };
    let (resource_type, resource_id) = call.resource.headers();
    let headers = vec![
        (header::ACCEPT, JSON),
        (header::CONTENT_TYPE, JSON),
        (RESOURCE_TYPE, HeaderValue::from_static(resource_type)),
        (RESOURCE_ID, HeaderValue::try_from(resource_id).unwrap_or(HeaderValue::from_static(""))),
    ];
    let sent = Sending { method: &Method::POST, target: call.resource.target(), body: &body, class: call.class };
    match sent.send(shared, headers, signed).await {
        Ok(answer) => v1::opened(shared, answer),
        Err(failure) => Err(failure.of_v1(shared)),
    }
}

/// A request of either protocol.
struct Sending<'a> {
    method: &'a Method,
    target: &'a str,
    body: &'a Bytes,
    class: Class,
}

impl Sending<'_> {
    /// Makes attempts until one succeeds or the error is final. Each attempt is signed anew (rule C6); all have the same trace id.
    async fn send(
        &self,
        shared: &Shared,
        headers: Vec<(HeaderName, HeaderValue)>,
        signed: impl Fn(u64) -> Vec<(HeaderName, String)>,
    ) -> Result<Answer, Failure> {
        let Self { method, target, body, class } = *self;
        let url = format!("{}{target}", shared.domain);
        let trace_id = (shared.trace_ids)();
        let account = |status, attempts| CallAccount {
            method: method.clone(),
            place: encord_http::SignedUrl::new(url.as_str()).to_string(),
            trace_id: trace_id.split([';', '/']).next().unwrap_or_default().escape_debug().to_string(),
            status,
            attempts,
        };
        let mut request = Request::new(method.clone(), url.as_str())
            .payload(Payload::bytes(body.clone()))
            .idempotent(class != Class::Once)
            .header(header::USER_AGENT, shared.user_agent.clone());
        if let Ok(value) = HeaderValue::try_from(trace_id.as_str()) {
            request = request.header(TRACE_HEADER, value);
        }
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let mut attempts = shared.http.begin(request);
        loop {
            for (name, value) in signed(unix_seconds((shared.clock)())) {
                // This does not fail: a signature is ASCII, and a token was checked.
                if let Ok(mut value) = HeaderValue::try_from(value) {
                    value.set_sensitive(true);
                    attempts.set_header(name, value);
                }
            }
            match attempts.attempt().await {
                Ok(response) => {
                    let account = account(Some(response.status().as_u16()), response.attempts().to_vec());
                    return Answer::new(response, account).map_err(|answer| Failure::unexpected(*answer));
                }
                Err(Failed::Retry { after, .. }) => tokio::time::sleep(after).await,
                Err(Failed::Stop(error)) => {
                    let account = account(error.status().map(|status| status.as_u16()), error.attempts().to_vec());
                    return Err(Failure::new(error, account));
                }
            }
        }
    }
}

fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
