//! Records the events of one attempt on its connection.
//!
//! hyper buffers hundreds of kilobytes, so the end of the payload's stream says nothing about the network. [`Tracked`] sits
//! between hyper and the connection (above TLS). It records when the connection takes bytes, when the whole payload is flushed to
//! the operating system, and when the first byte of the response arrives.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::digest::{Sent, Sums};
use crate::phase::{Limit, Phase};
use crate::rules::clock::{Event, PhaseClock};

/// A payload up to this size counts as sent as soon as the system has it, because the system sends so few bytes almost at once.
const SMALL_PAYLOAD: u64 = 64 * 1024;

/// The clock of one attempt, and the events so far. The request, its payload and its connection share it; one task polls all
/// three.
#[derive(Debug)]
pub(crate) struct Track {
    started: Instant,
    notes: Mutex<Notes>,
}

#[derive(Debug)]
struct Notes {
    clock: PhaseClock,
    has_written: bool,
    payload: Payload,
    has_answer: bool,
    /// The number of lines of the response's head so far; `None` when the head is complete.
    head_lines: Option<usize>,
    may_continue: bool,
    /// Wakes the payload, which waits until the request's head is written, or until the server sends `100 Continue`.
    waiting: Option<Waker>,
}

/// How far the payload has got.
#[derive(Debug)]
enum Payload {
    /// hyper does not have its last byte yet.
    Giving,
    /// hyper has its last byte.
    Given { sums: Sums, is_small: bool },
    /// The system has all of it.
    Flushed(Sums),
    /// The payload is on the network, as far as this can be known.
    Sent(Sums),
}

impl Track {
    /// Makes the track of an attempt that begins now.
    pub(crate) fn new(clock: PhaseClock) -> Arc<Self> {
        let notes = Notes {
            clock,
            has_written: false,
            payload: Payload::Giving,
            has_answer: false,
            head_lines: Some(0),
            may_continue: false,
            waiting: None,
        };
        Arc::new(Self { started: Instant::now(), notes: Mutex::new(notes) })
    }

    /// Records an event that happens now.
    pub(crate) fn on(&self, event: Event) {
        self.note(event, |_| ());
    }

    /// Records progress of the payload.
    pub(crate) fn moved(&self) {
        self.on(Event::Progress);
    }

    /// Returns the limit that expires next, and when.
    pub(crate) fn next_limit(&self) -> Option<(Instant, Limit)> {
        let (due, limit) = self.notes().clock.next_limit()?;
        Some((self.started.checked_add(due)?, limit))
    }

    pub(crate) fn phase(&self) -> Phase {
        self.notes().clock.phase()
    }

    /// Whether any byte of the response has arrived.
    pub(crate) fn has_answer(&self) -> bool {
        self.notes().has_answer
    }

    /// Records that the head of the response is complete.
    pub(crate) fn head_is_there(&self) {
        self.note(Event::FirstByte, |notes| notes.head_lines = None);
    }

    /// Returns how many lines of an incomplete head have arrived.
    pub(crate) fn head_lines(&self) -> usize {
        self.notes().head_lines.unwrap_or(0)
    }

    /// Whether the system has the whole payload, but may not have sent all of it.
    pub(crate) fn is_draining(&self) -> bool {
        matches!(self.notes().payload, Payload::Flushed(_))
    }

    /// Whether the system has the whole payload.
    pub(crate) fn is_flushed(&self) -> bool {
        matches!(self.notes().payload, Payload::Flushed(_) | Payload::Sent(_))
    }

    /// Records that the payload is on the network.
    pub(crate) fn sent(&self) {
        self.note(Event::Sent, |notes| {
            if let Payload::Given { sums, .. } | Payload::Flushed(sums) = notes.payload {
                notes.payload = Payload::Sent(sums);
            }
        });
    }

    /// Records that hyper has the last byte of the payload. `length` is the number of its bytes. The next complete flush passes
    /// them to the system.
    pub(crate) fn payload_handed_over(&self, sums: Sums, length: u64) {
        self.notes().payload = Payload::Given { sums, is_small: length <= SMALL_PAYLOAD };
    }

    /// Returns the state of the payload, beginning with what was known before it was sent.
    pub(crate) fn payload(&self, announced: Sent) -> Sent {
        match self.notes().payload {
            Payload::Giving | Payload::Given { .. } => announced,
            Payload::Flushed(Sums { crc32c, md5 }) | Payload::Sent(Sums { crc32c, md5 }) => {
                Sent { complete: true, crc32c, md5, ..announced }
            }
        }
    }

