//! One attempt on the network, under its phase clock.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use encord_http_settings::RequestsSettings;
use encord_signed_url::Origin;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, EXPECT, HOST};
use http::response::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use hyper::ext::on_informational;
use tokio::time::{Instant, timeout, timeout_at};

use crate::body::Body;
use crate::digest::Sent;
use crate::fault::{Fault, FaultKind};
use crate::net::connection::{Connection, MAX_HEAD_BYTES, MAX_HEAD_LINES};
use crate::net::dial::Dialer;
use crate::net::track::Track;
use crate::net::watch::{Running, Watch};
use crate::payload::{Opened, Outgoing, Readers};
use crate::phase::{Phase, Profile};
use crate::request::Request;
use crate::rules::classify::{During, classify};
use crate::rules::clock::{Event, PhaseClock};

/// The longest response body that is read whole: 64 MiB. A longer body is a fault; read such a body as a stream.
pub const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// How much of the body of an answer of 400 and above is kept: 64 KiB. The rest is not read.
pub const MAX_ERROR_BODY_BYTES: usize = 64 * 1024;

/// A payload of this length or more is announced by `Expect: 100-continue` (RFC 9110 §10.1.1), so that a server can refuse it
/// before it is sent. The limit is 16 MiB, which takes more than a second on a line of 100 Mbit/s.
pub const EXPECT_CONTINUE_MIN_BYTES: u64 = 16 * 1024 * 1024;

/// How long such a payload waits for `100 Continue`: 1 s, as with curl, but at most half of `connect_timeout` and of
/// `write_timeout`, whose clocks run during the wait. After the wait the payload is sent, because some servers ignore `Expect`.
pub const EXPECT_CONTINUE_WAIT: Duration = Duration::from_secs(1);

/// How much of the body of a 2xx answer to an upload is read, and for how long. It is read only so that the connection can be
/// used again.
const MAX_DISCARDED_BYTES: usize = 64 * 1024;
const MAX_DISCARD_TIME: Duration = Duration::from_secs(1);

/// The parts that all attempts of a client share.
pub(crate) struct Transport {
    pub(crate) dialer: Dialer,
    pub(crate) readers: Readers,
}

/// One attempt: the request, and its limits.
pub(crate) struct Exchange<'a> {
    pub(crate) transport: &'a Transport,
    pub(crate) request: &'a Request,
    /// Makes the headers. It is called for each sending, because most requests are sent only once and need no copy for a second
    /// time.
    pub(crate) headers: &'a (dyn Fn() -> HeaderMap + Sync),
    pub(crate) settings: RequestsSettings,
    pub(crate) deadline: Option<Instant>,
    /// The number of earlier attempts.
    pub(crate) turn: usize,
    /// Whether the client asked for gzip and must decompress the answer.
    pub(crate) gzip: bool,
}

/// An attempt with an answer below 400. The body is not read yet.
pub(crate) struct Answer {
    pub(crate) parts: Parts,
    pub(crate) body: Body,
    /// What is known of the payload before it is sent.
    pub(crate) announced: Sent,
    /// Whether the attempt opened the connection.
    pub(crate) opened: bool,
    pub(crate) resent: bool,
}

/// An attempt that failed.
pub(crate) struct Failure {
    pub(crate) cause: Cause,
    pub(crate) phase: Phase,
    pub(crate) resent: bool,
}

/// Why an attempt failed.
pub(crate) enum Cause {
    /// The server answered with a status of 400 or above.
    Refused(Box<Refusal>),
    /// There was no complete answer.
    Fault(Fault),
}

/// An answer of 400 or above.
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// The result of sending a request once on one connection.
enum SendOutcome {
    Answered(Box<Answer>),
    Failed(Cause, Phase),
    /// Nothing was written: the idle connection had been closed.
    NotWritten,
    /// The reused connection died before any byte of the answer.
    ReusedConnectionDied,
    /// The server does not know `Expect`: 417.
    ExpectationFailed,
}

