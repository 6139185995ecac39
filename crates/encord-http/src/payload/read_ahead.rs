//! Reads and hashes files, and hashes bytes in memory, one chunk at a time on the [`Readers`].

use std::cmp::Ordering;
use std::fs::File;
use std::future::poll_fn;
use std::io::{self, Read};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;

use super::buffer::{self, CHUNK_BYTES, FIRST_CHUNK_BYTES};
use super::error::PayloadError;
use super::readers::{JobHandle, Readers};
use crate::digest::{Checksums, Digests, FileState, Hasher};

/// How much of a file with a stated length of 0 is read: 16 MiB.
const MAX_UNSIZED_BYTES: u64 = 16 * 1024 * 1024;

/// A payload whose next chunk is read before it is needed.
pub(super) struct ReadAhead {
    pub(super) length: u64,
    readers: Readers,
    state: State,
}

enum State {
    Ready(Chunk),
    Pending(JobHandle<Result<Chunk, PayloadError>>),
    Done(Checksums),
}

/// A file that was just opened, with its first chunk.
struct OpenedFile {
    state: FileState,
    /// The number of bytes that it has, even if the file system states 0.
    length: u64,
    chunk: Chunk,
}

struct Chunk {
    bytes: Bytes,
    rest: Rest,
}

enum Rest {
    More(Box<ChunkReader>),
    End(Checksums),
}

/// Reads and hashes the part of a payload that has not been read yet.
struct ChunkReader {
    input: Input,
    remaining: u64,
    /// How much to read next, at most.
    chunk_bytes: usize,
    hasher: Hasher,
}

enum Input {
    File { file: File, state: FileState },
    Memory(Bytes),
}

impl ReadAhead {
    /// Opens a file and reads its first chunk in one job, so that a small file needs only one job.
    pub(super) async fn file(
        path: Arc<Path>,
        digests: Digests,
        readers: &Readers,
    ) -> Result<(Self, FileState), PayloadError> {
        let opened = readers.spawn(move || open_file(&path, digests)).await.map_err(io::Error::other)??;
        let OpenedFile { state, length, chunk } = opened;
        Ok((Self { length, readers: readers.clone(), state: State::Ready(chunk) }, state))
    }

    /// Hashes the first chunk.
    pub(super) async fn memory(bytes: Bytes, digests: Digests, readers: &Readers) -> Result<Self, PayloadError> {
        let length = bytes.len() as u64;
        let reader = ChunkReader::new(Input::Memory(bytes), length, digests);
        let chunk = readers.spawn(move || reader.read()).await.map_err(io::Error::other)??;
        Ok(Self { length, readers: readers.clone(), state: State::Ready(chunk) })
    }

    /// Returns the next chunk. Must not be called after the last chunk.
    pub(super) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, PayloadError>> {
        let chunk = match std::mem::replace(&mut self.state, State::Done(Checksums::default())) {
            State::Ready(chunk) => chunk,
            State::Pending(mut job) => match Pin::new(&mut job).poll(cx) {
                Poll::Ready(chunk) => chunk.map_err(io::Error::other)??,
                Poll::Pending => {
                    self.state = State::Pending(job);
                    return Poll::Pending;
                }
            },
            State::Done(_) => return Poll::Ready(Err(PayloadError::Shrank)),
        };
        self.state = match chunk.rest {
            Rest::More(reader) => State::Pending(self.readers.spawn(move || reader.read())),
            Rest::End(checksums) => State::Done(checksums),
        };
        Poll::Ready(Ok(chunk.bytes))
    }

    /// Reads the payload to its end without keeping it, and returns its checksums.
    pub(super) async fn digest(mut self) -> Result<Checksums, PayloadError> {
        loop {
            if let State::Done(checksums) = self.state {
                return Ok(checksums);
            }
            poll_fn(|cx| self.poll_chunk(cx)).await?;
        }
    }

    /// The checksums, once the last chunk is read.
    pub(super) fn checksums(&self) -> Checksums {
        match &self.state {
            State::Done(checksums) | State::Ready(Chunk { rest: Rest::End(checksums), .. }) => *checksums,
            State::Pending(_) | State::Ready(_) => Checksums::default(),
        }
    }
}

fn open_file(path: &Path, digests: Digests) -> Result<OpenedFile, PayloadError> {
    // Checked before the file is opened, because opening a pipe would wait for its other end.
    if !path.metadata()?.is_file() {
        return Err(PayloadError::NotAFile);
    }
    let mut file = File::open(path)?;
    let state = FileState::of(&file.metadata()?);
    let length = state.length;
    if length == 0 {
        let bytes = read_unsized(&mut file)?;
        if !bytes.is_empty() {
            let length = bytes.len() as u64;
            let chunk = ChunkReader::new(Input::Memory(bytes), length, digests).read()?;
            return Ok(OpenedFile { state, length, chunk });
        }
    }
    let chunk = ChunkReader::new(Input::File { file, state }, length, digests).read()?;
    Ok(OpenedFile { state, length, chunk })
}

