//! Reads and hashes files, and hashes bytes in memory, one chunk at a time on the [`Readers`].

use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;

use super::buffer::{self, CHUNK, FIRST};
use super::error::PayloadError;
use super::readers::{Read as Work, Readers};
use crate::digest::{Digests, FileState, Hasher, Sums};

/// How much of a file with a stated length of 0 is read: 16 MiB.
const MAX_UNSIZED: u64 = 16 * 1024 * 1024;

/// A payload with one chunk that is read or is being read.
pub(super) struct Reading {
    readers: Readers,
    state: State,
}

enum State {
    Read(Chunk),
    Under(Work<Result<Chunk, PayloadError>>),
    Over(Sums),
}

/// A payload whose first chunk is read.
pub(super) struct Begun {
    pub(super) length: u64,
    pub(super) file: Option<FileState>,
    pub(super) reading: Reading,
}

/// A payload that has just been opened, with its first chunk.
struct First {
    length: u64,
    file: Option<FileState>,
    chunk: Chunk,
}

struct Chunk {
    bytes: Bytes,
    then: Then,
}

enum Then {
    More(Box<Rest>),
    End(Sums),
}

/// The part of a payload that has not been read yet.
struct Rest {
    source: Source,
    remaining: u64,
    /// How much to read next.
    next: usize,
    hasher: Hasher,
}

enum Source {
    File { file: File, state: FileState },
    Memory(Bytes),
}

impl Reading {
    /// Opens a file and reads its first chunk in one job, so that a small file needs only one job.
    pub(super) async fn file(path: Arc<Path>, digests: Digests, readers: &Readers) -> Result<Begun, PayloadError> {
        Self::opened(readers, readers.start(move || open_file(&path, digests))).await
    }

    /// Hashes the first chunk.
    pub(super) async fn memory(bytes: Bytes, digests: Digests, readers: &Readers) -> Result<Begun, PayloadError> {
        let length = bytes.len() as u64;
        let rest = Rest::of(Source::Memory(bytes), length, digests);
        let first = move || Ok(First { length, file: None, chunk: rest.read()? });
        Self::opened(readers, readers.start(first)).await
    }

    async fn opened(readers: &Readers, first: Work<Result<First, PayloadError>>) -> Result<Begun, PayloadError> {
        let First { length, file, chunk } = first.await.map_err(io::Error::other)??;
        let reading = Self { readers: readers.clone(), state: State::Read(chunk) };
        Ok(Begun { length, file, reading })
    }

    /// Returns the next chunk. Must not be called after the last chunk.
    pub(super) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, PayloadError>> {
        let chunk = match std::mem::replace(&mut self.state, State::Over(Sums::default())) {
            State::Read(chunk) => chunk,
            State::Under(mut work) => match Pin::new(&mut work).poll(cx) {
                Poll::Ready(chunk) => chunk.map_err(io::Error::other)??,
                Poll::Pending => {
                    self.state = State::Under(work);
                    return Poll::Pending;
                }
            },
            State::Over(_) => return Poll::Ready(Err(PayloadError::Shrank)),
        };
        self.state = match chunk.then {
            Then::More(rest) => State::Under(self.readers.start(move || rest.read())),
            Then::End(sums) => State::Over(sums),
        };
        Poll::Ready(Ok(chunk.bytes))
    }

    /// The checksums, once the last chunk is read.
    pub(super) fn sums(&self) -> Sums {
        match &self.state {
            State::Over(sums) | State::Read(Chunk { then: Then::End(sums), .. }) => *sums,
            State::Under(_) | State::Read(_) => Sums::default(),
        }
    }
}

fn open_file(path: &Path, digests: Digests) -> Result<First, PayloadError> {
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
            let chunk = Rest::of(Source::Memory(bytes), length, digests).read()?;
            return Ok(First { length, file: Some(state), chunk });
        }
    }
    let source = Source::File { file, state };
    let chunk = Rest::of(source, length, digests).read()?;
    Ok(First { length, file: Some(state), chunk })
}

/// Reads the whole of a file whose stated length is wrong.
fn read_unsized(file: &mut File) -> Result<Bytes, PayloadError> {
    let mut bytes = Vec::new();
    file.take(MAX_UNSIZED + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_UNSIZED { Err(PayloadError::TooMuch) } else { Ok(bytes.into()) }
}

impl Rest {
    fn of(source: Source, length: u64, digests: Digests) -> Self {
        Self { source, remaining: length, next: FIRST, hasher: Hasher::new(digests) }
    }

    /// Reads the next chunk. The last chunk is returned only if the file has not changed.
    fn read(mut self) -> Result<Chunk, PayloadError> {
        let length = usize::try_from(self.remaining).map_or(self.next, |remaining| remaining.min(self.next));
        let length = buffer::length_now(length);
        self.next = CHUNK;
        let bytes = self.source.take(length)?;
        self.hasher.update(&bytes);
        self.remaining -= length as u64;
        if self.remaining > 0 {
            return Ok(Chunk { bytes, then: Then::More(Box::new(self)) });
        }
        self.source.check()?;
        Ok(Chunk { bytes, then: Then::End(self.hasher.finish()) })
    }
}

impl Source {
    fn take(&mut self, length: usize) -> Result<Bytes, PayloadError> {
        match self {
            Self::Memory(bytes) => Ok(bytes.split_to(length)),
            Self::File { file, .. } => {
                let read = buffer::filled(length, |buffer| file.read_exact(buffer));
                read.map_err(|error| match error.kind() {
                    io::ErrorKind::UnexpectedEof => PayloadError::Shrank,
                    _ => error.into(),
                })
            }
        }
    }

    fn check(&self) -> Result<(), PayloadError> {
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
        let content = vec![7; FIRST + CHUNK / 2];
        file.write_all(&content).expect("written");
        let opened = open_file(file.path(), Digests::ALL).expect("opened");
        assert_eq!(opened.length, content.len() as u64);
        let Chunk { bytes, then: Then::More(rest) } = opened.chunk else { panic!("there is more") };
        assert_eq!(bytes, content[..FIRST]);
        change(file.as_file_mut());
        match (rest.read(), error) {
            (Ok(Chunk { bytes, then: Then::End(sums) }), None) => {
                assert!(bytes == content[FIRST..]);
                assert_eq!(sums.crc32c, Some(crc32c::crc32c(&content)));
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
        let length = (FIRST + CHUNK / 2) as u64;
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
                let before = file.metadata().expect("metadata").modified().expect("a time");
                std::thread::sleep(Duration::from_millis(20));
                file.set_modified(before).expect("as before");
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
        let endless = open_file(Path::new("/proc/self/pagemap"), Digests::NONE).map(|first| first.length);
        assert!(endless.is_err(), "{endless:?}");
    }
}
