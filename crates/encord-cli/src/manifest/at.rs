//! A file that several read at once, each from its own place.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

/// Reads a shared file from its start, wherever others are in it.
#[derive(Debug)]
pub(super) struct At {
    file: Arc<File>,
    offset: u64,
}

impl At {
    pub(super) fn start_of(file: Arc<File>) -> Self {
        Self { file, offset: 0 }
    }
}

impl Read for At {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(&*self.file, buffer, self.offset)?;
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(&*self.file, buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}