/// Reads the whole of a file whose stated length is wrong.
fn read_unsized(file: &mut File) -> Result<Bytes, PayloadError> {
    let mut bytes = Vec::new();
    file.take(MAX_UNSIZED_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_UNSIZED_BYTES { Err(PayloadError::TooMuch) } else { Ok(bytes.into()) }
}

impl ChunkReader {
    fn new(input: Input, length: u64, digests: Digests) -> Self {
        Self { input, remaining: length, chunk_bytes: FIRST_CHUNK_BYTES, hasher: Hasher::new(digests) }
    }

    /// Reads the next chunk. The last chunk is returned only if the file has not changed.
    fn read(mut self) -> Result<Chunk, PayloadError> {
        let length = usize::try_from(self.remaining).map_or(self.chunk_bytes, |rest| rest.min(self.chunk_bytes));
        // Bytes in memory take no buffer.
        let length = if let Input::File { .. } = self.input { buffer::chunk_length(length) } else { length };
        self.chunk_bytes = CHUNK_BYTES;
        let bytes = self.input.read(length)?;
        self.hasher.update(&bytes);
        self.remaining -= length as u64;
        if self.remaining > 0 {
            return Ok(Chunk { bytes, rest: Rest::More(Box::new(self)) });
        }
        self.input.check_unchanged()?;
        Ok(Chunk { bytes, rest: Rest::End(self.hasher.finish()) })
    }
}

impl Input {
    fn read(&mut self, length: usize) -> Result<Bytes, PayloadError> {
        match self {
            Self::Memory(bytes) => Ok(bytes.split_to(length)),
            Self::File { file, .. } => {
                let read = buffer::fill(length, |buffer| file.read_exact(buffer));
                read.map_err(|error| match error.kind() {
                    io::ErrorKind::UnexpectedEof => PayloadError::Shrank,
                    _ => error.into(),
                })
            }
        }
    }

    fn check_unchanged(&self) -> Result<(), PayloadError> {
        let Self::File { file, state } = self else { return Ok(()) };
        let now = FileState::of(&file.metadata()?);
        match now.length.cmp(&state.length) {
            Ordering::Less => Err(PayloadError::Shrank),
            Ordering::Greater => Err(PayloadError::Grew),
            Ordering::Equal if now != *state => Err(PayloadError::Changed),
            Ordering::Equal => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Duration;

    use super::*;
    use crate::fault::{Fault, FaultKind};

    /// Reads a file of two chunks, which is changed in between.
    #[track_caller]
    fn check(change: impl FnOnce(&mut File), error: Option<&str>) {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        let content = vec![7; FIRST_CHUNK_BYTES + CHUNK_BYTES / 2];
        file.write_all(&content).expect("written");
        let opened = open_file(file.path(), Digests::ALL).expect("opened");
        assert_eq!(opened.length, content.len() as u64);
        let Chunk { bytes, rest: Rest::More(reader) } = opened.chunk else { panic!("there is more") };
        assert_eq!(bytes, content[..FIRST_CHUNK_BYTES]);
        change(file.as_file_mut());
        match (reader.read(), error) {
            (Ok(Chunk { bytes, rest: Rest::End(checksums) }), None) => {
                assert!(bytes == content[FIRST_CHUNK_BYTES..]);
                assert_eq!(checksums.crc32c, Some(crc32c::crc32c(&content)));
            }
            (Err(found), Some(error)) => {
                let fault = Fault::from(found);
                assert_eq!((fault.kind(), fault.detail()), (FaultKind::Changed, error));
            }
            (found, _) => panic!("{:?}", found.map(|chunk| chunk.bytes.len())),
        }
    }

    #[test]
    fn u6_the_last_piece_of_a_file_that_changed_is_kept_back() {
        let length = (FIRST_CHUNK_BYTES + CHUNK_BYTES / 2) as u64;
        let later =
            |file: &File| file.metadata().expect("metadata").modified().expect("a time") + Duration::from_nanos(1);
        check(|_| {}, None);
        check(|file| file.set_len(length - 1).expect("shorter"), Some("it shrank"));
        check(|file| file.set_len(0).expect("empty"), Some("it shrank"));
        check(|file| file.set_len(length + 1).expect("longer"), Some("it grew"));
        check(|file| file.write_all(b"x").expect("appended"), Some("it grew"));
        check(|file| file.set_modified(later(file)).expect("touched"), Some("it was changed"));
        // The file is changed, and its time of modification is set back.
        #[cfg(unix)]
        check(
            |file| {
                let state = || FileState::of(&file.metadata().expect("metadata"));
                let before = state();
                // The times of file systems move on in steps of some milliseconds.
                while state() == before {
                    file.set_modified(before.modified.expect("a time")).expect("as before");
                }
            },
            Some("it was changed"),
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn u6_a_file_that_says_it_is_empty_is_read_to_its_end() {
        let opened = open_file(Path::new("/proc/self/status"), Digests::NONE).expect("opened");
        assert!(opened.length > 100, "{}", opened.length);
        assert_eq!(opened.chunk.bytes.len() as u64, opened.length);
        let endless = open_file(Path::new("/proc/self/pagemap"), Digests::NONE).map(|opened| opened.length);
        assert!(endless.is_err(), "{endless:?}");
    }
}
