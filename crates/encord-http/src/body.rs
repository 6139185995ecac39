//! The body of a response, read under the read clock.

use std::fmt;
use std::io::Write;

use bytes::{Bytes, BytesMut};
use flate2::write::MultiGzDecoder;
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::attempt::{Fault, FaultKind};
use crate::classify::classify;
use crate::clock::Phase;
use crate::watch::Watch;

/// The body of a response as a stream. The read clock goes on (rule R9): a body that is not read in time fails. What was read
/// cannot be read again, so a failure here is not retried.
///
/// Dropped before its end it closes the connection.
pub struct Body {
    incoming: Incoming,
    watch: Watch,
    gzip: Option<MultiGzDecoder<Vec<u8>>>,
    over: bool,
}

impl Body {
    pub(crate) fn new(incoming: Incoming, watch: Watch, gzip: bool) -> Self {
        Self { incoming, watch, gzip: gzip.then(|| MultiGzDecoder::new(Vec::new())), over: false }
    }

    /// The next piece of the body, never empty; `None` at its end.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the connection breaks off, the read clock runs out, or the compression is broken.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Fault> {
        while !self.over {
            let frame = match self.watch.guard(self.incoming.frame()).await {
                Err(limit) => return Err(Fault::new(limit, "")),
                Ok(frame) => frame,
            };
            let chunk = match frame {
                None => {
                    self.watch.response_is_complete();
                    self.over = true;
                    self.decode_end()?
                }
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.decode(data)?,
                    Err(_trailers) => continue,
                },
                Some(Err(e)) => return Err(classify(e)),
            };
            if !chunk.is_empty() {
                return Ok(Some(chunk));
            }
        }
        Ok(None)
    }

    /// The whole body, or what there is of it and why there is no more. One longer than `limit` is a fault.
    pub(crate) async fn read(&mut self, limit: usize) -> Result<Bytes, (Bytes, Fault)> {
        let mut read = BytesMut::new();
        if self.gzip.is_none() && self.incoming.size_hint().lower() > limit as u64 {
            return Err((read.freeze(), too_large(limit)));
        }
        loop {
            match self.chunk().await {
                Ok(None) => return Ok(read.freeze()),
                // The common case is one chunk; it is handed on as it is.
                Ok(Some(chunk)) if read.is_empty() && self.over && chunk.len() <= limit => return Ok(chunk),
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

    pub(crate) fn phase(&mut self) -> Phase {
        self.watch.phase()
    }

    fn decode(&mut self, data: Bytes) -> Result<Bytes, Fault> {
        let Some(gzip) = &mut self.gzip else { return Ok(data) };
        gzip.write_all(&data).and_then(|()| gzip.flush()).map_err(broken_gzip)?;
        Ok(std::mem::take(gzip.get_mut()).into())
    }

    fn decode_end(&mut self) -> Result<Bytes, Fault> {
        self.gzip.take().map_or(Ok(Bytes::new()), |gzip| gzip.finish().map(Bytes::from).map_err(broken_gzip))
    }
}

fn too_large(limit: usize) -> Fault {
    Fault::new(FaultKind::TooLarge, format!("more than {limit} bytes"))
}

fn broken_gzip(error: std::io::Error) -> Fault {
    Fault::new(FaultKind::Protocol, format!("gzip: {error}")).with_source(error)
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Body")
    }
}
