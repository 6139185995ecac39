//! One attempt on the network, under its phase clock.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use encord_http_settings::RequestsSettings;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, EXPECT, RETRY_AFTER};
use http::response::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use hyper::ext::on_informational;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::capture_connection;
use tokio::time::{Instant, timeout_at};

use crate::attempt::{Fault, FaultKind, Outcome};
use crate::body::Body;
use crate::classify::classify;
use crate::clock::{Phase, PhaseClock};
use crate::connector::Connector;
use crate::digest::Sent;
use crate::hosts::{ASKING, Hosts};
use crate::payload::{Outgoing, Readers};
use crate::request::Request;
use crate::retry_after::retry_after;
use crate::watch::Watch;
use crate::wire::Progress;

/// The longest body of a response that is taken whole: 64 MiB. A longer one is a fault; read it as a stream.
pub const MAX_BODY: usize = 64 * 1024 * 1024;

/// How much is kept of the body of an answer of 400 and above: 64 KiB. The rest is not read.
pub const MAX_ERROR_BODY: usize = 64 * 1024;

/// A payload of this length or more is announced by `Expect: 100-continue` (RFC 9110 §10.1.1), so that a server that will not
/// have it can say so before it is sent: 16 MiB, which takes more than a second on a line of 100 Mbit/s.
pub const EXPECT_CONTINUE_FROM: u64 = 16 * 1024 * 1024;

/// How long such a payload waits for the server's word: 1 s, as curl does, and at most half of `connect_timeout` and
/// `write_timeout`, whose clocks run meanwhile. Then it is sent all the same, because there are servers that ignore `Expect`.
pub const EXPECT_CONTINUE_WAIT: Duration = Duration::from_secs(1);

type Pool = legacy::Client<Connector, Outgoing>;

/// What one attempt needs.
pub(crate) struct Plan<'a> {
    pub(crate) pool: &'a Pool,
    pub(crate) readers: &'a Readers,
    pub(crate) hosts: &'a Hosts,
    pub(crate) request: &'a Request,
    pub(crate) headers: &'a (dyn Fn() -> HeaderMap + Sync),
    pub(crate) settings: RequestsSettings,
    pub(crate) deadline: Option<Instant>,
    /// The client has asked for gzip, so it decompresses what comes.
    pub(crate) gzip: bool,
    /// The body of a success is left to be read.
    pub(crate) stream: bool,
}

/// How an attempt ended.
pub(crate) struct End {
    pub(crate) outcome: Outcome,
    pub(crate) phase: Phase,
    pub(crate) answer: Option<Answer>,
}

/// What the server answered.
pub(crate) struct Answer {
    pub(crate) parts: Parts,
    pub(crate) body: Content,
    /// The payload that was sent.
    pub(crate) sent: Sent,
}

impl Answer {
    /// What the server asked for in `Retry-After`, if it did.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let headers = &self.parts.headers;
        if headers.contains_key(RETRY_AFTER) { retry_after(headers, SystemTime::now()) } else { None }
    }
}

/// The body of an answer.
pub(crate) enum Content {
    Whole(Bytes),
    Stream(Box<Body>),
}

impl Content {
    /// The body, if it is there.
    pub(crate) fn whole(self) -> Bytes {
        match self {
            Self::Whole(body) => body,
            Self::Stream(_) => Bytes::new(),
        }
    }
}

/// Why an attempt has to be begun again.
enum Again {
    /// The connection from the pool was dead, and nothing was written on it.
    DiedIdle,
    /// The server does not know `Expect`: 417.
    ExpectationFailed,
}

