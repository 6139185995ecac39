//! The MD5 of a file that has not been read for sending.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use md5::{Digest, Md5};

/// The MD5 of a file, and which state of the file has it.
#[derive(Debug)]
pub(crate) struct Md5Of {
    pub(crate) length: u64,
    pub(crate) modified: Option<SystemTime>,
    pub(crate) md5: [u8; 16],
}

/// Reads a file to its end. Blocks.
pub(crate) fn md5_of(path: &Path) -> io::Result<Md5Of> {
    if !path.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    let (mut md5, mut length) = (Md5::new(), 0);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        md5.update(&buffer[..read]);
        length += read as u64;
    }
    Ok(Md5Of { length, modified: metadata.modified().ok(), md5: md5.finalize().into() })
}
