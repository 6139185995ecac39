//! A request on its way, one attempt after the other. The waits in between are the caller's.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use encord_http_settings::RequestsSettings;
use encord_signed_url::SignedUrl;
use http::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, EXPECT, PROXY_AUTHORIZATION, RANGE, TRANSFER_ENCODING, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tokio::time::Instant;
use tracing::{Instrument, Span, debug, debug_span};

use crate::attempt::{Attempt, Budget, Fault, Outcome};
use crate::client::Client;
use crate::error::Error;
use crate::exchange::{Answer, Content, End, Plan};
use crate::ledger::{Circumstances, Decision, Jitter, Ledger, Policy, StopReason};
use crate::redirect;
use crate::request::Request;
use crate::response::Response;
use crate::trace::{TRACE_HEADER, TraceIds};

/// A request on its way, an attempt at a time: what [`Client::send`] does, for a caller who has something to do in between.
///
/// ```
/// use encord_http::{Client, Error, Request, Response, Step};
///
/// // The same as `client.send(&request)`.
/// async fn send(client: &Client, request: Request) -> Result<Response, Error> {
///     let mut attempts = client.begin(request);
///     loop {
///         match attempts.attempt().await {
///             Step::Done(response) => return Ok(response),
///             Step::Retry { after, .. } => tokio::time::sleep(after).await,
///             Step::Stop(error) => return Err(error),
///             _ => unreachable!(),
///         }
///     }
/// }
/// ```
pub struct Attempts(Run<'static>);

/// What follows from an attempt.
#[derive(Debug)]
#[non_exhaustive]
pub enum Step {
    /// The response is there.
    Done(Response),
    /// Another attempt is due.
    Retry {
        /// After this wait, which is the caller's to keep.
        after: Duration,
        /// At the expense of this budget.
        charged_to: Budget,
    },
    /// Failed for good. A caller who can mend the cause, say with a new URL, may make another attempt all the same: it goes on
    /// with the same account, and is charged to no budget.
    Stop(Error),
}

impl Attempts {
    pub(crate) fn new(client: Client, request: Request) -> Self {
        Self(Run::new(client, Cow::Owned(request)))
    }

    /// The request as the next attempt sends it.
    pub fn request(&self) -> &Request {
        &self.0.request
    }

    /// The next attempts send this request. Budgets and account stay as they are, and so do settings and deadline.
    pub fn set_request(&mut self, request: Request) {
        self.0.span = span(&request);
        self.0.request = Cow::Owned(request);
    }

    /// The next attempts go to this URL. Budgets and account stay as they are.
    pub fn set_url(&mut self, url: SignedUrl) {
        self.0.set_url(url);
    }

    /// The next attempts carry this header, in place of one of the same name.
    pub fn set_header(&mut self, name: HeaderName, value: HeaderValue) {
        self.0.request.to_mut().headers.insert(name, value);
    }

    /// Says how long the caller really waits before the next attempt, if not as long as asked; for the account.
    pub fn set_waited(&mut self, waited: Duration) {
        self.0.ledger.set_wait(waited);
    }

    /// What the last answer asked for in `Retry-After`, if it did.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The attempts so far, in order.
    pub fn attempts(&self) -> &[Attempt] {
        self.0.ledger.attempts()
    }

    /// Makes the next attempt, at once.
    ///
    /// Redirects that were [asked for](Request::follow_redirects) are followed at once too; each hop has an account of its own,
    /// and this is from then on the one of the last hop. Dropping the future closes the connection in use; the attempt is then
    /// in no account.
    pub async fn attempt(&mut self) -> Step {
        match self.0.attempt(false).await {
            Next::Done(response, content) => Step::Done(response.with_body(content.whole())),
            Next::Retry { after, charged_to } => Step::Retry { after, charged_to },
            Next::Stop(error) => Step::Stop(error),
        }
    }

    /// Does not accept what [`Step::Done`] brought: the attempt gets this outcome instead, and what follows is decided again by
    /// the same budgets.
    pub fn reject(&mut self, fault: Fault) -> Step {
        match self.0.reject(fault) {
            Ok((after, charged_to)) => Step::Retry { after, charged_to },
            Err(reason) => Step::Stop(self.0.error(reason, HeaderMap::new(), Bytes::new())),
        }
    }
}

impl fmt::Debug for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Request { method, url, .. } = self.request();
        write!(f, "Attempts({method} {url}, {} so far)", self.attempts().len())
    }
}

/// The loop behind [`Attempts`] and [`Client::send`], which has no need to own the request.
pub(crate) struct Run<'a> {
    client: Client,
    request: Cow<'a, Request>,
    settings: RequestsSettings,
    ledger: Ledger,
    began: Instant,
    redirects: u8,
    /// The client asks for gzip.
    gzip: bool,
    trace_id: Option<HeaderValue>,
    retry_after: Option<Duration>,
    span: Span,
}

/// [`Step`], with a body that may be a stream.
pub(crate) enum Next {
    Done(Response<()>, Content),
    Retry { after: Duration, charged_to: Budget },
    Stop(Error),
}

