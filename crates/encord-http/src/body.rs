//! The body of a response, read under the read clock.

use std::fmt;
use std::io::{self, Write};

use bytes::{Buf, Bytes, BytesMut};
use flate2::write::MultiGzDecoder;
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::attempt::{Fault, FaultKind};
use crate::classify::classify;
use crate::clock::Phase;
use crate::digest::Sent;
use crate::watch::Watch;

/// The body of a response as a stream. The read clock goes on (rule R9): a body that is not read in time fails. What was read
/// cannot be read again, so a failure here is not retried.
///
/// Dropped before its end it closes the connection.
pub struct Body {
    incoming: Incoming,
    watch: Watch,
    gzip: Option<Gzip>,
    over: bool,
}

impl Body {
    pub(crate) fn new(incoming: Incoming, watch: Watch, gzip: bool) -> Self {
        Self { incoming, watch, gzip: gzip.then(Gzip::new), over: false }
    }

    /// The next piece of the body, never empty; `None` at its end.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the connection breaks off, the read clock runs out, or the compression is broken.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Fault> {
        loop {
            if let Some(chunk) = self.gzip.as_mut().map_or(Ok(None), Gzip::next).map_err(broken_gzip)? {
                return Ok(Some(chunk));
            }
            if self.over {
                return Ok(None);
            }
            let frame = match self.watch.guard(self.incoming.frame()).await {
                Err(limit) => return Err(Fault::new(limit, "")),
                Ok(frame) => frame.transpose().map_err(classify)?,
            };
            // A body of known length ends with its last piece.
            if frame.is_none() || self.incoming.is_end_stream() {
                self.watch.response_is_complete();
                self.over = true;
            } else if let Some(limit) = self.watch.overdue() {
                // Pieces that are there whenever they are asked for would never let the clock be looked at.
                return Err(Fault::new(limit, ""));
            }
            let data = frame.and_then(|frame| frame.into_data().ok()).unwrap_or_default();
            match &mut self.gzip {
                Some(gzip) => gzip.feed(data, self.over),
                None if data.is_empty() => {}
                None => return Ok(Some(data)),
            }
        }
    }

    /// The whole body. One that is announced as longer than `limit` is refused unread.
    pub(crate) async fn read_whole(&mut self, limit: usize) -> Result<Bytes, Fault> {
        if self.gzip.is_none() && self.incoming.size_hint().lower() > limit as u64 {
            return Err(too_large(limit));
        }
        self.read(limit).await.map_err(|(_, fault)| fault)
    }

    /// The whole body, or what there is of it and why there is no more. One longer than `limit` is a fault.
    pub(crate) async fn read(&mut self, limit: usize) -> Result<Bytes, (Bytes, Fault)> {
        let mut read = BytesMut::new();
        loop {
            match self.chunk().await {
                Ok(None) => return Ok(read.freeze()),
                // The common case is one chunk; it is handed on as it is.
                Ok(Some(chunk)) if read.is_empty() && self.over && self.gzip.is_none() && chunk.len() <= limit => {
                    return Ok(chunk);
                }
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

    /// What has become of the payload that was announced.
    pub(crate) fn payload(&self, announced: Sent) -> Sent {
        self.watch.payload(announced)
    }

    pub(crate) fn phase(&mut self) -> Phase {
        self.watch.phase()
    }
}

/// Decompresses a body a bounded piece at a time: a few bytes of it can stand for as many megabytes.
struct Gzip {
    decoder: MultiGzDecoder<Vec<u8>>,
    input: Bytes,
    began: bool,
    over: bool,
}

impl Gzip {
    /// A piece may be longer by what the decoder holds back, 32 KiB.
    const PIECE: usize = 256 * 1024;

    fn new() -> Self {
        Self { decoder: MultiGzDecoder::new(Vec::new()), input: Bytes::new(), began: false, over: false }
    }

    fn feed(&mut self, input: Bytes, over: bool) {
        self.began |= !input.is_empty();
        self.input = input;
        self.over = over;
    }

    /// The next piece, never empty; `None` when there is none without more input.
    fn next(&mut self) -> io::Result<Option<Bytes>> {
        // No body at all is none, although it is not a gzip stream either.
        if !self.began {
            return Ok(None);
        }
        while !self.input.is_empty() && self.decoder.get_ref().len() < Self::PIECE {
            match self.decoder.write(&self.input)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                n => self.input.advance(n),
            }
        }
        if self.input.is_empty() {
            if self.over { self.decoder.try_finish()? } else { self.decoder.flush()? }
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
