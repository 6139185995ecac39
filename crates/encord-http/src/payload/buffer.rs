//! Buffers for what is read from files, used again: the allocator gives a buffer of this size back to the system when it is
//! freed, and the next one costs a page fault for every 4 KiB of it.

use std::io;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use super::reading::CHUNK;

/// Shorter ones are made by themselves: the allocator keeps memory of that size.
const SMALL: usize = 32 * 1024;

/// So many are kept for later, 8 MiB: two for each of 16 uploads at once.
const KEPT: usize = 32;

/// Those that nobody uses, all of them [`CHUNK`] long.
static IDLE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// A buffer in use.
struct Buffer {
    bytes: Vec<u8>,
    filled: usize,
}

/// Bytes that `read` fills, at most [`CHUNK`] of them.
pub(super) fn filled(length: usize, read: impl FnOnce(&mut [u8]) -> io::Result<()>) -> io::Result<Bytes> {
    if length < SMALL {
        let mut bytes = vec![0; length];
        read(&mut bytes)?;
        return Ok(bytes.into());
    }
    let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut buffer = Buffer { bytes: idle.unwrap_or_else(|| vec![0; CHUNK]), filled: length.min(CHUNK) };
    read(&mut buffer.bytes[..buffer.filled])?;
    Ok(Bytes::from_owner(buffer))
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_that_is_used_again_shows_nothing_of_before() {
        for round in 0..4_u8 {
            for length in [0, 1, SMALL - 1, SMALL, SMALL + 1, CHUNK] {
                let bytes = filled(length, |buffer| {
                    buffer.fill(round);
                    Ok(())
                });
                assert!(bytes.expect("filled") == vec![round; length]);
            }
        }
        let error = filled(CHUNK, |_| Err(io::ErrorKind::UnexpectedEof.into())).expect_err("not filled");
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert!(IDLE.lock().expect("not poisoned").iter().all(|idle| idle.len() == CHUNK));
    }
}
