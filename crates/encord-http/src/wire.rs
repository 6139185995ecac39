//! What really happens on a connection, told to the attempt that is using it.
//!
//! hyper buffers hundreds of kilobytes, so the end of the body stream says nothing about the network. [`Tracked`] sits between
//! hyper and the connection (above TLS) and notes when bytes are taken, when everything handed over has been flushed to the
//! operating system, and when the first byte of the response comes.

mod progress;

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

pub(crate) use self::progress::Progress;
use crate::hosts::Place;

/// A connection as the request's task sees it.
#[derive(Debug)]
pub(crate) struct Wire {
    teller: Mutex<Teller>,
    made: Instant,
    requests: AtomicU32,
    killed: AtomicBool,
    task: AtomicWaker,
}

/// To whom a connection tells what happens.
///
/// The connection's task may write the head of a request before the request's task has linked itself: the write is then told to
/// the request before, which is over. So writes are counted, and those that were of nobody's are the next one's.
#[derive(Debug, Default)]
struct Teller {
    current: Option<Arc<Progress>>,
    writes: u64,
    /// How many writes there were when the request before, or the one linked now, had sent all it had. `None` until then.
    settled: Option<u64>,
}

/// How a [`Wire`] travels through `Connected`.
#[derive(Debug, Clone)]
pub(crate) struct WireHandle(pub(crate) Arc<Wire>);

impl Default for Wire {
    fn default() -> Self {
        Self {
            teller: Mutex::default(),
            made: Instant::now(),
            requests: AtomicU32::new(0),
            killed: AtomicBool::new(false),
            task: AtomicWaker::new(),
        }
    }
}

impl Wire {
    /// From now on the connection reports to `progress`. True when it is older than the attempt: it has served other requests
    /// before, or was made for one that then got another.
    pub(crate) fn link(&self, progress: &Arc<Progress>) -> bool {
        let mut teller = self.teller();
        let Teller { current, writes, settled } = &mut *teller;
        // Where it is not known when the request before had written all, this one counts as written: it is then an attempt.
        let was_late = *writes > settled.unwrap_or(0);
        if was_late {
            progress.wrote();
        }
        *settled = (was_late && progress.is_handed_over()).then_some(*writes);
        *current = Some(Arc::clone(progress));
        drop(teller);
        progress.link();
        self.requests.fetch_add(1, Ordering::Relaxed) > 0 || self.made < progress.started()
    }

    /// Breaks the connection off, even one that is blocked because the peer has stopped reading.
    pub(crate) fn kill(&self) {
        self.killed.store(true, Ordering::Release);
        self.task.wake();
    }

    fn wrote(&self) {
        let mut teller = self.teller();
        teller.writes += 1;
        if let Some(progress) = &teller.current {
            progress.wrote();
        }
    }

    fn flushed(&self) {
        let mut teller = self.teller();
        let Teller { current, writes, settled } = &mut *teller;
        let Some(progress) = current else { return };
        progress.flushed();
        if progress.is_handed_over() {
            settled.get_or_insert(*writes);
        }
    }

    fn read(&self) {
        if let Some(progress) = &self.teller().current {
            progress.read();
        }
    }

    fn teller(&self) -> MutexGuard<'_, Teller> {
        self.teller.lock().unwrap_or_else(PoisonError::into_inner)
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
                    self.wire.wrote();
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
            self.wire.read();
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
            self.wire.flushed();
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
    use super::*;
    use crate::digest::Sums;

    fn progress(payload: Option<Sums>) -> Arc<Progress> {
        let progress = Arc::new(Progress::new(Instant::now(), false));
        if let Some(sums) = payload {
            progress.payload_handed_over(sums);
        }
        progress
    }

    /// A request without a payload, whose head is written before or after it is linked.
    fn request(wire: &Wire, is_late: bool) -> Arc<Progress> {
        let progress = progress(Some(Sums::default()));
        if is_late {
            wire.wrote();
            wire.flushed();
        }
        wire.link(&progress);
        assert_eq!(progress.wrote_anything(), is_late);
        if !is_late {
            wire.wrote();
            wire.flushed();
        }
        assert!(progress.wrote_anything());
        wire.read();
        // As hyper does whenever there is something to read.
        wire.flushed();
        progress
    }

    #[tokio::test]
    async fn r1_a_head_that_is_written_before_the_link_is_an_attempt() {
        for order in 0..1 << 6 {
            let wire = Wire::default();
            for number in 0..6 {
                request(&wire, order & (1 << number) != 0);
            }
            let died_idle = progress(Some(Sums::default()));
            assert!(wire.link(&died_idle));
            assert!(!died_idle.wrote_anything());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_older_than_the_attempt_was_in_the_pool() {
        let older = Wire::default();
        tokio::time::advance(std::time::Duration::from_nanos(1)).await;
        let progress = progress(None);
        assert!(older.link(&progress));
        // Made for the attempt.
        assert!(!Wire::default().link(&progress));
    }

    #[tokio::test]
    async fn a_payload_settles_when_it_is_flushed() {
        let wire = Wire::default();
        let sending = progress(None);
        wire.wrote();
        wire.flushed();
        wire.link(&sending);
        assert!(sending.wrote_anything());
        wire.wrote();
        wire.flushed();
        assert!(!sending.is_sent());
        sending.payload_handed_over(Sums::default());
        wire.wrote();
        wire.flushed();
        assert!(sending.is_sent());
        let next = progress(None);
        wire.link(&next);
        assert!(!next.wrote_anything());
    }
}
