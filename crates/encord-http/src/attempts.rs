//! A request that the caller sends one attempt at a time. The caller keeps the waits between the attempts.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use encord_http_settings::RequestsSettings;
use encord_signed_url::SignedUrl;
use http::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, EXPECT, PROXY_AUTHORIZATION, RANGE, TRANSFER_ENCODING, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tokio::time::Instant;
use tracing::{Instrument, Span, debug, debug_span};

use crate::attempt::{Attempt, Outcome};
use crate::body::Body;
use crate::budget::Budget;
use crate::error::Error;
use crate::fault::Fault;
use crate::net::exchange::{Answer, Cause, Exchange, Failure, MAX_BODY_BYTES, Refusal};
use crate::phase::Phase;
use crate::request::Request;
use crate::response::Response;
use crate::rules::ledger::{Circumstances, Decision, Entry, Jitter, Ledger, Policy, StopReason};
use crate::rules::reason::{Reason, Secrets};
use crate::rules::redirect;
use crate::rules::retry_after::retry_after;
use crate::shared::{Options, Shared};
use crate::trace::{TRACE_HEADER, TraceIds};

/// How much of the body of a redirect is read before it is followed, so that its connection can be used again.
const MAX_REDIRECT_BODY_BYTES: usize = 64 * 1024;

/// A request that is sent one attempt at a time. [`Client::send`](crate::Client::send) does the same in one call; use this type
/// to do something between two attempts.
///
/// ```
/// use encord_http::{Client, Error, Failed, Request, Response};
///
/// // The same as `client.send(&request)`.
/// async fn send(client: &Client, request: Request) -> Result<Response, Error> {
///     let mut attempts = client.begin(request);
///     loop {
///         match attempts.attempt().await {
///             Ok(response) => return Ok(response),
///             Err(Failed::Retry { after, .. }) => tokio::time::sleep(after).await,
///             Err(Failed::Stop(error)) => return Err(error),
///         }
///     }
/// }
/// ```
pub struct Attempts {
    shared: Arc<Shared>,
    request: Request,
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

/// A failed attempt, and what to do next.
#[derive(Debug)]
pub enum Failed {
    /// Another attempt is due.
    Retry {
        /// The wait before the next attempt. The caller keeps it.
        after: Duration,
        /// The budget that the next attempt is charged to.
        charged_to: Budget,
    },
    /// The request has failed for good. A caller who can remove the cause, for example with a new URL, may still make another
    /// attempt. It is added to the same list of attempts, and is charged to no budget.
    Stop(Error),
}

impl Failed {
    /// Keeps the wait before the next attempt.
    ///
    /// # Errors
    ///
    /// The error of a request that has failed for good.
    pub async fn wait(self) -> Result<(), Error> {
        match self {
            // A timer would round zero up to a millisecond.
            Self::Retry { after: Duration::ZERO, .. } => Ok(()),
            Self::Retry { after, .. } => {
                tokio::time::sleep(after).await;
                Ok(())
            }
            Self::Stop(error) => Err(error),
        }
    }
}

impl Attempts {
    pub(crate) fn new(shared: Arc<Shared>, request: Request) -> Self {
        let options = &shared.options;
        let settings = request.0.settings.unwrap_or(options.settings);
        Self {
            settings,
            ledger: Ledger::new(policy(options, &request, settings)),
            began: Instant::now(),
            redirects: request.0.redirects,
            gzip: request.0.method == Method::GET
                && ![ACCEPT_ENCODING, RANGE].iter().any(|name| request.has_header(name)),
            trace_id: options.trace_ids.as_ref().and_then(TraceIds::next),
            retry_after: None,
            span: span(&request),
            request,
            shared,
        }
    }

    /// The request as the next attempt sends it.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Sets the target of the next attempts: a URL with the headers that belong to it.
    ///
    /// The headers of the previous target are dropped ([`Request::target_headers`], [`set_header`](Self::set_header)), so that no
    /// header of one target is sent to another (rule U9). The budgets and the list of attempts stay as they are.
    pub fn set_target(&mut self, url: SignedUrl, headers: HeaderMap) {
        let request = self.request.inner_mut();
        request.url = url;
        request.target_headers = headers;
        self.span = span(&self.request);
    }

