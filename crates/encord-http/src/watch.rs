//! An attempt's eye on the clock, and its hand on the connection.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Extensions;
use hyper_util::client::legacy::connect::CaptureConnection;
use tokio::time::{Instant, Sleep};

use crate::attempt::FaultKind;
use crate::clock::{Event, Phase, PhaseClock};
use crate::digest::Sent;
use crate::hosts::UnderWay;
use crate::wire::{Progress, Wire, WireHandle};

/// Runs the parts of an attempt, one after the other, against its clock.
///
/// Dropped before the attempt came to a clean end, it breaks the connection off, which would otherwise go on sending, or wait for
/// a peer that has stopped reading.
pub(crate) struct Watch {
    clock: PhaseClock,
    interim: u32,
    started: Instant,
    deadline: Option<Duration>,
    timer: Option<Pin<Box<Sleep>>>,
    captured: CaptureConnection,
    progress: Arc<Progress>,
    wire: Option<Link>,
    under_way: Option<UnderWay>,
}

struct Link {
    wire: Arc<Wire>,
    reused: bool,
}

impl Watch {
    /// A watch over an attempt that began at `started` and must end `deadline` after that, whatever its limits.
    pub(crate) fn new(
        clock: PhaseClock,
        started: Instant,
        deadline: Option<Duration>,
        captured: CaptureConnection,
        progress: Arc<Progress>,
        under_way: Option<UnderWay>,
    ) -> Self {
        Self { clock, interim: 0, started, deadline, timer: None, captured, progress, wire: None, under_way }
    }

    /// Runs a part of the attempt until it is through or a limit has run out.
    pub(crate) async fn guard<F: Future>(&mut self, part: F) -> Result<F::Output, FaultKind> {
        let mut part = pin!(part);
        poll_fn(|cx| {
            self.progress.wake_when_limits_change(cx.waker());
            let polled = part.as_mut().poll(cx);
            self.try_link();
            match polled {
                Poll::Ready(output) => Poll::Ready(Ok(output)),
                Poll::Pending => self.poll_limit(cx).map(Err),
            }
        })
        .await
    }

    /// The limit that has run out, for who has something to go on with all the same.
    pub(crate) fn overdue(&mut self) -> Option<FaultKind> {
        let (due, kind) = self.next_limit()?;
        (self.started.elapsed() >= due).then_some(kind)
    }

    /// Ready when a limit has run out.
    fn poll_limit(&mut self, cx: &mut Context<'_>) -> Poll<FaultKind> {
        loop {
            let Some((due, kind)) = self.next_limit() else { return Poll::Pending };
            if self.started.elapsed() >= due {
                return Poll::Ready(kind);
            }
            let Some(due) = self.started.checked_add(due) else { return Poll::Pending };
            let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
            // Limits mostly move away. A timer that is left where it was and rings too early costs less than moving it each time.
            if timer.deadline() > due || timer.is_elapsed() {
                timer.as_mut().reset(due);
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    fn next_limit(&mut self) -> Option<(Duration, FaultKind)> {
        self.apply();
        let limit = self.clock.next_limit().map(|(due, limit)| (due, FaultKind::TimedOut(limit)));
        let deadline = self.deadline.map(|due| (due, FaultKind::Deadline));
        limit.into_iter().chain(deadline).min_by_key(|(due, _)| *due)
    }

    /// Ties the connection to the attempt as soon as there is one.
    fn try_link(&mut self) {
        if self.wire.is_some() {
            return;
        }
        let mut extras = Extensions::new();
        match &*self.captured.connection_metadata() {
            Some(connected) => connected.get_extras(&mut extras),
            None => return,
        }
        if let Some(WireHandle(wire)) = extras.remove::<WireHandle>() {
            let reused = wire.link(&self.progress);
            self.clock.on(Event::Connected, self.started.elapsed());
            self.wire = Some(Link { wire, reused });
        }
    }

    /// Brings the clock up to date. Until there is a connection nothing can have happened.
    fn apply(&mut self) {
        if self.wire.is_some() {
            self.progress.apply(&mut self.clock, &mut self.interim);
        }
    }

    /// The head of the response is there.
    pub(crate) fn head_is_there(&mut self) {
        self.apply();
        self.clock.on(Event::FirstByte, self.started.elapsed());
    }

    /// The last byte of the response is there. The connection may be used again if the payload is out as well.
    pub(crate) fn response_is_complete(&mut self) {
        self.apply();
        self.clock.on(Event::Done, self.started.elapsed());
        if self.progress.is_sent() {
            self.wire = None;
        }
        self.under_way = None;
    }

    /// The phase the attempt is in.
    pub(crate) fn phase(&mut self) -> Phase {
        self.apply();
        self.clock.phase()
    }

    /// What has become of the payload that was announced.
    pub(crate) fn payload(&self, announced: Sent) -> Sent {
        self.progress.payload(announced)
    }

    /// The connection came from the pool and was dead before this attempt used it.
    pub(crate) fn died_idle(&self) -> bool {
        self.wire.as_ref().is_some_and(|link| link.reused) && !self.progress.wrote_anything()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(link) = &self.wire {
            tracing::debug!(phase = %self.clock.phase(), "breaking the connection off");
            link.wire.kill();
        }
    }
}
