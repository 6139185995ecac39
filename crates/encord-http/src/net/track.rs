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

use crate::digest::{Checksums, Sent};
use crate::phase::{Limit, Phase, Profile};
use crate::rules::clock::{Event, PhaseClock};

/// A payload up to this size counts as sent as soon as the system has it, because the system sends so few bytes almost at once.
const SMALL_PAYLOAD_BYTES: u64 = 64 * 1024;

/// The clock of one attempt, and the events so far. The request, its payload and its connection share it; one task polls all
/// three.
#[derive(Debug)]
pub(crate) struct Track {
    started: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    clock: PhaseClock,
    has_written: bool,
    payload: PayloadState,
    has_answer: bool,
    /// The number of lines of the response's head so far; `None` when the head is complete.
    head_lines: Option<usize>,
    may_continue: bool,
    /// Wakes the payload, which waits until the request's head is written, or until the server sends `100 Continue`.
    waiting: Option<Waker>,
}

/// How far the payload has got.
#[derive(Debug)]
enum PayloadState {
    /// hyper does not have its last byte yet.
    HandingOver,
    /// hyper has its last byte.
    HandedOver { checksums: Checksums, is_small: bool },
    /// The system has all of it.
    Flushed(Checksums),
    /// The payload is on the network, as far as this can be known.
    Sent(Checksums),
}

impl Track {
    /// Makes the track of an attempt that begins now.
    pub(crate) fn new(clock: PhaseClock) -> Arc<Self> {
        let state = State {
            clock,
            has_written: false,
            payload: PayloadState::HandingOver,
            has_answer: false,
            head_lines: Some(0),
            may_continue: false,
            waiting: None,
        };
        Arc::new(Self { started: Instant::now(), state: Mutex::new(state) })
    }

    /// Records an event that happens now.
    pub(crate) fn record(&self, event: Event) {
        self.record_with(event, |_| ());
    }

    /// Returns the limit that expires next, and when.
    pub(crate) fn next_limit(&self) -> Option<(Instant, Limit)> {
        let (due, limit) = self.state().clock.next_limit()?;
        Some((self.started.checked_add(due)?, limit))
    }

    pub(crate) fn phase(&self) -> Phase {
        self.state().clock.phase()
    }

    /// Whether any byte of the response has arrived.
    pub(crate) fn has_answer(&self) -> bool {
        self.state().has_answer
    }

    /// Records that the head of the response is complete.
    pub(crate) fn head_complete(&self) {
        self.record_with(Event::FirstByte, |state| state.head_lines = None);
    }

    /// Returns how many lines of an incomplete head have arrived.
    pub(crate) fn head_lines(&self) -> usize {
        self.state().head_lines.unwrap_or(0)
    }

    /// Whether the system has the whole payload, but may not have sent all of it.
    pub(crate) fn is_draining(&self) -> bool {
        matches!(self.state().payload, PayloadState::Flushed(_))
    }

    /// Whether the system has the whole payload.
    pub(crate) fn is_flushed(&self) -> bool {
        matches!(self.state().payload, PayloadState::Flushed(_) | PayloadState::Sent(_))
    }

    /// Records that the payload is on the network.
    pub(crate) fn payload_sent(&self) {
        self.record_with(Event::Sent, |state| {
            if let PayloadState::HandedOver { checksums, .. } | PayloadState::Flushed(checksums) = state.payload {
                state.payload = PayloadState::Sent(checksums);
            }
        });
    }

    /// Whether an upload waits for its response, and its payload counts as sent.
    pub(crate) fn counts_as_sent(&self) -> bool {
        let state = self.state();
        let is_upload_waiting = (state.clock.profile(), state.clock.phase()) == (Profile::Stall, Phase::Waiting);
        is_upload_waiting && matches!(state.payload, PayloadState::Sent(_))
    }

    /// Records that the peer does not have all of the payload, although it counted as sent.
    pub(crate) fn payload_not_sent(&self) {
        self.record_with(Event::NotSent, |state| {
            if let PayloadState::Sent(checksums) = state.payload {
                state.payload = PayloadState::Flushed(checksums);
            }
        });
    }

    /// Records that hyper has the last byte of the payload. `length` is the number of its bytes. The next complete flush passes
    /// them to the system.
    pub(crate) fn payload_handed_over(&self, checksums: Checksums, length: u64) {
        self.state().payload = PayloadState::HandedOver { checksums, is_small: length <= SMALL_PAYLOAD_BYTES };
    }

