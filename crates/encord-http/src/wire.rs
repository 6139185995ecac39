//! What really happens on a connection, told to the attempt that is using it.
//!
//! hyper buffers hundreds of kilobytes, so the end of the body stream says nothing about the network. [`Tracked`] sits between
//! hyper and the connection (above TLS) and notes when bytes are taken, when everything handed over has been flushed to the
//! operating system, and when the first byte of the response comes.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use http::StatusCode;
use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::clock::{Event, PhaseClock};
use crate::digest::{Sent, Sums};
use crate::hosts::Place;

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

    /// What has become of the payload that was announced.
    pub(crate) fn payload(&self, announced: Sent) -> Sent {
        match self.payload.get() {
            Some(&Sums { crc32c, md5 }) => Sent { complete: true, crc32c, md5, ..announced },
            None => announced,
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

    /// Wakes the request's task when a limit falls due sooner than it seemed: when the payload is sent, if that matters, and
    /// when an interim response came.
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

    fn wrote(&self) {
        let first = !self.wrote_anything();
        self.wrote.set(self.started);
        if first {
            self.payload_waker.wake();
        }
    }

    fn flushed(&self) {
        let sent = self.payload.get().is_some() && self.sent.set_once(self.started);
        if sent && self.wakes_when_sent {
            self.request.wake();
        }
    }

    fn read(&self) {
        self.first_byte.set_once(self.started);
    }
}

/// A connection as the request's task sees it.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    current: Mutex<Option<Arc<Progress>>>,
    requests: AtomicU32,
    /// Bytes were written after the last ones that were read.
    unanswered: AtomicBool,
    killed: AtomicBool,
    task: AtomicWaker,
}

/// How a [`Wire`] travels through `Connected`.
#[derive(Debug, Clone)]
pub(crate) struct WireHandle(pub(crate) Arc<Wire>);

impl Wire {
    /// From now on the connection reports to `progress`. True when it has served other requests before.
    pub(crate) fn link(&self, progress: &Arc<Progress>) -> bool {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(progress));
        progress.linked.store(true, Ordering::Release);
        progress.payload_waker.wake();
        progress.connector.wake();
        self.requests.fetch_add(1, Ordering::Relaxed) > 0
    }

    /// Whether anything was written since the peer was last heard. Unlike [`Progress::wrote_anything`] it holds whoever was linked:
    /// the connection's task may write a head before the request's task comes to link the attempt.
    pub(crate) fn is_unanswered(&self) -> bool {
        self.unanswered.load(Ordering::Acquire)
    }

    /// Breaks the connection off, even one that is blocked because the peer has stopped reading.
    pub(crate) fn kill(&self) {
        self.killed.store(true, Ordering::Release);
        self.task.wake();
    }

    fn tell(&self, what: impl FnOnce(&Progress)) {
        if let Some(progress) = &*self.current.lock().unwrap_or_else(PoisonError::into_inner) {
            what(progress);
        }
    }

    fn check_alive(&self, cx: &Context<'_>) -> io::Result<()> {
        self.task.register(cx.waker());
        if self.killed.load(Ordering::Acquire) { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}

/// An IO that reports to its [`Wire`]. It speaks tokio's traits, because hyper's read cursor cannot tell how much was read.
#[derive(Debug)]
pub(crate) struct Tracked<T> {
    io: T,
    wire: Arc<Wire>,
    /// How the peer stopped reading, if it did.
    write_failed: Option<io::ErrorKind>,
    proxied: bool,
    /// Its place among the connections to its host.
    #[expect(dead_code, reason = "held until the connection is dropped")]
    place: Option<Place>,
}

impl<T> Tracked<T> {
    pub(crate) fn new(io: T) -> Self {
        Self { io, wire: Arc::default(), write_failed: None, proxied: false, place: None }
    }

    /// Keeps the place for as long as the connection is there.
    pub(crate) fn in_place(self, place: Option<Place>) -> Self {
        Self { place, ..self }
    }

    /// Says whether requests are to be sent in the form that a proxy needs.
    pub(crate) fn proxied(self, proxied: bool) -> Self {
        Self { proxied, ..self }
    }

    /// A server may answer before the payload is complete and close. The write then fails, but the answer may still be there
    /// to be read, so a failed write only stops the writing: what the reading finds is what happened. The system tells of a
    /// failure once only, so if the reading finds nothing but the end, the failed write is what happened.
    fn hold_failure(&mut self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
        match result {
            Poll::Ready(Err(e)) if matches!(e.kind(), BrokenPipe | ConnectionAborted | ConnectionReset) => {
                self.write_failed = Some(e.kind());
                Poll::Pending
            }
            Poll::Ready(Ok(n)) => {
                if n > 0 {
                    self.wire.unanswered.store(true, Ordering::Release);
                    self.wire.tell(Progress::wrote);
                }
                Poll::Ready(Ok(n))
            }
            other => other,
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Tracked<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.wire.check_alive(cx)?;
        let before = buf.filled().len();
        let result = Pin::new(&mut self.io).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.wire.unanswered.store(false, Ordering::Release);
            self.wire.tell(Progress::read);
        } else if let (Poll::Ready(Ok(())), Some(failure)) = (&result, self.write_failed) {
            return Poll::Ready(Err(failure.into()));
        }
        result
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Tracked<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.wire.check_alive(cx)?;
        if self.write_failed.is_some() {
            return Poll::Pending;
        }
        let result = Pin::new(&mut self.io).poll_write(cx, buf);
        self.hold_failure(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.wire.check_alive(cx)?;
        if self.write_failed.is_some() {
            return Poll::Pending;
        }
        let result = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.hold_failure(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wire.check_alive(cx)?;
        if self.write_failed.is_some() {
            return Poll::Pending;
        }
        let result = Pin::new(&mut self.io).poll_flush(cx).map_ok(|()| 0);
        let result = self.hold_failure(result).map_ok(|_| ());
        if matches!(result, Poll::Ready(Ok(()))) {
            self.wire.tell(Progress::flushed);
        }
        result
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl<T> Connection for Tracked<T> {
    /// Without what the connection below says of itself: nobody asks, and it would be cloned for every request and response.
    fn connected(&self) -> Connected {
        Connected::new().proxy(self.proxied).extra(WireHandle(Arc::clone(&self.wire)))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn what_is_written_before_the_link_is_seen() {
        let (near, mut far) = duplex(64);
        let mut tracked = Tracked::new(near);
        let wire = Arc::clone(&tracked.wire);
        let progress = || Arc::new(Progress::new(Instant::now(), false));
        let mut buffer = [0; 2];

        let (first, second) = (progress(), progress());
        assert!(!wire.link(&first));
        tracked.write_all(b"go").await.expect("room");
        assert!(first.wrote_anything() && wire.is_unanswered());
        far.write_all(b"ok").await.expect("room");
        tracked.read_exact(&mut buffer).await.expect("two bytes");
        assert!(!wire.is_unanswered());

        // The second request is written before anyone has linked it.
        tracked.write_all(b"go").await.expect("room");
        assert!(wire.link(&second));
        assert!(!second.wrote_anything() && wire.is_unanswered());
    }
}
