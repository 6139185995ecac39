//! The client: attempts, waits, and the order of both as the ledger says.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use encord_http_settings::RequestsSettings;
use http::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, EXPECT, PROXY_AUTHORIZATION, TRANSFER_ENCODING, USER_AGENT,
};
use http::{HeaderMap, HeaderValue, Method};
use hyper_util::client::legacy;
use tokio::time::Instant;
use tracing::{Instrument, debug, debug_span};

use crate::attempt::Attempt;
use crate::body::Body;
use crate::builder::{ClientBuilder, Options};
use crate::connector::Connector;
use crate::error::Error;
use crate::exchange::{Answer, Content, End, Plan};
use crate::ledger::{Circumstances, Decision, Jitter, Ledger, Policy, StopReason};
use crate::payload::Outgoing;
use crate::proxy::Proxies;
use crate::redirect;
use crate::request::Request;
use crate::response::Response;
use crate::trace::{TRACE_HEADER, TraceIds};

/// An HTTP/1.1 client that keeps [`RequestsSettings`].
///
/// Cheap to clone; clones share their connections. Its settings are fixed when it is made (rule R10).
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
}

/// What all clones of a client share.
pub(crate) struct Shared {
    pub(crate) pool: legacy::Client<Connector, Outgoing>,
    pub(crate) options: Options,
    pub(crate) proxies: Arc<Proxies>,
}

impl Client {
    /// A client under these settings.
    pub fn new(settings: RequestsSettings) -> Self {
        Self::builder(settings).build()
    }

    /// A client under these settings, with more to set.
    pub fn builder(settings: RequestsSettings) -> ClientBuilder {
        ClientBuilder::new(settings)
    }

    /// The settings this client was made with.
    pub fn settings(&self) -> &RequestsSettings {
        &self.shared.options.settings
    }

    /// Sends a request, again if need be, and reads the whole response, at most [`MAX_BODY`](crate::MAX_BODY) bytes of it.
    /// Needs a tokio runtime with time and I/O enabled.
    ///
    /// Dropping the future stops everything at once and closes the connection in use.
    ///
    /// # Errors
    ///
    /// [`Error`] when the last attempt brought no whole answer or a status of 400 and above. Lower ones, redirects among them,
    /// are responses.
    pub async fn send(&self, request: &Request) -> Result<Response, Error> {
        let (response, content) = self.run(request, false).await?;
        Ok(match content {
            Content::Whole(body) => response.with_body(body),
            // Streams are made on demand only.
            Content::Stream(_) => response.with_body(Bytes::new()),
        })
    }

    /// Like [`send`](Self::send), but leaves the body of the response to be read piece by piece, under the read clock. A
    /// failure from then on is not retried.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), for what comes before the body.
    pub async fn stream(&self, request: &Request) -> Result<Response<Body>, Error> {
        let (response, content) = self.run(request, true).await?;
        match content {
            Content::Stream(body) => Ok(response.with_body(*body)),
            Content::Whole(body) => Err(error(request, StopReason::Final, response.attempts, body)),
        }
    }

    async fn run(&self, request: &Request, stream: bool) -> Result<(Response<()>, Content), Error> {
        let began = Instant::now();
        let mut next = None;
        let mut left = request.redirects;
        loop {
            let request = next.as_ref().unwrap_or(request);
            let span = debug_span!("request", method = %request.method, url = %request.url);
            let done = self.run_one(request, stream, began).instrument(span).await?;
            match redirect::next(request, &done.0).filter(|_| left > 0) {
                Some(hop) => next = Some(hop),
                None => return Ok(done),
            }
            left -= 1;
        }
    }

    async fn run_one(&self, request: &Request, stream: bool, began: Instant) -> Result<(Response<()>, Content), Error> {
        let options = &self.shared.options;
        let settings = request.settings.unwrap_or(options.settings);
        let mut ledger = Ledger::new(Policy {
            settings,
            backoff_cap: options.backoff_cap,
            retry_after_limit: options.retry_after_limit,
            idempotent: request.idempotent,
            replayable: request.payload.is_replayable(),
            jitter: options.jitter,
            deadline: request.deadline,
        });
        let gzip = request.method == Method::GET && !request.headers.contains_key(ACCEPT_ENCODING);
        let deadline = request.deadline.and_then(|deadline| began.checked_add(deadline));
        let trace_id = options.trace_ids.as_ref().and_then(TraceIds::next);
        // Made anew for each attempt: most requests have one, and a copy for a second would be made in vain.
        let headers = || self.headers(request, gzip, trace_id.as_ref());
        let plan = Plan { pool: &self.shared.pool, request, headers: &headers, settings, deadline, gzip, stream };
        loop {
            let End { outcome, phase, answer } = plan.attempt().await;
            debug!(%outcome, %phase, "attempt");
            let circumstances = Circumstances {
                retry_after: answer.as_ref().and_then(Answer::retry_after),
                elapsed: request.deadline.map_or(Duration::ZERO, |_| began.elapsed()),
                random: if options.jitter == Jitter::None { 0.0 } else { fastrand::f64() },
            };
            let reason = match (ledger.record(outcome, phase, circumstances), answer) {
                (Decision::Retry { after, charged_to }, _) => {
                    debug!(?after, charged_to = charged_to.field(), "wait");
                    wait(after).await;
                    continue;
                }
                (Decision::Done, Some(Answer { parts, body, sent })) => {
                    let attempts = ledger.into_attempts();
                    let response = Response { status: parts.status, headers: parts.headers, body: (), attempts, sent };
                    return Ok((response, body));
                }
                (Decision::Stop(reason), Some(Answer { body: Content::Whole(body), .. })) => {
                    return Err(error(request, reason, ledger.into_attempts(), body));
                }
                (Decision::Stop(reason), _) => reason,
                // Only an answer is ever done.
                (Decision::Done, None) => StopReason::Final,
            };
            return Err(error(request, reason, ledger.into_attempts(), Bytes::new()));
        }
    }

    fn headers(&self, request: &Request, gzip: bool, trace_id: Option<&HeaderValue>) -> HeaderMap {
        let mut headers = request.headers.clone();
        for ours in [CONNECTION, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING] {
            headers.remove(ours);
        }
        if let Some(authorization) = request.url.uri().ok().and_then(|uri| self.shared.proxies.authorization(uri)) {
            headers.entry(PROXY_AUTHORIZATION).or_insert_with(|| authorization.clone());
        }
        headers.entry(USER_AGENT).or_insert_with(|| self.shared.options.user_agent.clone());
        if gzip {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if let Some(id) = trace_id {
            headers.entry(TRACE_HEADER).or_insert_with(|| id.clone());
        }
        headers
    }
}

fn error(request: &Request, reason: StopReason, attempts: Vec<Attempt>, body: Bytes) -> Error {
    Error::new(request.method.clone(), request.url.clone(), reason, attempts, body)
}

/// A wait of zero is none: a timer would round it up to a millisecond.
async fn wait(after: Duration) {
    if !after.is_zero() {
        tokio::time::sleep(after).await;
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("settings", self.settings()).finish_non_exhaustive()
    }
}
