//! Bodies: requests are read up to a limit; answers are sent whole or cut off.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;

/// The limit for the body of a request.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// The error when the body of a request cannot be read.
pub(super) enum ReadError {
    TooLarge,
    BrokenOff,
}

pub(super) async fn read(body: Incoming) -> Result<Bytes, ReadError> {
    match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(ReadError::TooLarge),
        Err(_) => Err(ReadError::BrokenOff),
    }
}

/// The body of an answer.
#[derive(Debug)]
pub(super) struct Body {
    bytes: Bytes,
    /// The number of bytes that the header promises and that are never sent.
    missing: u64,
}

impl Body {
    pub(super) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), missing: 0 }
    }

    /// Sends half of these bytes and then breaks off.
    pub(super) fn cut(mut bytes: Bytes) -> Self {
        let rest = bytes.split_off(bytes.len() / 2);
        Self { bytes, missing: rest.len() as u64 }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let bytes = std::mem::take(&mut self.bytes);
        Poll::Ready(match bytes.is_empty() {
            false => Some(Ok(Frame::data(bytes))),
            true if self.missing > 0 => Some(Err(io::ErrorKind::ConnectionAborted.into())),
            true => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty() && self.missing == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.len() as u64 + self.missing)
    }
}