    /// Sets a header of the next attempts, as long as they go to the same target. It replaces headers of the same name.
    pub fn set_header(&mut self, name: HeaderName, value: HeaderValue) {
        self.request.inner_mut().target_headers.insert(name, value);
    }

    /// Records how long the caller really waits before the next attempt, if this differs from the wait that was asked for.
    pub fn set_waited(&mut self, waited: Duration) {
        self.ledger.set_wait(waited);
    }

    /// The `Retry-After` of the last answer, if it had one.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The attempts so far, in order.
    pub fn attempts(&self) -> &[Attempt] {
        self.ledger.attempts()
    }

    /// Makes the next attempt, at once.
    ///
    /// Redirects that were [asked for](Request::follow_redirects) are followed at once too. Each hop has its own list of
    /// attempts; [`attempts`](Self::attempts) then shows the list of the last hop. Dropping the future closes the connection in
    /// use, and the attempt is not recorded.
    ///
    /// # Errors
    ///
    /// [`Failed`] when the answer was incomplete or its status is 400 or above.
    pub async fn attempt(&mut self) -> Result<Response, Failed> {
        let span = self.span.clone();
        let attempt = async {
            let Answer { parts, mut body, announced, opened, resent } = self.answer().await?;
            match body.read_whole(MAX_BODY_BYTES).await {
                Ok(whole) => {
                    let answer = Answer { parts, body, announced, opened, resent };
                    Ok(self.succeed(answer, Phase::Done).with_body(whole))
                }
                Err(fault) => Err(self.fail(Failure { cause: Cause::Fault(fault), phase: body.phase(), resent })),
            }
        };
        attempt.instrument(span).await
    }

    /// Makes the next attempt like [`attempt`](Self::attempt), but the caller reads the body of the response piece by piece.
    ///
    /// # Errors
    ///
    /// As for [`attempt`](Self::attempt), until the head of the response has arrived.
    pub async fn stream(&mut self) -> Result<Response<Body>, Failed> {
        let span = self.span.clone();
        let attempt = async {
            let answer = self.answer().await?;
            Ok(self.succeed(answer, Phase::Reading))
        };
        attempt.instrument(span).await
    }

    /// Rejects the last response. `fault` becomes the outcome of its attempt, and the budgets decide again whether to retry.
    pub fn reject(&mut self, fault: Fault) -> Failed {
        let _entered = self.span.clone().entered();
        debug!(%fault, "rejected");
        let circumstances = self.circumstances();
        let decision = self.ledger.revised(Outcome::Fault(fault), circumstances);
        self.failed(decision, HeaderMap::new(), &[])
    }

    /// Makes an attempt and follows its redirects.
    async fn answer(&mut self) -> Result<Answer, Failed> {
        loop {
            let headers = || self.headers();
            let exchange = Exchange {
                transport: &self.shared.transport,
                request: &self.request,
                headers: &headers,
                settings: self.settings,
                deadline: self.request.0.deadline.and_then(|deadline| self.began.checked_add(deadline)),
                turn: self.ledger.attempts().len(),
                gzip: self.gzip,
            };
            let mut answer = match exchange.attempt().await {
                Ok(answer) => answer,
                Err(failure) => return Err(self.fail(failure)),
            };
            match redirect::next(&self.request, self.redirects, &answer.parts) {
                Some(next) => {
                    drop(answer.body.read(MAX_REDIRECT_BODY_BYTES).await);
                    self.follow(next);
                }
                None => return Ok(answer),
            }
        }
    }

    fn follow(&mut self, next: Request) {
        debug!(status = "redirect", to = %next.url(), "followed");
        self.redirects -= 1;
        self.ledger = Ledger::new(policy(&self.shared.options, &next, self.settings));
        self.span = span(&next);
        self.request = next;
    }

    fn succeed(&mut self, answer: Answer, phase: Phase) -> Response<Body> {
        let Answer { parts, body, announced, opened, resent } = answer;
        debug!(outcome = %parts.status, %phase, "attempt");
        self.retry_after = None;
        self.ledger.succeeded(Entry { outcome: Outcome::Status(parts.status), reason: None, phase, resent });
        let (sent, attempts) = (body.payload(announced), self.ledger.attempts().to_vec());
        Response { status: parts.status, headers: parts.headers, body, attempts, sent, opened }
    }