    /// Records an interim response. The bytes that were counted as the start of the response were not its start.
    pub(crate) fn interim(&self, status: StatusCode) {
        self.note(Event::Interim, |notes| {
            notes.has_answer = false;
            notes.head_lines = Some(0);
            notes.may_continue |= status == StatusCode::CONTINUE;
            wake(&mut notes.waiting);
        });
    }

    /// Ready once the connection has taken some of the request's head.
    pub(crate) fn poll_written(&self, cx: &Context<'_>) -> Poll<()> {
        self.poll(cx, |notes| notes.has_written)
    }

    /// Ready once the server has said `100 Continue`.
    pub(crate) fn poll_may_continue(&self, cx: &Context<'_>) -> Poll<()> {
        self.poll(cx, |notes| notes.may_continue)
    }

    fn poll(&self, cx: &Context<'_>, is_ready: impl Fn(&Notes) -> bool) -> Poll<()> {
        let mut notes = self.notes();
        if is_ready(&notes) {
            return Poll::Ready(());
        }
        notes.waiting = Some(cx.waker().clone());
        Poll::Pending
    }

    fn wrote(&self) {
        self.note(Event::Progress, |notes| {
            if !notes.has_written {
                notes.has_written = true;
                wake(&mut notes.waiting);
            }
        });
    }

    fn flushed(&self) {
        let mut notes = self.notes();
        match notes.payload {
            Payload::Given { is_small: true, .. } => {
                drop(notes);
                self.sent();
            }
            Payload::Given { sums, is_small: false } => notes.payload = Payload::Flushed(sums),
            Payload::Giving | Payload::Flushed(_) | Payload::Sent(_) => {}
        }
    }

    fn read(&self, bytes: &[u8]) {
        // A server that answers the complete request has received the payload.
        if self.is_draining() {
            self.sent();
        }
        self.note(Event::FirstByte, |notes| {
            notes.has_answer = true;
            if let Some(lines) = &mut notes.head_lines {
                *lines += bytes.split(|byte| *byte == b'\n').count() - 1;
            }
        });
    }

    fn note(&self, event: Event, change: impl FnOnce(&mut Notes)) {
        let now = self.started.elapsed();
        let mut notes = self.notes();
        notes.clock.on(event, now);
        change(&mut notes);
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

/// The attempt that uses a connection now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Current(Arc<Mutex<Option<Arc<Track>>>>);

impl Current {
    pub(crate) fn set(&self, track: Option<Arc<Track>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = track;
    }

    fn tell(&self, tell: impl FnOnce(&Track)) {
        if let Some(track) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            tell(track);
        }
    }
}

/// An I/O wrapper that reports to the current attempt. It implements tokio's traits, because hyper's read cursor does not show
/// how much was read.
#[derive(Debug)]
pub(crate) struct Tracked<T> {
    io: T,
    current: Current,
    /// The error of a failed write, if the peer stopped reading.
    write_failed: Option<io::ErrorKind>,
}

impl<T> Tracked<T> {
    pub(crate) fn new(io: T, current: Current) -> Self {
        Self { io, current, write_failed: None }
    }

    /// Keeps the error of a failed write. A server may answer before the payload is complete, and close. The write then fails,
    /// but the answer may still be readable. So a failed write only stops the writing, and the next read decides. The system
    /// reports a failure only once; if the read finds only the end, the kept error is returned.
    fn hold_failure(&mut self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
        match result {
            Poll::Ready(Err(e)) if matches!(e.kind(), BrokenPipe | ConnectionAborted | ConnectionReset) => {
                self.write_failed = Some(e.kind());
                Poll::Pending
            }
            Poll::Ready(Ok(n)) => {
                if n > 0 {
                    self.current.tell(Track::wrote);
                }
                Poll::Ready(Ok(n))
            }
            other => other,
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Tracked<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.io).poll_read(cx, buf);
        let read = &buf.filled()[before..];
        if !read.is_empty() {
            self.current.tell(|track| track.read(read));
        } else if let (Poll::Ready(Ok(())), Some(failure)) = (&result, self.write_failed) {
            return Poll::Ready(Err(failure.into()));
        }
        result
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Tracked<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
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
        if self.write_failed.is_some() {
            return Poll::Pending;
        }
        let result = Pin::new(&mut self.io).poll_flush(cx).map_ok(|()| 0);
        let result = self.hold_failure(result).map_ok(|_| ());
        if matches!(result, Poll::Ready(Ok(()))) {
            self.current.tell(Track::flushed);
        }
        result
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
