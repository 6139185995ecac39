//! Runs an attempt and its connection against the clock.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use encord_signed_url::Origin;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use tokio::time::{Instant, Sleep};

use crate::fault::FaultKind;
use crate::net::connection::Connection;
use crate::net::pool::Pool;
use crate::net::track::Track;
use crate::payload::Outgoing;
use crate::phase::Phase;
use crate::rules::clock::Event;

/// If the clock is checked this long after a limit has expired, the process was suspended in between, for example because the
/// laptop was asleep.
const SUSPENDED_AFTER: Duration = Duration::from_millis(250);

/// How long after a suspension the attempt may still read an answer that arrived in time.
const GRACE_PERIOD: Duration = Duration::from_secs(1);

/// Runs the parts of an attempt, one after the other, against its clock.
pub(crate) struct Watch {
    track: Arc<Track>,
    deadline: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
    /// After a late check: the limit that had expired, and the time until which an answer that arrived in time is still accepted.
    grace: Option<(Instant, Instant)>,
}

impl Watch {
    /// Makes a watch over an attempt. The attempt must end by `deadline`, whatever its limits are.
    pub(crate) fn new(track: Arc<Track>, deadline: Option<Instant>) -> Self {
        Self { track, deadline, timer: None, grace: None }
    }

    /// The attempt's clock.
    pub(crate) fn track(&self) -> &Arc<Track> {
        &self.track
    }

    /// Runs a part of the attempt until it is done or a limit has expired.
    pub(crate) async fn guard<F: Future>(&mut self, part: F) -> Result<F::Output, FaultKind> {
        let mut part = pin!(part);
        poll_fn(|cx| match part.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => self.poll_limit(cx).map(Err),
        })
        .await
    }

    /// Ready when a limit has expired.
    fn poll_limit(&mut self, cx: &mut Context<'_>) -> Poll<FaultKind> {
        loop {
            let Some((due, kind)) = self.next_limit() else { return Poll::Pending };
            if Instant::now() >= due {
                return Poll::Ready(kind);
            }
            let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
            // The next limit usually moves later. A timer that fires too early costs less than moving the timer each time.
            if timer.deadline() > due || timer.is_elapsed() {
                timer.as_mut().reset(due);
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    fn next_limit(&mut self) -> Option<(Instant, FaultKind)> {
        let limit = self.track.next_limit().map(|(due, limit)| (due, FaultKind::TimedOut(limit)));
        let deadline = self.deadline.map(|due| (due, FaultKind::Deadline));
        let (due, kind) = limit.into_iter().chain(deadline).min_by_key(|(due, _)| *due)?;
        let now = Instant::now();
        let until = match self.grace {
            Some((of, until)) if of == due => until,
            _ if now.saturating_duration_since(due) > SUSPENDED_AFTER => now + GRACE_PERIOD,
            _ => return Some((due, kind)),
        };
        self.grace = Some((due, until));
        Some((until, kind))
    }
}

/// An attempt that has its connection. If it is dropped before [`end`](Self::end), the connection is closed.
pub(crate) struct Running {
    watch: Watch,
    connection: Connection,
    /// Ready when the payload counts as sent.
    draining: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Running {
    pub(crate) fn new(watch: Watch, connection: Connection) -> Self {
        connection.report_to(Arc::clone(watch.track()));
        Self { watch, connection, draining: None }
    }

    /// The attempt's clock.
    pub(crate) fn track(&self) -> &Arc<Track> {
        self.watch.track()
    }

    pub(crate) fn phase(&self) -> Phase {
        self.track().phase()
    }

    /// Whether the connection had served a request before.
    pub(crate) fn is_reused(&self) -> bool {
        self.connection.is_reused()
    }

    /// Sends the request and waits for the head of the response.
    pub(crate) async fn exchange(
        &mut self,
        message: Request<Outgoing>,
    ) -> Result<Result<Response<Incoming>, TrySendError<Request<Outgoing>>>, FaultKind> {
        let mut response = pin!(self.connection.send(message));
        poll_fn(|cx| self.poll(cx, |cx| response.as_mut().poll(cx))).await
    }

    /// Drives the connection until `part` is ready or a limit has expired.
    ///
    /// The connection is checked before the clock, so that an answer that arrived in time counts even if both are checked late.
    pub(crate) fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut part: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<Result<T, FaultKind>> {
        self.poll_drained(cx);
        if let Poll::Ready(ready) = part(cx) {
            return Poll::Ready(Ok(ready));
        }
        self.connection.poll(cx);
        if let Poll::Ready(ready) = part(cx) {
            return Poll::Ready(Ok(ready));
        }
        loop {
            self.poll_drained(cx);
            match self.watch.poll_limit(cx) {
                Poll::Ready(FaultKind::TimedOut(_)) if self.is_on_its_way() => self.wait_until_acknowledged(),
                limit => return limit.map(Err),
            }
        }
    }

    /// R7: the first-byte clock starts when the payload has been sent. What the system has sent may be lost, and is then sent
    /// again. Only a limit that has expired is worth the question whether the peer has all of it.
    fn is_on_its_way(&self) -> bool {
        self.track().counts_as_sent() && self.connection.socket().unacknowledged().is_some_and(|bytes| bytes > 0)
    }

    fn wait_until_acknowledged(&mut self) {
        self.track().payload_not_sent();
        let (track, socket) = (Arc::clone(self.track()), self.connection.socket().clone());
        self.draining = Some(Box::pin(socket.acknowledged(move || track.record(Event::Progress))));
    }

    /// Ready when a limit has expired. For a caller that has data and would not check the clock otherwise.
    pub(crate) fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<FaultKind> {
        self.watch.poll_limit(cx)
    }

    /// R8: bytes that the system holds are not sent yet.
    fn poll_drained(&mut self, cx: &mut Context<'_>) {
        let track = self.watch.track();
        if !track.is_draining() {
            self.draining = None;
            return;
        }
        let draining = self.draining.get_or_insert_with(|| {
            let track = Arc::clone(track);
            Box::pin(self.connection.socket().clone().drained(move || track.record(Event::Progress)))
        });
        if draining.as_mut().poll(cx).is_ready() {
            self.draining = None;
            self.watch.track().payload_sent();
        }
    }

    /// Ends an attempt whose response is read to its end. The connection goes to the pool if the payload is sent as well.
    pub(crate) fn end(mut self, cx: &mut Context<'_>, pool: &Arc<Pool>, origin: Origin) {
        self.connection.poll(cx);
        if self.track().is_flushed()
            && let Some(connection) = self.connection.end_request()
        {
            pool.put(origin, connection);
        }
    }
}