    fn fail(&mut self, Failure { cause, phase, resent }: Failure) -> Failed {
        let (outcome, reason, headers, body) = match cause {
            Cause::Fault(fault) => (Outcome::Fault(fault), None, HeaderMap::new(), Bytes::new()),
            Cause::Refused(refusal) => {
                let Refusal { status, headers, body } = *refusal;
                let reason = Reason::parse(&headers, &body, &self.secrets());
                (Outcome::Status(status), reason, headers, body)
            }
        };
        debug!(%outcome, %phase, "attempt");
        self.retry_after = retry_after(&headers, SystemTime::now());
        let circumstances = self.circumstances();
        let decision = self.ledger.failed(Entry { outcome, reason, phase, resent }, circumstances);
        self.failed(decision, headers, &body)
    }

    fn failed(&self, decision: Decision, headers: HeaderMap, body: &[u8]) -> Failed {
        match decision {
            Decision::Retry { after, charged_to } => {
                debug!(?after, charged_to = charged_to.field(), "wait");
                Failed::Retry { after, charged_to }
            }
            Decision::Stop(reason) => Failed::Stop(self.error(reason, headers, body)),
        }
    }

    fn error(&self, reason: StopReason, headers: HeaderMap, body: &[u8]) -> Error {
        let (headers, body) = copied(headers, body);
        Error::new(&self.request, reason, self.ledger.attempts().to_vec(), self.retry_after, headers, body)
    }

    /// The secrets of the last attempt, which its answer may repeat.
    fn secrets(&self) -> Secrets {
        let query = self.request.0.url.expose().ok().and_then(|(url, _)| url.query()).unwrap_or_default();
        Secrets::of(query, &self.request.all_headers())
    }

    fn circumstances(&self) -> Circumstances {
        let jitter = self.shared.options.jitter;
        Circumstances {
            retry_after: self.retry_after,
            consumed: !self.request.0.payload.can_open(),
            elapsed: self.request.0.deadline.map_or(Duration::ZERO, |_| self.began.elapsed()),
            random: if jitter == Jitter::None { 0.0 } else { fastrand::f64() },
        }
    }

    /// The headers of the next attempt: those of the request, then the client's.
    fn headers(&self) -> HeaderMap {
        let mut headers = self.request.all_headers();
        for name in [CONNECTION, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING] {
            headers.remove(name);
        }
        if let Some(authorization) =
            self.request.0.url.origin().and_then(|origin| self.shared.proxies.authorization(origin))
        {
            headers.entry(PROXY_AUTHORIZATION).or_insert_with(|| authorization.clone());
        }
        headers.entry(USER_AGENT).or_insert_with(|| self.shared.options.user_agent.clone());
        if self.gzip {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if let Some(id) = &self.trace_id {
            headers.entry(TRACE_HEADER).or_insert_with(|| id.clone());
        }
        headers
    }
}

/// Copies the headers and the body of a refusal. An error may be kept for long, and the originals would keep the whole read
/// buffer alive.
fn copied(mut headers: HeaderMap, body: &[u8]) -> (HeaderMap, Bytes) {
    for value in headers.values_mut() {
        if let Ok(copy) = HeaderValue::from_bytes(value.as_bytes()) {
            *value = copy;
        }
    }
    (headers, Bytes::copy_from_slice(body))
}

fn policy(options: &Options, request: &Request, settings: RequestsSettings) -> Policy {
    Policy {
        settings,
        backoff_cap: options.backoff_cap,
        retry_after_limit: options.retry_after_limit,
        idempotent: request.0.idempotent,
        jitter: options.jitter,
        deadline: request.0.deadline,
    }
}

fn span(request: &Request) -> Span {
    debug_span!("request", method = %request.method(), url = %request.url())
}

impl fmt::Debug for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attempts({} {}, {} so far)", self.request.method(), self.request.url(), self.attempts().len())
    }
}
