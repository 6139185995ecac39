//! Sends a payload in one attempt.

use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use super::error::PayloadError;
use super::source::{Opened, Source};
use crate::digest::{Checksums, Hasher};
use crate::fault::Fault;
use crate::meter::Meter;
use crate::net::track::Track;

/// The body that hyper polls. It reports to the attempt's [`Track`] when hyper has its last byte.
pub(crate) struct Outgoing {
    remaining: Option<u64>,
    /// How many bytes hyper has taken.
    taken_bytes: u64,
    is_finished: bool,
    /// The piece that completes the stated length. It is kept back until the stream has ended, because the stream may be too
    /// long.
    last: Option<Bytes>,
    source: Source,
    hasher: Option<Hasher>,
    meter: Option<Arc<Meter>>,
    expect: Option<Expect>,
    track: Arc<Track>,
}

/// The wait for `100 Continue`. It ends when the server sends it, or `wait` after hyper first polls the payload.
struct Expect {
    wait: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Outgoing {
    /// Makes the body of one attempt. `meter` counts the bytes that hyper takes. With `expect` the payload waits for `100
    /// Continue`, at most for this time.
    pub(crate) fn new(opened: Opened, track: Arc<Track>, meter: Option<Arc<Meter>>, expect: Option<Duration>) -> Self {
        let Opened { length, file: _, source, hasher } = opened;
        let expect = expect.map(|wait| Expect { wait, timer: None });
        let mut new = Self {
            remaining: length,
            taken_bytes: 0,
            is_finished: false,
            last: None,
            source,
            hasher,
            meter,
            expect,
            track,
        };
        if length == Some(0) {
            new.finish();
            new.track.payload_sent();
        }
        new
    }

    fn poll_may_send(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Source::Once(_) = self.source {
            // A pooled connection may be dead, and this stream cannot be read again for another connection. So nothing is read
            // before the connection has taken a part of the head.
            ready!(self.track.poll_written(cx));
        }
        if let Some(Expect { wait, timer }) = &mut self.expect {
            let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(*wait)));
            if self.track.poll_may_continue(cx).is_pending() && timer.as_mut().poll(cx).is_pending() {
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
            Source::ReadAhead(read_ahead) => read_ahead.poll_chunk(cx).map(Some),
            Source::Stream(stream) => loop {
                match ready!(Pin::new(&mut *stream).poll_frame(cx)) {
                    None => return Poll::Ready(None),
                    Some(Err(e)) => return Poll::Ready(Some(Err(PayloadError::Stream(e)))),
                    Some(Ok(frame)) => match frame.into_data() {
                        Ok(data) if !data.is_empty() => {
                            if let Some(hasher) = &mut self.hasher {
                                hasher.update(&data);
                            }
                            return Poll::Ready(Some(Ok(data)));
                        }
                        // Empty pieces are skipped, and trailers are not sent.
                        _ => {}
                    },
                }
            },
            Source::Once(_) => Poll::Ready(Some(Err(PayloadError::Consumed))),
        }
    }

    /// Whether the source is known to be at its end.
    fn is_at_end(&self) -> bool {
        match &self.source {
            Source::Stream(stream) => stream.is_end_stream(),
            Source::Memory(_) | Source::ReadAhead(_) | Source::Once(_) => true,
        }
    }

    fn finish(&mut self) {
        self.is_finished = true;
        let checksums = match &self.source {
            Source::ReadAhead(read_ahead) => read_ahead.checksums(),
            _ => self.hasher.take().map_or_else(Checksums::default, Hasher::finish),
        };
        self.track.payload_handed_over(checksums, self.taken_bytes);
    }

    /// The next piece to send, or `None` when all is sent.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, PayloadError>>> {
        if self.is_finished {
            return Poll::Ready(None);
        }
        ready!(self.poll_may_send(cx));
        loop {
            let chunk = ready!(self.poll_chunk(cx)).transpose()?;
            self.taken_bytes += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
            match (chunk, self.last.take(), self.remaining) {
                (Some(_), Some(_), _) => return Poll::Ready(Some(Err(PayloadError::TooLong))),
                (Some(chunk), None, Some(remaining)) => {
                    let Some(left) = remaining.checked_sub(chunk.len() as u64) else {
                        return Poll::Ready(Some(Err(PayloadError::TooLong)));
                    };
                    self.remaining = Some(left);
                    if left > 0 {
                        return Poll::Ready(Some(Ok(chunk)));
                    }
                    if self.is_at_end() {
                        self.finish();
                        return Poll::Ready(Some(Ok(chunk)));
                    }
                    self.last = Some(chunk);
                }
                (Some(chunk), None, None) => return Poll::Ready(Some(Ok(chunk))),
                (None, Some(last), _) => {
                    self.finish();
                    return Poll::Ready(Some(Ok(last)));
                }
                (None, None, remaining) => {
                    self.finish();
                    return Poll::Ready(remaining.map(|_| Err(PayloadError::TooShort)));
                }
            }
        }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        let piece = ready!(self.poll_piece(cx)).transpose()?;
        if let (Some(piece), Some(meter)) = (&piece, &self.meter) {
            meter.add(piece.len());
        }
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.is_finished
    }

    fn size_hint(&self) -> SizeHint {
        self.remaining.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use encord_http_settings::RequestsSettings;
    use http::StatusCode;
    use tokio::time::advance;

    use super::super::readers::Readers;
    use super::*;
    use crate::digest::Digests;
    use crate::phase::Profile;
    use crate::rules::clock::PhaseClock;

    const WAIT: Duration = Duration::from_secs(1);

    async fn waiting() -> (Arc<Track>, Outgoing) {
        let track = Track::new(PhaseClock::new(&RequestsSettings::default(), Profile::Total));
        let bytes = Bytes::from_static(b"payload");
        let opened = Opened::bytes(bytes, Digests::NONE, &Readers::new()).await.expect("opened");
        let payload = Outgoing::new(opened, Arc::clone(&track), None, Some(WAIT));
        (track, payload)
    }

    fn is_held_back(payload: &mut Outgoing) -> bool {
        Pin::new(payload).poll_frame(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    #[tokio::test(start_paused = true)]
    async fn the_servers_word_releases_the_payload_at_once() {
        let (track, mut payload) = waiting().await;
        assert!(is_held_back(&mut payload));
        track.interim(StatusCode::PROCESSING);
        assert!(is_held_back(&mut payload));
        track.interim(StatusCode::CONTINUE);
        assert!(!is_held_back(&mut payload));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_word_the_payload_goes_after_the_wait() {
        let (_track, mut payload) = waiting().await;
        assert!(is_held_back(&mut payload));
        advance(WAIT.mul_f64(0.99)).await;
        assert!(is_held_back(&mut payload));
        advance(WAIT.mul_f64(0.02)).await;
        assert!(!is_held_back(&mut payload));
    }
}
