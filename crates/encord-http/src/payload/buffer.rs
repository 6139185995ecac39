//! Buffers for what is read from files, used again: the allocator gives a buffer of this size back to the system when it is
//! freed, and the next one costs a page fault for every 4 KiB of it.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// How much is read at once: large enough that the disk and not the hand-over sets the pace. While one chunk is sent the next
/// is read, so an upload holds three of these at most and never the file.
pub(super) const CHUNK: usize = 1024 * 1024;

/// The first chunk is shorter, so that it is soon on its way, and files up to this take little memory.
pub(super) const FIRST: usize = 256 * 1024;

/// How much is read at once while all buffers together are at their limit.
const SHORTEST_CHUNK: usize = 32 * 1024;

/// All uploads of the process together read ahead so much. Beyond it each has three of the shortest chunks at most: 256 uploads of
/// large files take 24 MiB.
const MAX_READ_AHEAD_BYTES: usize = 16 * 1024 * 1024;

/// Shorter ones are made by themselves: the allocator keeps memory of that size.
const SMALL: usize = 32 * 1024;

/// Those that nobody uses.
static IDLE: [Shelf; 4] =
    [Shelf::of(SHORTEST_CHUNK, 128), Shelf::of(64 * 1024, 64), Shelf::of(FIRST, 16), Shelf::of(CHUNK, 4)];

/// The bytes of all buffers in use.
static IN_USE: AtomicUsize = AtomicUsize::new(0);

/// Buffers of one size, at most 4 MiB of them.
struct Shelf {
    size: usize,
    kept: usize,
    idle: Mutex<Vec<Vec<u8>>>,
}

/// A buffer in use.
struct Buffer {
    shelf: &'static Shelf,
    bytes: Vec<u8>,
    filled: usize,
}

/// How many of so many bytes are to be read at once now.
pub(super) fn length_now(wanted: usize) -> usize {
    length_of_chunk(wanted, IN_USE.load(Relaxed))
}

fn length_of_chunk(wanted: usize, in_use: usize) -> usize {
    if in_use + wanted <= MAX_READ_AHEAD_BYTES { wanted } else { wanted.min(SHORTEST_CHUNK) }
}

/// Bytes that `read` fills, at most [`CHUNK`] of them.
pub(super) fn filled(length: usize, read: impl FnOnce(&mut [u8]) -> io::Result<()>) -> io::Result<Bytes> {
    let shelf = IDLE.iter().find(|shelf| length <= shelf.size);
    let Some(shelf) = shelf.filter(|_| length >= SMALL) else {
        let mut bytes = vec![0; length];
        read(&mut bytes)?;
        return Ok(bytes.into());
    };
    let idle = shelf.lock().pop();
    IN_USE.fetch_add(shelf.size, Relaxed);
    let mut buffer = Buffer { shelf, bytes: idle.unwrap_or_else(|| vec![0; shelf.size]), filled: length };
    read(&mut buffer.bytes[..length])?;
    Ok(Bytes::from_owner(buffer))
}

impl Shelf {
    const fn of(size: usize, kept: usize) -> Self {
        Self { size, kept, idle: Mutex::new(Vec::new()) }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        IN_USE.fetch_sub(self.shelf.size, Relaxed);
        let mut idle = self.shelf.lock();
        if idle.len() < self.shelf.kept {
            idle.push(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u10_chunks_are_short_while_all_buffers_are_at_their_limit() {
        assert_eq!(length_of_chunk(CHUNK, 0), CHUNK);
        assert_eq!(length_of_chunk(CHUNK, MAX_READ_AHEAD_BYTES - CHUNK), CHUNK);
        assert_eq!(length_of_chunk(CHUNK, MAX_READ_AHEAD_BYTES - CHUNK + 1), SHORTEST_CHUNK);
        assert_eq!(length_of_chunk(1000, MAX_READ_AHEAD_BYTES), 1000);
    }

    #[test]
    fn a_buffer_that_is_used_again_shows_nothing_of_before() {
        for round in 0..4_u8 {
            for length in [0, 1, SMALL - 1, SMALL, SMALL + 1, FIRST, FIRST + 1, CHUNK] {
                let bytes = filled(length, |buffer| {
                    buffer.fill(round);
                    Ok(())
                });
                assert!(bytes.expect("filled") == vec![round; length]);
            }
        }
        let error = filled(CHUNK, |_| Err(io::ErrorKind::UnexpectedEof.into())).expect_err("not filled");
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        for shelf in &IDLE {
            let idle = shelf.lock();
            assert!(idle.len() <= shelf.kept && idle.iter().all(|idle| idle.len() == shelf.size));
        }
    }
}