impl Exchange<'_> {
    /// Makes one attempt.
    ///
    /// Within it the request is sent a second time in three cases: the idle connection was closed before anything was written;
    /// the reused connection died under a request that may be repeated (RFC 9112 §9.3.1); the server does not know `Expect`.
    pub(crate) async fn attempt(&self) -> Result<Answer, Failure> {
        let fail = |cause, phase, resent| Err(Failure { cause, phase, resent });
        let (uri, origin) = match self.request.0.url.expose() {
            Ok(exposed) => exposed,
            Err(e) => {
                let fault = Fault::new(FaultKind::Url, e.to_string()).with_source(e);
                return fail(Cause::Fault(fault), Phase::Preparing, false);
            }
        };
        let (mut may_expect, mut resent) = (true, false);
        loop {
            match self.send_once(uri, origin, may_expect, !resent).await {
                SendOutcome::Answered(answer) => return Ok(Answer { resent, ..*answer }),
                SendOutcome::Failed(cause, phase) => return fail(cause, phase, resent),
                SendOutcome::NotWritten => tracing::debug!("the idle connection had been closed; sending on another"),
                SendOutcome::ReusedConnectionDied => {
                    tracing::debug!("the reused connection died before the answer; sending once more on a new one");
                    resent = true;
                }
                SendOutcome::ExpectationFailed => may_expect = false,
            }
        }
    }

    async fn send_once(&self, uri: &Uri, origin: &Origin, may_expect: bool, may_reuse: bool) -> SendOutcome {
        let payload = match self.open().await {
            Ok(payload) => payload,
            Err(fault) => return SendOutcome::Failed(Cause::Fault(fault), Phase::Preparing),
        };
        let track = Track::new(PhaseClock::new(&self.settings, self.request.0.profile));
        let mut watch = Watch::new(Arc::clone(&track), self.deadline);
        let connection = match watch.guard(self.connection(origin, may_reuse)).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(fault)) => return SendOutcome::Failed(Cause::Fault(fault), Phase::Connecting),
            Err(limit) => return SendOutcome::Failed(Cause::Fault(Fault::new(limit, "")), Phase::Connecting),
        };
        track.record(Event::Connected);

        let announced = payload.announced();
        let expects = may_expect && payload.length.is_some_and(|length| length >= EXPECT_CONTINUE_MIN_BYTES);
        let message = self.message(uri, origin, payload, &track, connection.is_to_proxy(), expects);
        let mut running = Running::new(watch, connection);
        let response = match running.exchange(message).await {
            Ok(Ok(response)) => response,
            Ok(Err(mut error)) => {
                let was_written = error.take_message().is_none();
                return self.send_failed(error.into_error(), was_written, &running);
            }
            Err(limit) => return SendOutcome::Failed(Cause::Fault(Fault::new(limit, "")), running.phase()),
        };
        let (parts, incoming) = response.into_parts();
        if expects && parts.status == StatusCode::EXPECTATION_FAILED && self.request.0.payload.can_open() {
            return SendOutcome::ExpectationFailed;
        }
        track.head_complete();
        let is_gzip = |coding: &HeaderValue| coding.as_bytes().eq_ignore_ascii_case(b"gzip");
        let gzip = self.gzip
            && self.request.0.method != Method::HEAD
            && parts.headers.get(CONTENT_ENCODING).is_some_and(is_gzip);
        let opened = !running.is_reused();
        let body = Body::new(incoming, running, Arc::clone(&self.transport.dialer.pool), origin.clone(), gzip);
        self.answered(parts, body, announced, opened).await
    }

    /// Opens the payload. Only the deadline bounds this, no clock of the settings.
    async fn open(&self) -> Result<Opened, Fault> {
        let Transport { dialer, readers } = self.transport;
        let open = dialer.with_descriptor(|| self.request.0.payload.open(readers));
        match self.deadline {
            Some(deadline) => timeout_at(deadline, open).await.map_err(|_| Fault::new(FaultKind::Deadline, ""))?,
            None => open.await,
        }
    }

    /// Returns an idle connection, or a new one.
    async fn connection(&self, origin: &Origin, may_reuse: bool) -> Result<Connection, Fault> {
        let dialer = &self.transport.dialer;
        let idle = if may_reuse { dialer.pool.take(origin) } else { None };
        match idle {
            Some(connection) => Ok(connection),
            None => dialer.connect(origin, self.turn, self.settings.connect_timeout.as_duration()).await,
        }
    }

    fn send_failed(&self, error: hyper::Error, was_written: bool, running: &Running) -> SendOutcome {
        let (track, can_open) = (running.track(), self.request.0.payload.can_open());
        if track.is_draining() {
            // The system has discarded its unsent bytes, so nothing is left to be sent.
            track.payload_sent();
        }
        if !was_written && running.is_reused() && can_open {
            return SendOutcome::NotWritten;
        }
        let fault = classify(error, During::Exchange);
        let died = matches!(fault.kind(), FaultKind::Reset | FaultKind::Closed);
        if died && running.is_reused() && !track.has_answer() && self.request.0.idempotent && can_open {
            return SendOutcome::ReusedConnectionDied;
        }
        let fault = match fault.kind() {
            // hyper does not say whether the head has too many lines or too many bytes.
            FaultKind::TooLarge if track.head_lines() > MAX_HEAD_LINES => {
                fault.with_detail(format!("a head of more than {MAX_HEAD_LINES} lines"))
            }
            FaultKind::TooLarge => fault.with_detail(format!("a head of more than {} KiB", MAX_HEAD_BYTES / 1024)),
            _ => fault,
        };
        SendOutcome::Failed(Cause::Fault(fault), running.phase())
    }

    async fn answered(&self, parts: Parts, mut body: Body, announced: Sent, opened: bool) -> SendOutcome {
        if parts.status.as_u16() >= 400 {
            // The status is the outcome, even if the rest of the answer never arrives.
            let body = body.read(MAX_ERROR_BODY_BYTES).await.unwrap_or_else(|(read, _)| read);
            let Parts { status, headers, .. } = parts;
            return SendOutcome::Failed(Cause::Refused(Box::new(Refusal { status, headers, body })), Phase::Waiting);
        }
        if self.request.0.profile == Profile::Stall && parts.status.is_success() {
            // U11: the object is stored. Errors after the head do not change this.
            let _ = timeout(MAX_DISCARD_TIME, body.read(MAX_DISCARDED_BYTES)).await;
            body.discard();
        }
        SendOutcome::Answered(Box::new(Answer { parts, body, announced, opened, resent: false }))
    }

    fn message(
        &self,
        uri: &Uri,
        origin: &Origin,
        payload: Opened,
        track: &Arc<Track>,
        is_to_proxy: bool,
        expects: bool,
    ) -> http::Request<Outgoing> {
        let method = &self.request.0.method;
        let length = payload.length;
        let expect = expects.then(|| expect_wait(&self.settings));
        let payload = Outgoing::new(payload, Arc::clone(track), self.request.0.meter.clone(), expect);
        let mut message = http::Request::new(payload);
        let heard = Arc::clone(track);
        on_informational(&mut message, move |interim| heard.interim(interim.status()));
        *message.method_mut() = method.clone();
        *message.uri_mut() = if is_to_proxy { uri.clone() } else { origin_form(uri) };
        let headers = message.headers_mut();
        *headers = (self.headers)();
        if !headers.contains_key(HOST)
            && let Some(host) = host_header(uri, origin)
        {
            headers.insert(HOST, host);
        }
        if expects {
            headers.insert(EXPECT, HeaderValue::from_static("100-continue"));
        }
        // RFC 9110 §8.6: an empty payload needs it too, if the method usually has a payload. Without it S3 answers 501 or 411.
        if let Some(length) = length
            && (length > 0 || matches!(*method, Method::PUT | Method::POST | Method::PATCH))
        {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        message
    }
}

/// Returns the request target in origin form: path and query only (RFC 9112 §3.2.1).
fn origin_form(uri: &Uri) -> Uri {
    uri.path_and_query().cloned().map_or_else(|| Uri::from(PathAndQuery::from_static("/")), Uri::from)
}

/// Returns the host and port of the URL, without the default port of the scheme.
fn host_header(uri: &Uri, origin: &Origin) -> Option<HeaderValue> {
    let default = if origin.is_https() { 443 } else { 80 };
    let authority = uri.authority()?;
    let host = if origin.port() == default { authority.host() } else { authority.as_str() };
    HeaderValue::from_str(host).ok()
}

fn expect_wait(settings: &RequestsSettings) -> Duration {
    let clocks = [settings.connect_timeout, settings.write_timeout];
    let halves = clocks.into_iter().filter_map(|timeout| Some(timeout.as_duration()? / 2));
    halves.fold(EXPECT_CONTINUE_WAIT, Duration::min)
}
