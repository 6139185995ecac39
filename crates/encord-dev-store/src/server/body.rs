//! Bodies of answers.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use tokio::fs::File;
use tokio::io::AsyncRead;
use tokio::io::ReadBuf;
use tokio::time::{Sleep, sleep};

/// The size of one read from a file.
const READ_BYTES: usize = 256 * 1024;

#[derive(Debug)]
pub(super) enum Body {
    /// Bytes that are sent as one frame.
    Whole(Bytes),
    /// A file with `left` bytes to send.
    File { file: File, left: u64 },
    /// Sends one byte at a time.
    Drip { rest: Bytes, every: Duration, next: Pin<Box<Sleep>> },
}

impl Body {
    pub(super) fn file(file: std::fs::File, left: u64) -> Self {
        let mut file = File::from_std(file);
        file.set_max_buf_size(READ_BYTES);
        Self::File { file, left }
    }

    pub(super) fn drip(rest: Bytes, every: Duration) -> Self {
        Self::Drip { rest, every, next: Box::pin(sleep(every)) }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let bytes = match self.get_mut() {
            Self::Whole(bytes) => std::mem::take(bytes),
            Self::File { file, left } => {
                let length = usize::try_from(*left).unwrap_or(READ_BYTES).min(READ_BYTES);
                let mut buffer = BytesMut::zeroed(length);
                let mut filled = ReadBuf::new(&mut buffer);
                ready!(Pin::new(file).poll_read(cx, &mut filled))?;
                let read = filled.filled().len();
                if read == 0 && *left > 0 {
                    return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
                }
                *left -= read as u64;
                buffer.truncate(read);
                buffer.freeze()
            }
            Self::Drip { rest, every, next } => {
                if rest.is_empty() {
                    return Poll::Ready(None);
                }
                ready!(next.as_mut().poll(cx));
                next.set(sleep(*every));
                rest.split_to(1)
            }
        };
        Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.size_hint().exact() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Whole(bytes) | Self::Drip { rest: bytes, .. } => bytes.len() as u64,
            Self::File { left, .. } => *left,
        })
    }
}
