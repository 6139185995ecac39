//! Reusable buffers for reading files. Without reuse, the allocator returns a freed buffer of this size to the system, and each
//! new buffer costs one page fault per 4 KiB.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// How much is read at once. The size is large enough that the disk limits the speed, not the switch between threads. While one
/// chunk is sent the next one is read, so an upload holds at most three chunks and never the whole file.
pub(super) const CHUNK_BYTES: usize = 1024 * 1024;

/// The size of the first chunk. It is shorter, so that sending starts early and small files take little memory.
pub(super) const FIRST_CHUNK_BYTES: usize = 256 * 1024;

/// How much is read at once while all buffers together have reached their limit.
const MIN_CHUNK_BYTES: usize = 16 * 1024;

/// How much all uploads of the process read ahead together. Beyond this limit each upload reads [`MIN_CHUNK_BYTES`] at once.
/// hyper takes chunks until it has 64 KiB, and two more are read ahead, so 256 uploads of large files take 28 MiB more.
const MAX_READ_AHEAD_BYTES: usize = 8 * 1024 * 1024;

/// How much memory all buffers, used and unused, keep for the life of the process. They are kept because the allocator often
/// cannot give one thread the memory that another thread has freed. 256 uploads of large files need this much.
const MAX_KEPT_BYTES: usize = 36 * 1024 * 1024;

/// The unused buffers, by size.
static FREE_LISTS: [FreeList; 5] = [
    FreeList::new(MIN_CHUNK_BYTES),
    FreeList::new(32 * 1024),
    FreeList::new(64 * 1024),
    FreeList::new(FIRST_CHUNK_BYTES),
    FreeList::new(CHUNK_BYTES),
];

/// The bytes of all buffers in use.
static BYTES_IN_USE: AtomicUsize = AtomicUsize::new(0);

/// The bytes of all buffers, used and unused.
static BYTES_ALLOCATED: AtomicUsize = AtomicUsize::new(0);

/// The unused buffers of one size.
struct FreeList {
    buffer_bytes: usize,
    buffers: Mutex<Vec<Vec<u8>>>,
}

/// A buffer in use.
struct Buffer {
    list: &'static FreeList,
    bytes: Vec<u8>,
    filled: usize,
}

/// Returns how many of the `wanted` bytes may be read at once now.
pub(super) fn chunk_length(wanted: usize) -> usize {
    chunk_length_while(wanted, BYTES_IN_USE.load(Relaxed))
}

fn chunk_length_while(wanted: usize, bytes_in_use: usize) -> usize {
    // Each read gets at most a quarter of the free bytes, so that many uploads get small chunks before no byte is free.
    let share = MAX_READ_AHEAD_BYTES.saturating_sub(bytes_in_use) / 4;
    let largest = FREE_LISTS.iter().map(|list| list.buffer_bytes).filter(|bytes| *bytes <= share).max();
    wanted.min(largest.unwrap_or(MIN_CHUNK_BYTES))
}

/// Returns `length` bytes that `read` has written, at most [`CHUNK_BYTES`].
pub(super) fn fill(length: usize, read: impl FnOnce(&mut [u8]) -> io::Result<()>) -> io::Result<Bytes> {
    let list = FREE_LISTS.iter().find(|list| length <= list.buffer_bytes);
    let Some(list) = list.filter(|_| length >= MIN_CHUNK_BYTES) else {
        let mut bytes = vec![0; length];
        read(&mut bytes)?;
        return Ok(bytes.into());
    };
    let free = list.lock().pop();
    BYTES_IN_USE.fetch_add(list.buffer_bytes, Relaxed);
    let bytes = free.unwrap_or_else(|| {
        BYTES_ALLOCATED.fetch_add(list.buffer_bytes, Relaxed);
        vec![0; list.buffer_bytes]
    });
    let mut buffer = Buffer { list, bytes, filled: length };
    read(&mut buffer.bytes[..length])?;
    Ok(Bytes::from_owner(buffer))
}

impl FreeList {
    const fn new(buffer_bytes: usize) -> Self {
        Self { buffer_bytes, buffers: Mutex::new(Vec::new()) }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        BYTES_IN_USE.fetch_sub(self.list.buffer_bytes, Relaxed);
        if BYTES_ALLOCATED.load(Relaxed) > MAX_KEPT_BYTES {
            BYTES_ALLOCATED.fetch_sub(self.list.buffer_bytes, Relaxed);
        } else {
            self.list.lock().push(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u10_chunks_are_short_while_all_buffers_are_at_their_limit() {
        assert_eq!(chunk_length_while(CHUNK_BYTES, 0), CHUNK_BYTES);
        assert_eq!(chunk_length_while(CHUNK_BYTES, MAX_READ_AHEAD_BYTES / 2), CHUNK_BYTES);
        assert_eq!(chunk_length_while(CHUNK_BYTES, MAX_READ_AHEAD_BYTES / 2 + 1), FIRST_CHUNK_BYTES);
        assert_eq!(chunk_length_while(CHUNK_BYTES, MAX_READ_AHEAD_BYTES - 1), MIN_CHUNK_BYTES);
        assert_eq!(chunk_length_while(CHUNK_BYTES, 2 * MAX_READ_AHEAD_BYTES), MIN_CHUNK_BYTES);
        assert_eq!(chunk_length_while(1000, MAX_READ_AHEAD_BYTES), 1000);
    }

    #[test]
    fn a_buffer_that_is_used_again_shows_nothing_of_before() {
        for round in 0..4_u8 {
            for length in [
                0,
                1,
                MIN_CHUNK_BYTES - 1,
                MIN_CHUNK_BYTES,
                MIN_CHUNK_BYTES + 1,
                FIRST_CHUNK_BYTES,
                FIRST_CHUNK_BYTES + 1,
                CHUNK_BYTES,
            ] {
                let bytes = fill(length, |buffer| {
                    buffer.fill(round);
                    Ok(())
                });
                assert!(bytes.expect("filled") == vec![round; length]);
            }
        }
        let error = fill(CHUNK_BYTES, |_| Err(io::ErrorKind::UnexpectedEof.into())).expect_err("not filled");
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        for list in &FREE_LISTS {
            let free = list.lock();
            assert!(free.iter().all(|buffer| buffer.len() == list.buffer_bytes));
        }
    }

    #[test]
    fn u10_the_memory_that_is_kept_has_a_limit() {
        let used = || (0..64).map(|_| fill(CHUNK_BYTES, |_| Ok(())).expect("filled")).collect::<Vec<_>>();
        let held = used();
        assert!(BYTES_ALLOCATED.load(Relaxed) >= 64 * CHUNK_BYTES);
        drop(held);
        // Other tests of this process may hold a few at the moment.
        assert!(BYTES_ALLOCATED.load(Relaxed) <= MAX_KEPT_BYTES + 8 * CHUNK_BYTES);
        let kept: usize = FREE_LISTS.iter().map(|list| list.lock().len() * list.buffer_bytes).sum();
        assert!(kept <= MAX_KEPT_BYTES, "{kept}");
    }
}
