//! One attempt on the network, under its phase clock.

use std::error::Error as StdError;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use encord_http_settings::RequestsSettings;
use http::header::CONTENT_LENGTH;
use http::response::Parts;
use http::{Extensions, HeaderMap, HeaderValue, Method, Uri};
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use tokio::time::{Instant, Sleep};

use crate::attempt::{Fault, FaultKind, Outcome};
use crate::clock::{Event, Limit, Phase, PhaseClock};
use crate::connector::{ConnectError, Connector, chain, chain_text};
use crate::payload::{Outgoing, PayloadError};
use crate::request::Request;
use crate::wire::{Progress, Wire, WireHandle};

/// The longest body of a response that is taken: 64 MiB. A longer one is a fault.
pub const MAX_BODY: usize = 64 * 1024 * 1024;

/// How much is kept of the body of an answer of 400 and above: 64 KiB. The rest is not read.
pub const MAX_ERROR_BODY: usize = 64 * 1024;

type Pool = legacy::Client<Connector, Outgoing>;

/// How an attempt ended.
pub(crate) struct End {
    pub(crate) outcome: Outcome,
    pub(crate) phase: Phase,
    pub(crate) answer: Option<(Parts, Bytes)>,
    /// The length of the payload.
    pub(crate) length: u64,
}

impl End {
    fn fault(fault: Fault, phase: Phase) -> Self {
        Self { outcome: Outcome::Fault(fault), phase, answer: None, length: 0 }
    }
}

/// Makes one attempt. A pooled connection that had died before anything was written on it does not count as one: the request
/// goes again at once on another.
pub(crate) async fn attempt(pool: &Pool, request: &Request, headers: &HeaderMap, settings: &RequestsSettings) -> End {
    let uri = match request.url.uri() {
        Ok(uri) => uri,
        Err(e) => return End::fault(Fault::new(FaultKind::Url, e.to_string()), Phase::Connecting),
    };
    loop {
        let started = Instant::now();
        let progress = Arc::new(Progress::new(started));
        let payload = match request.payload.open(Arc::clone(&progress)).await {
            Ok(payload) => payload,
            Err(e) => return End::fault(Fault::new(FaultKind::Payload, e.to_string()), Phase::Connecting),
        };
        let length = payload.length();
        let mut message = message(&request.method, uri, headers, payload);
        let link = Link { captured: capture_connection(&mut message), progress, wire: None };
        let clock = PhaseClock::new(settings, request.profile);
        let exchange = exchange(pool, message);
        if let Some(end) = run(exchange, link, clock, started).await {
            return End { length, ..end };
        }
        tracing::debug!("the pooled connection had been closed; sending on another");
    }
}

fn message(method: &Method, uri: &Uri, headers: &HeaderMap, payload: Outgoing) -> http::Request<Outgoing> {
    let length = payload.length();
    let mut message = http::Request::new(payload);
    *message.method_mut() = method.clone();
    *message.uri_mut() = uri.clone();
    *message.headers_mut() = headers.clone();
    // RFC 9110 §8.6: also for an empty payload, when the method is one that has a payload. S3 answers 501 or 411 without.
    if length > 0 || matches!(*method, Method::PUT | Method::POST | Method::PATCH) {
        message.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    message
}

/// What came back, before it is judged.
enum Answer {
    Whole(Parts, Bytes),
    /// The status refuses, so it is the outcome even if the rest of the answer never came.
    Refusal(Parts, Bytes),
    TooLarge,
    BrokenOff(Fault),
}

async fn exchange(pool: &Pool, message: http::Request<Outgoing>) -> Result<Answer, legacy::Error> {
    let (parts, body) = pool.request(message).await?.into_parts();
    Ok(if parts.status.as_u16() >= 400 {
        let body = read_body(body, MAX_ERROR_BODY).await.unwrap_or_else(|(read, _)| read);
        Answer::Refusal(parts, body)
    } else {
        match read_body(body, MAX_BODY).await {
            Ok(body) => Answer::Whole(parts, body),
            Err((_, None)) => Answer::TooLarge,
            Err((_, Some(e))) => Answer::BrokenOff(classify(&e)),
        }
    })
}

/// The body, or what there is of it and what went wrong: an error, or none when it is longer than `limit`.
async fn read_body(mut body: Incoming, limit: usize) -> Result<Bytes, (Bytes, Option<hyper::Error>)> {
    let mut read = BytesMut::new();
    if body.size_hint().lower() > limit as u64 {
        return Err((read.freeze(), None));
    }
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => {
                let Ok(data) = frame.into_data() else { continue };
                let room = limit - read.len();
                read.extend_from_slice(&data[..data.len().min(room)]);
                if data.len() > room {
                    return Err((read.freeze(), None));
                }
            }
            Err(e) => return Err((read.freeze(), Some(e))),
        }
    }
    Ok(read.freeze())
}

