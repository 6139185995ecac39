//! The body of a response, read under the read clock.

use std::fmt;
use std::future::poll_fn;
use std::io::{self, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use encord_signed_url::Origin;
use flate2::write::MultiGzDecoder;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;

use crate::digest::Sent;
use crate::fault::{Fault, FaultKind};
use crate::net::pool::Pool;
use crate::net::track::Track;
use crate::net::watch::Running;
use crate::phase::Phase;
use crate::rules::classify::{During, classify};
use crate::rules::clock::Event;

/// The body of a response as a stream. The read clock keeps running (rule R9): a body that is not read in time fails. A body
/// cannot be read twice, so a failure here is not retried.
///
/// It is an [`http_body::Body`]. If it is dropped before its end, the connection is closed.
pub struct Body {
    incoming: Incoming,
    /// `None` at the end, and after a failure.
    running: Option<Running>,
    track: Arc<Track>,
    /// The pool that takes the connection back at the end of the body.
    pool: Arc<Pool>,
    origin: Origin,
    gzip: Option<Gzip>,
}

impl Body {
    pub(crate) fn new(incoming: Incoming, running: Running, pool: Arc<Pool>, origin: Origin, gzip: bool) -> Self {
        let track = Arc::clone(running.track());
        Self { incoming, running: Some(running), track, pool, origin, gzip: gzip.then(Gzip::new) }
    }

    /// Returns the next piece of the body, which is never empty, or `None` at the end.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the connection breaks off, the read clock runs out, or the compression is broken.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Fault> {
        poll_fn(|cx| self.poll_chunk(cx)).await.transpose()
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
        loop {
            match self.gzip.as_mut().map_or(Ok(None), Gzip::next) {
                Ok(Some(chunk)) => return Poll::Ready(Some(Ok(chunk))),
                Ok(None) => {}
                Err(e) => {
                    self.discard();
                    return Poll::Ready(Some(Err(broken_gzip(e))));
                }
            }
            let Some(running) = &mut self.running else { return Poll::Ready(None) };
            let incoming = &mut self.incoming;
            let frame = match ready!(running.poll(cx, |cx| Pin::new(&mut *incoming).poll_frame(cx))) {
                Ok(frame) => frame.transpose().map_err(|e| classify(e, During::Exchange)),
                Err(limit) => Err(Fault::new(limit, "")),
            };
            let frame = match frame {
                Ok(frame) => frame,
                Err(fault) => {
                    self.discard();
                    return Poll::Ready(Some(Err(fault)));
                }
            };
            // A body of known length ends with its last piece.
            let is_over = frame.is_none() || self.incoming.is_end_stream();
            let data = frame.and_then(|frame| frame.into_data().ok()).unwrap_or_default();
            if is_over {
                self.track.record(Event::Done);
                if let Some(running) = self.running.take() {
                    running.end(cx, &self.pool, self.origin.clone());
                }
            } else if let Poll::Ready(limit) = running.poll_overdue(cx) {
                // Checked here too, because pieces that are always ready would otherwise keep the clock from being checked.
                self.discard();
                return Poll::Ready(Some(Err(Fault::new(limit, ""))));
            }
            match &mut self.gzip {
                Some(gzip) => gzip.feed(data, is_over),
                None if data.is_empty() => {}
                None => return Poll::Ready(Some(Ok(data))),
            }
        }
    }

    /// Stops reading. If the body is not at its end, the connection is closed.
    pub(crate) fn discard(&mut self) {
        self.running = None;
        self.gzip = None;
    }

    /// Reads the whole body. If its stated length is above `limit`, nothing is read.
    pub(crate) async fn read_whole(&mut self, limit: usize) -> Result<Bytes, Fault> {
        if self.running.is_some() && self.gzip.is_none() && self.incoming.size_hint().lower() > limit as u64 {
            return Err(too_large(limit));
        }
        self.read(limit).await.map_err(|(_, fault)| fault)
    }

    /// Reads the whole body. On failure returns the part that was read, with the fault. A body longer than `limit` is a fault.
    pub(crate) async fn read(&mut self, limit: usize) -> Result<Bytes, (Bytes, Fault)> {
        let mut read = BytesMut::new();
        loop {
            match self.chunk().await {
                Ok(None) => return Ok(read.freeze()),
                // In the common case the body is one chunk, which is returned without a copy.
                Ok(Some(chunk)) if read.is_empty() && self.is_end_stream() && chunk.len() <= limit => return Ok(chunk),
                Ok(Some(chunk)) => {
                    let room = limit - read.len();
                    read.extend_from_slice(&chunk[..chunk.len().min(room)]);
                    if chunk.len() > room {
                        return Err((read.freeze(), too_large(limit)));
                    }
                }
                Err(fault) => return Err((read.freeze(), fault)),
            }
        }
    }

    /// The state of the payload, beginning with what was known before it was sent.
    pub(crate) fn payload(&self, announced: Sent) -> Sent {
        self.track.payload(announced)
    }

    pub(crate) fn phase(&self) -> Phase {
        self.track.phase()
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        self.poll_chunk(cx).map_ok(Frame::data)
    }

    fn is_end_stream(&self) -> bool {
        self.running.is_none() && self.gzip.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.running, &self.gzip) {
            (Some(_), None) => self.incoming.size_hint(),
            (None, None) => SizeHint::with_exact(0),
            (_, Some(_)) => SizeHint::default(),
        }
    }
}

/// Decompresses a body in pieces of bounded size, because a few compressed bytes can expand to megabytes.
struct Gzip {
    decoder: MultiGzDecoder<Vec<u8>>,
    input: Bytes,
    has_begun: bool,
    is_over: bool,
}

impl Gzip {
    /// A piece may be up to 32 KiB longer, because the decoder can hold back as much.
    const MAX_PIECE_BYTES: usize = 256 * 1024;

    fn new() -> Self {
        Self { decoder: MultiGzDecoder::new(Vec::new()), input: Bytes::new(), has_begun: false, is_over: false }
    }

    fn feed(&mut self, input: Bytes, is_over: bool) {
        self.has_begun |= !input.is_empty();
        self.input = input;
        self.is_over = is_over;
    }

    /// Returns the next piece, which is never empty, or `None` when more input is needed.
    fn next(&mut self) -> io::Result<Option<Bytes>> {
        // An empty body is accepted as empty, although it is not a gzip stream.
        if !self.has_begun {
            return Ok(None);
        }
        while !self.input.is_empty() && self.decoder.get_ref().len() < Self::MAX_PIECE_BYTES {
            match self.decoder.write(&self.input)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                n => self.input.advance(n),
            }
        }
        if self.input.is_empty() {
            if self.is_over { self.decoder.try_finish()? } else { self.decoder.flush()? }
        }
        let piece = std::mem::take(self.decoder.get_mut());
        Ok((!piece.is_empty()).then(|| piece.into()))
    }
}

fn too_large(limit: usize) -> Fault {
    Fault::new(FaultKind::TooLarge, format!("more than {limit} bytes"))
}

fn broken_gzip(error: io::Error) -> Fault {
    Fault::new(FaultKind::Protocol, format!("gzip: {error}")).with_source(error)
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Body")
    }
}
