//! What an attempt is told of its connection.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use http::StatusCode;
use tokio::time::Instant;

use crate::clock::{Event, PhaseClock};
use crate::digest::{Sent, Sums};

/// The events of one attempt, noted by the connection's task, read by the request's.
#[derive(Debug)]
pub(crate) struct Progress {
    started: Instant,
    /// Whether the request's task wants to know when the payload is sent.
    wakes_when_sent: bool,
    linked: AtomicBool,
    /// Set when the payload has given its last byte to hyper.
    payload: OnceLock<Sums>,
    wrote: Stamp,
    sent: Stamp,
    first_byte: Stamp,
    /// How many interim responses came.
    interim: AtomicU32,
    /// The server has said `100 Continue`.
    may_continue: AtomicBool,
    /// Wakes the payload that waits for the link, for the head to be written, or for the server to say that it may continue.
    payload_waker: AtomicWaker,
    /// Wakes the request's task when another limit applies.
    request: AtomicWaker,
    /// Wakes who would open a connection for this attempt.
    connector: AtomicWaker,
}

/// A moment that may not have come: nanoseconds since the attempt began, plus one.
#[derive(Debug, Default)]
struct Stamp(AtomicU64);

impl Stamp {
    fn set(&self, since: Instant) {
        let nanos = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX - 1);
        self.0.store(nanos + 1, Ordering::Release);
    }

    fn clear(&self) {
        self.0.store(0, Ordering::Release);
    }

    fn set_once(&self, since: Instant) -> bool {
        let first = self.get().is_none();
        if first {
            self.set(since);
        }
        first
    }

    fn get(&self) -> Option<Duration> {
        self.0.load(Ordering::Acquire).checked_sub(1).map(Duration::from_nanos)
    }
}

impl Progress {
    pub(crate) fn new(started: Instant, wakes_when_sent: bool) -> Self {
        Self {
            started,
            wakes_when_sent,
            linked: AtomicBool::new(false),
            payload: OnceLock::new(),
            wrote: Stamp::default(),
            sent: Stamp::default(),
            first_byte: Stamp::default(),
            interim: AtomicU32::new(0),
            may_continue: AtomicBool::new(false),
            payload_waker: AtomicWaker::new(),
            request: AtomicWaker::new(),
            connector: AtomicWaker::new(),
        }
    }

    /// When the attempt began.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// Ready once the connection reports to this attempt. The payload waits for it, so that no byte of it goes unnoticed;
    /// the link is nearly always there first.
    pub(crate) fn poll_linked(&self, cx: &Context<'_>) -> Poll<()> {
        if !self.linked.load(Ordering::Acquire) {
            self.payload_waker.register(cx.waker());
            if !self.linked.load(Ordering::Acquire) {
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }

    /// The connection reports to this attempt from now on.
    pub(super) fn link(&self) {
        self.linked.store(true, Ordering::Release);
        self.payload_waker.wake();
        self.connector.wake();
    }

    /// Ready once the attempt has a connection, for who would open another one.
    pub(crate) fn poll_connected(&self, cx: &Context<'_>) -> Poll<()> {
        self.connector.register(cx.waker());
        if self.linked.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Ready once the connection has taken some of the request's head.
    pub(crate) fn poll_wrote(&self, cx: &Context<'_>) -> Poll<()> {
        self.payload_waker.register(cx.waker());
        if self.wrote_anything() { Poll::Ready(()) } else { Poll::Pending }
    }

    /// The payload has given its last byte to hyper: the next complete flush sends it.
    pub(crate) fn payload_handed_over(&self, sums: Sums) {
        self.payload.get_or_init(|| sums);
    }

    pub(super) fn is_handed_over(&self) -> bool {
        self.payload.get().is_some()
    }

    /// What has become of the payload that was announced.
    pub(crate) fn payload(&self, announced: Sent) -> Sent {
        match self.payload.get() {
            Some(&Sums { crc32c, md5 }) if self.is_sent() => Sent { complete: true, crc32c, md5, ..announced },
            _ => announced,
        }
    }

    /// There is no payload, so it counts as sent.
    pub(crate) fn nothing_to_send(&self) {
        self.sent.set_once(self.started);
    }

    /// Whether any byte of the request went to the operating system.
    pub(crate) fn wrote_anything(&self) -> bool {
        self.wrote.get().is_some()
    }

    /// An interim response came. What was taken for the first byte of the response was not.
    pub(crate) fn interim(&self, status: StatusCode) {
        self.first_byte.clear();
        self.interim.fetch_add(1, Ordering::AcqRel);
        if status == StatusCode::CONTINUE {
            self.may_continue.store(true, Ordering::Release);
            self.payload_waker.wake();
        }
        self.request.wake();
    }

    /// Ready once the server has said `100 Continue`.
    pub(crate) fn poll_may_continue(&self, cx: &Context<'_>) -> Poll<()> {
        self.payload_waker.register(cx.waker());
        if self.may_continue.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }

    pub(crate) fn is_sent(&self) -> bool {
        self.sent.get().is_some()
    }

    /// Wakes the request's task when a limit falls due sooner than it seemed: when the payload is sent, if that matters, when
    /// the response begins before that, and when an interim response came.
    pub(crate) fn wake_when_limits_change(&self, waker: &Waker) {
        self.request.register(waker);
    }

    /// Brings the clock up to date. `interim` is how many interim responses it has heard of.
    pub(crate) fn apply(&self, clock: &mut PhaseClock, interim: &mut u32) {
        let now_interim = self.interim.load(Ordering::Acquire);
        if *interim != now_interim {
            *interim = now_interim;
            clock.on(Event::Interim, Duration::ZERO);
        }
        let events = [(Event::Progress, &self.wrote), (Event::Sent, &self.sent), (Event::FirstByte, &self.first_byte)];
        for (event, stamp) in events {
            if let Some(at) = stamp.get() {
                clock.on(event, at);
            }
        }
    }

    pub(super) fn wrote(&self) {
        let first = !self.wrote_anything();
        self.wrote.set(self.started);
        if first {
            self.payload_waker.wake();
        }
    }

    pub(super) fn flushed(&self) {
        let sent = self.is_handed_over() && self.sent.set_once(self.started);
        if sent && self.wakes_when_sent {
            self.request.wake();
        }
    }

    pub(super) fn read(&self) {
        // Before the payload is sent, this starts the read clock.
        if self.first_byte.set_once(self.started) && !self.is_sent() {
            self.request.wake();
        }
    }
}