impl Plan<'_> {
    /// Makes one attempt. A pooled connection that had died before anything was written on it does not count as one: the request
    /// goes again at once on another. Nor does a server's refusal of `Expect`.
    pub(crate) async fn attempt(&self) -> End {
        let uri = match self.request.url.expose() {
            Ok(uri) => uri,
            Err(e) => return failed(Fault::new(FaultKind::Url, e.to_string()).with_source(e), Phase::Preparing),
        };
        let mut may_expect = true;
        loop {
            match self.try_once(uri, may_expect).await {
                Ok(end) => return end,
                Err(Again::DiedIdle) => tracing::debug!("the pooled connection had been closed; sending on another"),
                Err(Again::ExpectationFailed) => may_expect = false,
            }
        }
    }

    async fn try_once(&self, uri: &Uri, may_expect: bool) -> Result<End, Again> {
        let clock = PhaseClock::new(&self.settings, self.request.profile);
        let begin = || Arc::new(Progress::new(Instant::now(), clock.is_sooner_once_sent()));
        let mut payload = match self.open(begin).await {
            Ok(payload) => payload,
            Err(fault) => return Ok(failed(fault, Phase::Preparing)),
        };
        let progress = Arc::clone(payload.progress());
        let started = progress.started();
        payload.count(self.request.meter.clone());
        let (length, announced) = (payload.length(), payload.announced());
        let expects = may_expect && length.is_some_and(|length| length >= EXPECT_CONTINUE_FROM);
        let expect = expects.then(|| expect_wait(&self.settings));
        let mut message = message(&self.request.method, uri, (self.headers)(), payload, expect);
        let heard = Arc::clone(&progress);
        on_informational(&mut message, move |interim| heard.interim(interim.status()));
        let captured = capture_connection(&mut message);
        let deadline = self.deadline.map(|deadline| deadline.saturating_duration_since(started));
        let under_way = self.hosts.begin(uri);
        let connect_timeout = self.settings.connect_timeout.as_duration();
        let asking = under_way.as_ref().map(|request| request.asking(Arc::clone(&progress), connect_timeout));
        let mut watch = Watch::new(clock, started, deadline, captured, progress, under_way);
        let exchange = self.pool.request(message);
        let exchanged = match asking {
            Some(asking) => watch.guard(ASKING.scope(asking, exchange)).await,
            None => watch.guard(exchange).await,
        };
        let (parts, incoming) = match exchanged {
            Ok(Ok(response)) => response.into_parts(),
            Ok(Err(e)) => {
                let fault = classify(e);
                let is_ours = matches!(fault.kind(), FaultKind::Payload | FaultKind::Changed);
                if !is_ours && watch.died_idle() && self.request.payload.can_open() {
                    return Err(Again::DiedIdle);
                }
                return Ok(failed(fault, watch.phase()));
            }
            Err(limit) => return Ok(failed(Fault::new(limit, ""), watch.phase())),
        };
        if expects && parts.status == StatusCode::EXPECTATION_FAILED && self.request.payload.can_open() {
            return Err(Again::ExpectationFailed);
        }
        watch.head_is_there();
        let gzip = self.gzip
            && parts
                .headers
                .get(CONTENT_ENCODING)
                .is_some_and(|coding| coding.as_bytes().eq_ignore_ascii_case(b"gzip"));
        let body = Body::new(incoming, watch, gzip && self.request.method != Method::HEAD);
        Ok(self.finish(parts, body, announced).await)
    }

    /// Opens the payload, which no clock but the deadline bounds.
    async fn open(&self, begin: impl FnOnce() -> Arc<Progress>) -> Result<Outgoing, Fault> {
        let open = self.request.payload.open(self.readers, begin);
        let opened = match self.deadline {
            Some(deadline) => timeout_at(deadline, open).await.map_err(|_| Fault::new(FaultKind::Deadline, ""))?,
            None => open.await,
        };
        opened.map_err(|e| Fault::new(e.kind(), e.to_string()).with_source(e))
    }

    async fn finish(&self, parts: Parts, mut body: Body, announced: Sent) -> End {
        let outcome = Outcome::Status(parts.status);
        if parts.status.as_u16() >= 400 {
            // The status refuses, so it is the outcome, even if the rest of the answer never comes.
            let read = body.read(MAX_ERROR_BODY).await.unwrap_or_else(|(read, _)| read);
            let answer = Some(Answer { parts, sent: body.payload(announced), body: Content::Whole(read) });
            return End { outcome, phase: Phase::Waiting, answer };
        }
        if self.stream {
            let sent = body.payload(announced);
            let body = Content::Stream(Box::new(body));
            return End { outcome, phase: Phase::Reading, answer: Some(Answer { parts, body, sent }) };
        }
        match body.read_whole(MAX_BODY).await {
            Ok(read) => {
                let answer = Some(Answer { parts, sent: body.payload(announced), body: Content::Whole(read) });
                End { outcome, phase: Phase::Done, answer }
            }
            Err(fault) => failed(fault, body.phase()),
        }
    }
}

fn failed(fault: Fault, phase: Phase) -> End {
    End { outcome: Outcome::Fault(fault), phase, answer: None }
}

fn expect_wait(settings: &RequestsSettings) -> Duration {
    let clocks = [settings.connect_timeout, settings.write_timeout];
    let halves = clocks.into_iter().filter_map(|timeout| Some(timeout.as_duration()? / 2));
    halves.fold(EXPECT_CONTINUE_WAIT, Duration::min)
}

fn message(
    method: &Method,
    uri: &Uri,
    headers: HeaderMap,
    mut payload: Outgoing,
    expect: Option<Duration>,
) -> http::Request<Outgoing> {
    let length = payload.length();
    if let Some(wait) = expect {
        payload.expect_continue(wait);
    }
    let mut message = http::Request::new(payload);
    *message.method_mut() = method.clone();
    *message.uri_mut() = uri.clone();
    *message.headers_mut() = headers;
    if expect.is_some() {
        message.headers_mut().insert(EXPECT, HeaderValue::from_static("100-continue"));
    }
    // RFC 9110 §8.6: also for an empty payload, when the method is one that has a payload. S3 answers 501 or 411 without.
    if let Some(length) = length
        && (length > 0 || matches!(*method, Method::PUT | Method::POST | Method::PATCH))
    {
        message.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    message
}
