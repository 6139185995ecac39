//! A payload on its way out in one attempt.

use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use super::file::Reading;
use super::{PayloadError, Slot, Stream};
use crate::wire::Progress;

/// The body that hyper polls. It tells the attempt's [`Progress`] when it has given its last byte.
pub(crate) struct Outgoing {
    length: Option<u64>,
    remaining: Option<u64>,
    finished: bool,
    /// The last piece by the stated length, until the stream has shown that it is the last.
    last: Option<Bytes>,
    source: Source,
    expect: Option<Expect>,
    progress: Arc<Progress>,
}

enum Source {
    Memory(Bytes),
    File(Box<Reading>),
    Stream(Stream),
    Once(Slot),
}

/// The wait for `100 Continue`: until the server says so, or for so long from the first time the payload is asked for.
struct Expect {
    wait: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Outgoing {
    pub(super) fn memory(bytes: Bytes, progress: Arc<Progress>) -> Self {
        Self::new(Some(bytes.len() as u64), Source::Memory(bytes), progress)
    }

    pub(super) fn file(length: u64, reading: Reading, progress: Arc<Progress>) -> Self {
        Self::new(Some(length), Source::File(Box::new(reading)), progress)
    }

    pub(super) fn stream(stream: Stream, progress: Arc<Progress>) -> Self {
        Self::new(stream.size_hint().exact(), Source::Stream(stream), progress)
    }

    pub(super) fn once(slot: Slot, length: Option<u64>, progress: Arc<Progress>) -> Self {
        Self::new(length, Source::Once(slot), progress)
    }

    fn new(length: Option<u64>, source: Source, progress: Arc<Progress>) -> Self {
        if length == Some(0) {
            progress.nothing_to_send();
        }
        Self { length, remaining: length, finished: length == Some(0), last: None, source, expect: None, progress }
    }

    /// The length of the payload, if it is known.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// Holds the payload back until the server says `100 Continue`, at most for `wait`.
    pub(crate) fn expect_continue(&mut self, wait: Duration) {
        self.expect = Some(Expect { wait, timer: None });
    }

    fn poll_released(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        ready!(self.progress.poll_linked(cx));
        if let Source::Once(_) = self.source {
            // The connection may have died in the pool. What is read now could not be read again for another one.
            ready!(self.progress.poll_wrote(cx));
        }
        if let Some(Expect { wait, timer }) = &mut self.expect {
            let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(*wait)));
            if self.progress.poll_may_continue(cx).is_pending() && timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.expect = None;
        }
        Poll::Ready(())
    }

    /// The next piece of the payload, or `None` at the end of a stream.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, PayloadError>>> {
        if let Source::Once(slot) = &self.source {
            let stream = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
            match stream {
                Some(stream) => self.source = Source::Stream(stream),
                None => return Poll::Ready(Some(Err(PayloadError::Consumed))),
            }
        }
        match &mut self.source {
            Source::Memory(bytes) => Poll::Ready(Some(Ok(std::mem::take(bytes)))),
            Source::File(reading) => reading.poll_chunk(cx).map(Some),
            Source::Stream(stream) => loop {
                match ready!(Pin::new(&mut *stream).poll_frame(cx)) {
                    None => return Poll::Ready(None),
                    Some(Err(e)) => return Poll::Ready(Some(Err(PayloadError::Stream(e)))),
                    Some(Ok(frame)) => match frame.into_data() {
                        Ok(data) if !data.is_empty() => return Poll::Ready(Some(Ok(data))),
                        // Empty pieces say nothing, and trailers are not sent.
                        _ => {}
                    },
                }
            },
            Source::Once(_) => Poll::Ready(Some(Err(PayloadError::Consumed))),
        }
    }

    /// Whether the source is known to have nothing more.
    fn is_at_end(&self) -> bool {
        match &self.source {
            Source::Stream(stream) => stream.is_end_stream(),
            Source::Memory(_) | Source::File(_) | Source::Once(_) => true,
        }
    }

    fn finish(&mut self) {
        self.finished = true;
        self.progress.payload_handed_over();
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = PayloadError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, PayloadError>>> {
        if self.finished {
            return Poll::Ready(None);
        }
        ready!(self.poll_released(cx));
        loop {
            let chunk = ready!(self.poll_chunk(cx)).transpose()?;
            match (chunk, self.last.take(), self.remaining) {
                (Some(_), Some(_), _) => return Poll::Ready(Some(Err(PayloadError::TooLong))),
                (Some(chunk), None, Some(remaining)) => {
                    let Some(left) = remaining.checked_sub(chunk.len() as u64) else {
                        return Poll::Ready(Some(Err(PayloadError::TooLong)));
                    };
                    self.remaining = Some(left);
                    if left > 0 {
                        return Poll::Ready(Some(Ok(Frame::data(chunk))));
                    }
                    if self.is_at_end() {
                        self.finish();
                        return Poll::Ready(Some(Ok(Frame::data(chunk))));
                    }
                    self.last = Some(chunk);
                }
                (Some(chunk), None, None) => return Poll::Ready(Some(Ok(Frame::data(chunk)))),
                (None, Some(last), _) => {
                    self.finish();
                    return Poll::Ready(Some(Ok(Frame::data(last))));
                }
                (None, None, remaining) => {
                    self.finish();
                    return Poll::Ready(remaining.map(|_| Err(PayloadError::TooShort)));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.finished
    }

    fn size_hint(&self) -> SizeHint {
        self.remaining.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