/// The attempt's tie to its connection. Dropped before the attempt came to a clean end, it breaks the connection off, which
/// would otherwise go on sending, or wait for a peer that has stopped reading.
struct Link {
    captured: CaptureConnection,
    progress: Arc<Progress>,
    wire: Option<(Arc<Wire>, bool)>,
}

impl Link {
    /// Ties the connection to the attempt as soon as there is one. True when it has just become so.
    fn try_link(&mut self) -> bool {
        if self.wire.is_some() {
            return false;
        }
        let mut extras = Extensions::new();
        match &*self.captured.connection_metadata() {
            Some(connected) => connected.get_extras(&mut extras),
            None => return false,
        }
        let Some(WireHandle(wire)) = extras.remove::<WireHandle>() else { return false };
        let reused = wire.link(&self.progress);
        self.wire = Some((wire, reused));
        true
    }

    /// Brings the clock up to date. Until there is a connection nothing can have happened.
    fn apply(&self, clock: &mut PhaseClock) {
        if self.wire.is_some() {
            self.progress.apply(clock);
        }
    }

    /// The connection came from the pool and was dead before this attempt used it.
    fn died_idle(&self) -> bool {
        matches!(self.wire, Some((_, true))) && !self.progress.wrote_anything()
    }

    fn release(&mut self) {
        self.wire = None;
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some((wire, _)) = &self.wire {
            wire.kill();
        }
    }
}

/// Drives an exchange against its clock. `None` when the connection had died idle.
async fn run(
    exchange: impl Future<Output = Result<Answer, legacy::Error>>,
    mut link: Link,
    mut clock: PhaseClock,
    started: Instant,
) -> Option<End> {
    let mut exchange = pin!(exchange);
    let mut timer: Option<std::pin::Pin<Box<Sleep>>> = None;
    let finished: Result<_, Limit> = poll_fn(|cx| {
        link.progress.wake_when_sent(cx.waker());
        let polled = exchange.as_mut().poll(cx);
        if link.try_link() {
            clock.on(Event::Connected, started.elapsed());
        }
        if let Poll::Ready(result) = polled {
            return Poll::Ready(Ok(result));
        }
        loop {
            link.apply(&mut clock);
            let Some((due, limit)) = clock.next_limit() else { return Poll::Pending };
            if started.elapsed() >= due {
                return Poll::Ready(Err(limit));
            }
            let due = started + due;
            let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
            if timer.deadline() != due {
                timer.as_mut().reset(due);
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await;
    link.apply(&mut clock);
    let phase = clock.phase();
    let fault = |fault| Some(End::fault(fault, phase));
    match finished {
        Err(limit) => fault(Fault::new(FaultKind::TimedOut(limit), "")),
        Ok(Err(_)) if link.died_idle() => None,
        Ok(Err(e)) => fault(classify(&e)),
        Ok(Ok(Answer::BrokenOff(broken_off))) => fault(broken_off),
        Ok(Ok(Answer::TooLarge)) => fault(Fault::new(FaultKind::TooLarge, format!("more than {MAX_BODY} bytes"))),
        Ok(Ok(Answer::Refusal(parts, body))) => {
            // Kept for the next request only if nothing of the payload is left to send.
            if link.progress.is_sent() {
                link.release();
            }
            Some(End {
                outcome: Outcome::Status(parts.status),
                phase: Phase::Waiting,
                answer: Some((parts, body)),
                length: 0,
            })
        }
        Ok(Ok(Answer::Whole(parts, body))) => {
            if link.progress.is_sent() {
                link.release();
            }
            Some(End {
                outcome: Outcome::Status(parts.status),
                phase: Phase::Done,
                answer: Some((parts, body)),
                length: 0,
            })
        }
    }
}

/// What an error of hyper's means.
fn classify(error: &(dyn StdError + 'static)) -> Fault {
    for cause in chain(error) {
        if let Some(ConnectError(fault)) = cause.downcast_ref() {
            return fault.clone();
        }
        if let Some(payload) = cause.downcast_ref::<PayloadError>() {
            return Fault::new(FaultKind::Payload, payload.to_string());
        }
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, TimedOut, UnexpectedEof};
            match io.kind() {
                BrokenPipe | ConnectionAborted | ConnectionReset | TimedOut => return Fault::new(FaultKind::Reset, ""),
                UnexpectedEof => return Fault::new(FaultKind::Closed, ""),
                _ => {}
            }
        }
        if let Some(hyper) = cause.downcast_ref::<hyper::Error>() {
            if hyper.is_incomplete_message() || hyper.is_canceled() || hyper.is_closed() {
                return Fault::new(FaultKind::Closed, "");
            }
            if hyper.is_parse() {
                return Fault::new(FaultKind::Protocol, hyper.to_string());
            }
        }
    }
    Fault::new(FaultKind::Protocol, chain_text(error))
}