    /// Returns the state of the payload, beginning with what was known before it was sent.
    pub(crate) fn payload(&self, announced: Sent) -> Sent {
        match self.state().payload {
            PayloadState::HandingOver | PayloadState::HandedOver { .. } => announced,
            PayloadState::Flushed(checksums) | PayloadState::Sent(checksums) => {
                Sent { complete: true, checksums, ..announced }
            }
        }
    }

    /// Records an interim response. The bytes that were counted as the start of the response were not its start.
    pub(crate) fn interim(&self, status: StatusCode) {
        self.record_with(Event::Interim, |state| {
            state.has_answer = false;
            state.head_lines = Some(0);
            state.may_continue |= status == StatusCode::CONTINUE;
            wake(&mut state.waiting);
        });
    }

    /// Ready once the connection has taken some of the request's head.
    pub(crate) fn poll_written(&self, cx: &Context<'_>) -> Poll<()> {
        self.poll(cx, |state| state.has_written)
    }

    /// Ready once the server has said `100 Continue`.
    pub(crate) fn poll_may_continue(&self, cx: &Context<'_>) -> Poll<()> {
        self.poll(cx, |state| state.may_continue)
    }

    fn poll(&self, cx: &Context<'_>, is_ready: impl Fn(&State) -> bool) -> Poll<()> {
        let mut state = self.state();
        if is_ready(&state) {
            return Poll::Ready(());
        }
        state.waiting = Some(cx.waker().clone());
        Poll::Pending
    }

    fn bytes_written(&self) {
        self.record_with(Event::Progress, |state| {
            if !state.has_written {
                state.has_written = true;
                wake(&mut state.waiting);
            }
        });
    }

    fn flushed(&self) {
        let mut state = self.state();
        match state.payload {
            PayloadState::HandedOver { is_small: true, .. } => {
                drop(state);
                self.payload_sent();
            }
            PayloadState::HandedOver { checksums, is_small: false } => state.payload = PayloadState::Flushed(checksums),
            PayloadState::HandingOver | PayloadState::Flushed(_) | PayloadState::Sent(_) => {}
        }
    }

    fn bytes_read(&self, bytes: &[u8]) {
        // A server that answers the complete request has received the payload.
        if self.is_draining() {
            self.payload_sent();
        }
        self.record_with(Event::FirstByte, |state| {
            state.has_answer = true;
            if let Some(lines) = &mut state.head_lines {
                *lines += bytes.split(|byte| *byte == b'\n').count() - 1;
            }
        });
    }

    fn record_with(&self, event: Event, change: impl FnOnce(&mut State)) {
        let now = self.started.elapsed();
        let mut state = self.state();
        state.clock.record(event, now);
        change(&mut state);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

/// The attempt that uses a connection now.
#[derive(Debug, Clone, Default)]
pub(crate) struct CurrentTrack(Arc<Mutex<Option<Arc<Track>>>>);

impl CurrentTrack {
    pub(crate) fn set(&self, track: Option<Arc<Track>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = track;
    }

    fn report(&self, report: impl FnOnce(&Track)) {
        if let Some(track) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            report(track);
        }
    }
}

/// An I/O wrapper that reports to the current attempt. It implements tokio's traits, because hyper's read cursor does not show
/// how much was read.
#[derive(Debug)]
pub(crate) struct Tracked<T> {
    io: T,
    current: CurrentTrack,
    /// The error of a failed write, if the peer stopped reading.
    write_failed: Option<io::ErrorKind>,
}

impl<T> Tracked<T> {
    pub(crate) fn new(io: T, current: CurrentTrack) -> Self {
        Self { io, current, write_failed: None }
    }

    /// Keeps the error of a failed write. A server may answer before the payload is complete, and close. The write then fails,
    /// but the answer may still be readable. So a failed write only stops the writing, and the next read decides. The system
    /// reports a failure only once; if the read finds only the end, the kept error is returned.
    fn keep_failure(&mut self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
        match result {
            Poll::Ready(Err(e)) if matches!(e.kind(), BrokenPipe | ConnectionAborted | ConnectionReset) => {
                self.write_failed = Some(e.kind());
                Poll::Pending
            }
            Poll::Ready(Ok(n)) => {
                if n > 0 {
                    self.current.report(Track::bytes_written);
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
            self.current.report(|track| track.bytes_read(read));
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
        self.keep_failure(result)
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
        self.keep_failure(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.write_failed.is_some() {
            return Poll::Pending;
        }
        let result = Pin::new(&mut self.io).poll_flush(cx).map_ok(|()| 0);
        let result = self.keep_failure(result).map_ok(|_| ());
        if matches!(result, Poll::Ready(Ok(()))) {
            self.current.report(Track::flushed);
        }
        result
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
