//! Files, read a chunk at a time off the runtime's threads.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

use bytes::Bytes;
use tokio::task::JoinHandle;

use super::PayloadError;

/// How much of a file is read at once: large enough that the disk and not the hand-over sets the pace. While one chunk is sent
/// the next is read, so an upload holds a few of these and never the file.
const CHUNK: usize = 256 * 1024;

/// A file of which one chunk is at hand or being read.
pub(super) enum Reading {
    Read(Chunk),
    Under(JoinHandle<Result<Chunk, PayloadError>>),
    Over,
}

pub(super) struct Chunk {
    bytes: Bytes,
    /// The rest of the file, when there is one.
    rest: Option<OpenFile>,
}

pub(super) struct OpenFile {
    file: File,
    remaining: u64,
    identity: (u64, Option<SystemTime>),
}

impl Reading {
    /// Opens a file; its length, and the file with its first chunk read.
    pub(super) async fn open(path: Arc<Path>) -> Result<(u64, Self), PayloadError> {
        let opened = tokio::task::spawn_blocking(move || open_file(&path)).await;
        opened.unwrap_or_else(|e| Err(io::Error::other(e).into()))
    }

    /// The next chunk. Not to be asked again after the last one.
    pub(super) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, PayloadError>> {
        let chunk = match std::mem::replace(self, Self::Over) {
            Self::Read(chunk) => chunk,
            Self::Under(mut task) => match Pin::new(&mut task).poll(cx) {
                Poll::Ready(Ok(chunk)) => chunk?,
                Poll::Ready(Err(e)) => return Poll::Ready(Err(io::Error::other(e).into())),
                Poll::Pending => {
                    *self = Self::Under(task);
                    return Poll::Pending;
                }
            },
            Self::Over => return Poll::Ready(Err(PayloadError::Shrank)),
        };
        if let Some(rest) = chunk.rest {
            *self = Self::Under(tokio::task::spawn_blocking(move || read_chunk(rest)));
        }
        Poll::Ready(Ok(chunk.bytes))
    }
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
    if open.remaining > 0 {
        return Ok(Chunk { bytes: bytes.into(), rest: Some(open) });
    }
    // The last piece is not handed over before this is known.
    let (before, after) = (open.identity, identity(&open.file)?);
    match after.0.cmp(&before.0) {
        Ordering::Less => Err(PayloadError::Shrank),
        Ordering::Greater => Err(PayloadError::Grew),
        Ordering::Equal if after != before => Err(PayloadError::Changed),
        Ordering::Equal => Ok(Chunk { bytes: bytes.into(), rest: None }),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Duration;

    use super::*;
    use crate::attempt::FaultKind;

    /// Reads a file of a chunk and a half, which is changed in between.
    #[track_caller]
    fn check(change: impl FnOnce(&mut File), error: Option<&str>) {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        let content = vec![7; CHUNK + CHUNK / 2];
        file.write_all(&content).expect("written");
        let (length, reading) = open_file(file.path()).expect("opened");
        assert_eq!(length, content.len() as u64);
        let Reading::Read(Chunk { bytes, rest: Some(rest) }) = reading else { panic!("there is more") };
        assert_eq!(bytes, content[..CHUNK]);
        change(file.as_file_mut());
        match (read_chunk(rest), error) {
            (Ok(last), None) => assert!(last.bytes == content[CHUNK..] && last.rest.is_none()),
            (Err(found), Some(error)) => assert_eq!((found.kind(), &*found.to_string()), (FaultKind::Changed, error)),
            (found, _) => panic!("{:?}", found.map(|chunk| chunk.bytes.len())),
        }
    }

    #[test]
    fn u6_the_last_piece_of_a_file_that_changed_is_kept_back() {
        let length = (CHUNK + CHUNK / 2) as u64;
        let later =
            |file: &File| file.metadata().expect("metadata").modified().expect("a time") + Duration::from_nanos(1);
        check(|_| {}, None);
        check(|file| file.set_len(length - 1).expect("shorter"), Some("it shrank"));
        check(|file| file.set_len(0).expect("empty"), Some("it shrank"));
        check(|file| file.set_len(length + 1).expect("longer"), Some("it grew"));
        check(|file| file.write_all(b"x").expect("appended"), Some("it grew"));
        check(|file| file.set_modified(later(file)).expect("touched"), Some("it was changed"));
    }
}