impl<'a> Run<'a> {
    pub(crate) fn new(client: Client, request: Cow<'a, Request>) -> Self {
        let options = &client.shared.options;
        let settings = request.settings.unwrap_or(options.settings);
        let policy = Policy {
            settings,
            backoff_cap: options.backoff_cap,
            retry_after_limit: options.retry_after_limit,
            idempotent: request.idempotent,
            jitter: options.jitter,
            deadline: request.deadline,
        };
        Self {
            settings,
            ledger: Ledger::new(policy),
            began: Instant::now(),
            redirects: request.redirects,
            gzip: request.method == Method::GET
                && ![ACCEPT_ENCODING, RANGE].iter().any(|name| request.headers.contains_key(name)),
            trace_id: options.trace_ids.as_ref().and_then(TraceIds::next),
            retry_after: None,
            span: span(&request),
            request,
            client,
        }
    }

    /// Makes attempts until the server does not redirect any more.
    pub(crate) async fn attempt(&mut self, stream: bool) -> Next {
        loop {
            let span = self.span.clone();
            let next = self.attempt_one(stream).instrument(span).await;
            let hop = match &next {
                Next::Done(response, _) if self.redirects > 0 => redirect::next(&self.request, response),
                _ => None,
            };
            let Some(hop) = hop else { return next };
            let Self { began, redirects, .. } = *self;
            *self = Self { began, redirects: redirects - 1, ..Run::new(self.client.clone(), Cow::Owned(hop)) };
        }
    }

    async fn attempt_one(&mut self, stream: bool) -> Next {
        // Made anew for each attempt: most requests have one, and a copy for a second would be made in vain.
        let headers = || self.headers();
        let plan = Plan {
            pool: &self.client.shared.pool,
            readers: &self.client.shared.readers,
            hosts: &self.client.shared.hosts,
            request: &self.request,
            headers: &headers,
            settings: self.settings,
            deadline: self.request.deadline.and_then(|deadline| self.began.checked_add(deadline)),
            gzip: self.gzip,
            stream,
        };
        let End { outcome, phase, answer } = plan.attempt().await;
        debug!(%outcome, %phase, "attempt");
        self.retry_after = answer.as_ref().and_then(Answer::retry_after);
        let circumstances = self.circumstances();
        let reason = match (self.ledger.record(outcome, phase, circumstances), answer) {
            (Decision::Retry { after, charged_to }, _) => {
                debug!(?after, charged_to = charged_to.field(), "wait");
                return Next::Retry { after, charged_to };
            }
            (Decision::Done, Some(Answer { parts, body, sent })) => {
                let attempts = self.ledger.attempts().to_vec();
                let response = Response { status: parts.status, headers: parts.headers, body: (), attempts, sent };
                return Next::Done(response, body);
            }
            (Decision::Stop(reason), Some(Answer { parts, body, .. })) => {
                let (headers, body) = copied(parts.headers, &body.whole());
                return Next::Stop(self.error(reason, headers, body));
            }
            (Decision::Stop(reason), None) => reason,
            // Only an answer is ever done.
            (Decision::Done, None) => StopReason::Final,
        };
        Next::Stop(self.error(reason, HeaderMap::new(), Bytes::new()))
    }

    fn reject(&mut self, fault: Fault) -> Result<(Duration, Budget), StopReason> {
        let circumstances = self.circumstances();
        let _entered = self.span.enter();
        debug!(%fault, "rejected");
        match self.ledger.revise(Outcome::Fault(fault), circumstances) {
            Decision::Retry { after, charged_to } => Ok((after, charged_to)),
            Decision::Stop(reason) => Err(reason),
            // A fault is never done.
            Decision::Done => Err(StopReason::Final),
        }
    }

    fn circumstances(&self) -> Circumstances {
        let jitter = self.client.shared.options.jitter;
        Circumstances {
            retry_after: self.retry_after,
            consumed: !self.request.payload.can_open(),
            elapsed: self.request.deadline.map_or(Duration::ZERO, |_| self.began.elapsed()),
            random: if jitter == Jitter::None { 0.0 } else { fastrand::f64() },
        }
    }

    fn set_url(&mut self, url: SignedUrl) {
        self.request.to_mut().url = url;
        self.span = span(&self.request);
    }

    pub(crate) fn error(&self, reason: StopReason, headers: HeaderMap, body: Bytes) -> Error {
        let Request { method, url, .. } = &*self.request;
        Error::new(method.clone(), url.clone(), reason, self.ledger.attempts().to_vec(), headers, body)
    }

    fn headers(&self) -> HeaderMap {
        let shared = &self.client.shared;
        let mut headers = self.request.headers.clone();
        for ours in [CONNECTION, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING] {
            headers.remove(ours);
        }
        if let Some(authorization) = self.request.url.expose().ok().and_then(|uri| shared.proxies.authorization(uri)) {
            headers.entry(PROXY_AUTHORIZATION).or_insert_with(|| authorization.clone());
        }
        headers.entry(USER_AGENT).or_insert_with(|| shared.options.user_agent.clone());
        if self.gzip {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if let Some(id) = &self.trace_id {
            headers.entry(TRACE_HEADER).or_insert_with(|| id.clone());
        }
        headers
    }
}

/// Errors are kept, and what came off the wire would keep the whole buffer that it was read into.
fn copied(mut headers: HeaderMap, body: &[u8]) -> (HeaderMap, Bytes) {
    for value in headers.values_mut() {
        if let Ok(copy) = HeaderValue::from_bytes(value.as_bytes()) {
            *value = copy;
        }
    }
    (headers, Bytes::copy_from_slice(body))
}

fn span(request: &Request) -> Span {
    debug_span!("request", method = %request.method, url = %request.url)
}
