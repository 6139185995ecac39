//! Reusable buffers for reading files. Without reuse, the allocator returns a freed buffer of this size to the system, and each
//! new buffer costs one page fault per 4 KiB.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// How much is read at once. The size is large enough that the disk limits the speed, not the switch between threads. While one
/// chunk is sent the next one is read, so an upload holds at most three chunks and never the whole file.
pub(super) const CHUNK: usize = 1024 * 1024;

/// The size of the first chunk. It is shorter, so that sending starts early and small files take little memory.
pub(super) const FIRST: usize = 256 * 1024;

/// How much is read at once while all buffers together have reached their limit.
const SHORTEST_CHUNK: usize = 32 * 1024;

/// How much all uploads of the process read ahead together. Beyond this limit each upload holds at most three of the shortest
/// chunks: 256 uploads of large files take 24 MiB.
const MAX_READ_AHEAD_BYTES: usize = 16 * 1024 * 1024;

/// Shorter buffers are not reused: the allocator does not return memory of this size to the system.
const SMALL: usize = 32 * 1024;

/// The unused buffers.
static IDLE: [Shelf; 4] =
    [Shelf::of(SHORTEST_CHUNK, 128), Shelf::of(64 * 1024, 64), Shelf::of(FIRST, 16), Shelf::of(CHUNK, 4)];

/// The bytes of all buffers in use.
static IN_USE: AtomicUsize = AtomicUsize::new(0);

/// The unused buffers of one size, at most 4 MiB in all.
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

/// Returns how many of the `wanted` bytes may be read at once now.
pub(super) fn length_now(wanted: usize) -> usize {
    length_of_chunk(wanted, IN_USE.load(Relaxed))
}

fn length_of_chunk(wanted: usize, in_use: usize) -> usize {
    // Each read gets at most an eighth of the free bytes, so that many uploads get small chunks before no byte is free.
    let share = MAX_READ_AHEAD_BYTES.saturating_sub(in_use) / 8;
    let fits = IDLE.iter().map(|shelf| shelf.size).filter(|size| *size <= share).max();
    wanted.min(fits.unwrap_or(SHORTEST_CHUNK))
}

/// Returns `length` bytes that `read` has filled, at most [`CHUNK`].
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
        assert_eq!(length_of_chunk(CHUNK, MAX_READ_AHEAD_BYTES / 2), CHUNK);
        assert_eq!(length_of_chunk(CHUNK, MAX_READ_AHEAD_BYTES / 2 + 1), FIRST);
        assert_eq!(length_of_chunk(CHUNK, MAX_READ_AHEAD_BYTES - 1), SHORTEST_CHUNK);
        assert_eq!(length_of_chunk(CHUNK, 2 * MAX_READ_AHEAD_BYTES), SHORTEST_CHUNK);
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
