//! Payloads, and how they are read again for every attempt.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::task::JoinHandle;

use crate::wire::Progress;

/// How much of a file is read at once: large enough that the disk and not the hand-over sets the pace. While one chunk is sent
/// the next is read, so an upload holds a few of these and never the file.
const CHUNK: usize = 256 * 1024;

/// What a request carries. It can be sent again: bytes are shared, a file is opened anew for each attempt.
#[derive(Clone, Default)]
pub struct Payload(Kind);

#[derive(Clone, Default)]
enum Kind {
    #[default]
    Empty,
    Bytes(Bytes),
    File(Arc<Path>),
}

/// Why a payload could not be read. Never retried: the network is not at fault.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PayloadError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("not a regular file")]
    NotAFile,
    #[error("the file changed while it was sent")]
    Changed,
    #[error("the file shrank while it was sent")]
    Shrank,
}

impl Payload {
    /// No payload.
    pub const fn empty() -> Self {
        Self(Kind::Empty)
    }

    /// Bytes in memory.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self(Kind::Bytes(bytes.into()))
    }

    /// A file, streamed from disk. Its length when an attempt begins is the `Content-Length`; an attempt whose file changes
    /// before the last byte was read fails, and what arrived is incomplete for the server.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Kind::File(path.into().into()))
    }

    /// Opens the payload for one attempt.
    pub(crate) async fn open(&self, progress: Arc<Progress>) -> Result<Outgoing, PayloadError> {
        let (remaining, source) = match &self.0 {
            Kind::Empty => (0, Source::Memory(Bytes::new())),
            Kind::Bytes(bytes) => (bytes.len() as u64, Source::Memory(bytes.clone())),
            Kind::File(path) => {
                let path = Arc::clone(path);
                let (length, first) = blocking(move || open_file(&path)).await?;
                (length, Source::File(first))
            }
        };
        if remaining == 0 {
            progress.nothing_to_send();
        }
        Ok(Outgoing { remaining, source, progress })
    }
}

/// A payload on its way out in one attempt.
pub(crate) struct Outgoing {
    remaining: u64,
    source: Source,
    progress: Arc<Progress>,
}

enum Source {
    Memory(Bytes),
    File(Reading),
}

/// A file of which one chunk is at hand or being read.
enum Reading {
    Read(Chunk),
    Under(JoinHandle<Result<Chunk, PayloadError>>),
    Over,
}

struct Chunk {
    bytes: Bytes,
    /// The rest of the file, when there is one.
    rest: Option<OpenFile>,
}

struct OpenFile {
    file: File,
    remaining: u64,
    identity: (u64, Option<SystemTime>),
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PayloadError> + Send + 'static,
) -> Result<T, PayloadError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(io::Error::other(e).into()))
}

/// Opens a file and reads its first chunk, so that a small file costs one visit to the blocking pool.
fn open_file(path: &Path) -> Result<(u64, Reading), PayloadError> {
    // Looked at before it is opened: opening a pipe would wait for its other end.
    if !path.metadata()?.is_file() {
        return Err(PayloadError::NotAFile);
    }
    let file = File::open(path)?;
    let identity = identity(&file)?;
    let length = identity.0;
    let first = read_chunk(OpenFile { file, remaining: length, identity })?;
    Ok((length, Reading::Read(first)))
}

fn identity(file: &File) -> io::Result<(u64, Option<SystemTime>)> {
    let metadata = file.metadata()?;
    Ok((metadata.len(), metadata.modified().ok()))
}

fn read_chunk(mut open: OpenFile) -> Result<Chunk, PayloadError> {
    let length = usize::try_from(open.remaining).map_or(CHUNK, |remaining| remaining.min(CHUNK));
    let mut bytes = Vec::with_capacity(length);
    open.file.by_ref().take(length as u64).read_to_end(&mut bytes)?;
    if bytes.len() < length {
        return Err(PayloadError::Shrank);
    }
    open.remaining -= length as u64;
    let rest = if open.remaining > 0 {
        Some(open)
    } else if identity(&open.file)? == open.identity {
        None
    } else {
        return Err(PayloadError::Changed);
    };
    Ok(Chunk { bytes: bytes.into(), rest })
}

impl Outgoing {
    /// The bytes still to be handed over; before the first poll, the length of the payload.
    pub(crate) fn length(&self) -> u64 {
        self.remaining
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, PayloadError>> {
        let reading = match &mut self.source {
            Source::Memory(bytes) => return Poll::Ready(Ok(std::mem::take(bytes))),
            Source::File(reading) => reading,
        };
        let chunk = match std::mem::replace(reading, Reading::Over) {
            Reading::Read(chunk) => chunk,
            Reading::Under(mut task) => match Pin::new(&mut task).poll(cx) {
                Poll::Ready(Ok(chunk)) => chunk?,
                Poll::Ready(Err(e)) => return Poll::Ready(Err(io::Error::other(e).into())),
                Poll::Pending => {
                    *reading = Reading::Under(task);
                    return Poll::Pending;
                }
            },
            Reading::Over => return Poll::Ready(Err(PayloadError::Shrank)),
        };
        if let Some(rest) = chunk.rest {
            *reading = Reading::Under(tokio::task::spawn_blocking(move || read_chunk(rest)));
        }
        Poll::Ready(Ok(chunk.bytes))
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = PayloadError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, PayloadError>>> {
        if self.remaining == 0 {
            return Poll::Ready(None);
        }
        ready!(self.progress.poll_linked(cx));
        let chunk = ready!(self.poll_chunk(cx))?;
        self.remaining -= chunk.len() as u64;
        if self.remaining == 0 {
            self.progress.payload_handed_over();
        }
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Empty => f.write_str("Payload(empty)"),
            Kind::Bytes(bytes) => write!(f, "Payload({} bytes)", bytes.len()),
            Kind::File(path) => write!(f, "Payload({})", path.display()),
        }
    }
}

impl<T: Into<Bytes>> From<T> for Payload {
    fn from(bytes: T) -> Self {
        Self::bytes(bytes)
    }
}
