//! The MD5 of a file that has not been read for sending.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Weak};

use encord_http::FileState;
use md5::{Digest, Md5};
use tokio::task::spawn_blocking;

/// The MD5 of a file, and which state of the file has it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Md5Of {
    pub(crate) file: FileState,
    pub(crate) md5: [u8; 16],
}

/// The MD5 of a file as it is now: what is `known`, if the file is still as it was, else it is read to its end. A call that is
/// dropped stops reading, so that nobody has to wait for the rest.
pub(crate) async fn md5_of(path: &Path, known: Option<Md5Of>) -> io::Result<Md5Of> {
    let (path, waiting) = (path.to_owned(), Arc::new(()));
    let wanted = Arc::downgrade(&waiting);
    let read = spawn_blocking(move || read(&path, known, &wanted)).await;
    drop(waiting);
    read.unwrap_or_else(|error| Err(io::Error::other(error)))
}

fn read(path: &Path, known: Option<Md5Of>, wanted: &Weak<()>) -> io::Result<Md5Of> {
    let metadata = path.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let is_same = |known: &Md5Of| known.file.modified.is_some() && known.file == FileState::of(&metadata);
    if let Some(known) = known.filter(is_same) {
        return Ok(known);
    }
    let file = File::open(path)?;
    let state = FileState::of(&file.metadata()?);
    Ok(Md5Of { file: state, md5: digest(file, state.length, wanted)? })
}

/// The MD5 of exactly so many bytes.
fn digest(file: impl Read, length: u64, wanted: &Weak<()>) -> io::Result<[u8; 16]> {
    // A file that grows has no end; the byte more tells that it does.
    let mut file = file.take(length.saturating_add(1));
    let (mut md5, mut digested) = (Md5::new(), 0);
    let mut buffer = vec![0; 64 * 1024];
    while wanted.strong_count() > 0 {
        match file.read(&mut buffer) {
            Ok(0) if digested == length => return Ok(md5.finalize().into()),
            Ok(0) => return Err(io::Error::other("it changed while it was read")),
            Ok(read) => {
                md5.update(&buffer[..read]);
                digested += read as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Err(io::Error::other("nobody waits for it any more"))
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;
    use std::time::{Duration, Instant};

    use super::*;

    struct NeverRead;

    impl Read for NeverRead {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("read too far"))
        }
    }

    #[test]
    fn exactly_the_bytes_of_a_file_are_digested() {
        #[track_caller]
        fn check(file: impl Read, length: u64, expected: Result<[u8; 4], &str>) {
            let waiting = Arc::new(());
            let md5 = digest(file, length, &Arc::downgrade(&waiting)).map_err(|error| error.to_string());
            assert_eq!(md5.map(|md5| [md5[0], md5[1], md5[2], md5[3]]), expected.map_err(str::to_owned));
        }
        const CHANGED: Result<[u8; 4], &str> = Err("it changed while it was read");
        check(&b"123456789"[..], 9, Ok([0x25, 0xf9, 0xe7, 0x94]));
        check(io::empty(), 0, Ok([0xd4, 0x1d, 0x8c, 0xd9]));
        check(&b"12345678"[..], 9, CHANGED);
        check(&b"1234567890"[..], 9, CHANGED);
        // It has no end; so it is not read on for long.
        check(io::repeat(7).take(200_000).chain(NeverRead), 100_000, CHANGED);
    }

    #[tokio::test]
    async fn a_file_that_is_as_it_was_is_not_read_again() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let known = Md5Of { file: FileState::of(&file.as_file().metadata().expect("metadata")), md5: [7; 16] };
        assert_eq!(md5_of(file.path(), Some(known)).await.expect("known").md5, [7; 16]);
        file.as_file().set_len(1).expect("longer");
        assert_ne!(md5_of(file.path(), Some(known)).await.expect("read").md5, [7; 16]);
    }

    #[test]
    fn a_call_that_is_dropped_stops_reading() {
        assert!(digest(&b"x"[..], 1, &Weak::new()).is_err());

        let file = tempfile::NamedTempFile::new().expect("a file");
        file.as_file().set_len(1 << 36).expect("a hole, which takes minutes to read");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let mut call = pin!(md5_of(file.path(), None));
            let is_pending = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_pending())).await;
            assert!(is_pending);
        });
        let began = Instant::now();
        // Waits for what was begun.
        drop(runtime);
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}
