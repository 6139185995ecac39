//! Bodies: of requests, read with a limit; of answers, whole or broken off.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;

/// The largest request.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Why a request could not be read.
pub(super) enum Unread {
    TooLarge,
    BrokenOff,
}

pub(super) async fn read(body: Incoming) -> Result<Bytes, Unread> {
    match Limited::new(body, MAX_BYTES).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(Unread::TooLarge),
        Err(_) => Err(Unread::BrokenOff),
    }
}

/// The body of an answer.
#[derive(Debug)]
pub(super) struct Body {
    bytes: Bytes,
    /// How many bytes are promised and never come.
    missing: u64,
}

impl Body {
    pub(super) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), missing: 0 }
    }

    /// Half of these bytes.
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
