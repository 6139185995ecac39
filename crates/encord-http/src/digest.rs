//! Checksums of payloads and files, and the states of files.

use std::fs::Metadata;
use std::time::SystemTime;

use md5::{Digest, Md5};

/// Which checksums of a payload to compute while it is read. Default: none, which costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Digests {
    /// CRC-32C (Castagnoli, RFC 3720 §12.1): `x-goog-hash: crc32c` of Google Cloud Storage, `x-amz-checksum-crc32c` of S3.
    pub crc32c: bool,
    /// MD5 (RFC 1321): `Content-MD5`, and the `ETag` of most objects that were uploaded by one request.
    pub md5: bool,
}

/// The payload of one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Sent {
    /// The length in bytes. 0 if it was a stream of unknown length.
    pub length: u64,
    /// The state of the file when it was opened. `None` if the payload was not a file.
    pub file: Option<FileState>,
    /// Whether the operating system had taken the whole payload before the answer arrived. A server that answers earlier has not
    /// seen the whole payload.
    pub complete: bool,
    /// The checksums, if the payload is complete.
    pub checksums: Checksums,
}

/// The metadata of a file that show whether it has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct FileState {
    /// The length in bytes, as the file system states it.
    pub length: u64,
    /// When the content was last modified. A program can set this time.
    pub modified: Option<SystemTime>,
    /// When the file was last changed in any way, on Unix. A program cannot set this time.
    pub changed: Option<SystemTime>,
    /// The number of the file in its file system, on Unix.
    pub inode: Option<u64>,
}

impl FileState {
    /// Returns the state of a file with this metadata.
    pub fn of(metadata: &Metadata) -> Self {
        let (length, modified) = (metadata.len(), metadata.modified().ok());
        #[cfg(unix)]
        let (changed, inode) = (changed(metadata), Some(std::os::unix::fs::MetadataExt::ino(metadata)));
        #[cfg(not(unix))]
        let (changed, inode) = (None, None);
        Self { length, modified, changed, inode }
    }
}

#[cfg(unix)]
fn changed(metadata: &Metadata) -> Option<SystemTime> {
    use std::os::unix::fs::MetadataExt;
    use std::time::{Duration, UNIX_EPOCH};

    let seconds = Duration::from_secs(metadata.ctime().unsigned_abs());
    let second = if metadata.ctime() < 0 { UNIX_EPOCH.checked_sub(seconds) } else { UNIX_EPOCH.checked_add(seconds) };
    second?.checked_add(Duration::from_nanos(metadata.ctime_nsec().unsigned_abs()))
}

impl Digests {
    /// No checksum.
    pub const NONE: Self = Self { crc32c: false, md5: false };
    /// Every checksum.
    pub const ALL: Self = Self { crc32c: true, md5: true };
}

/// The checksums of a payload that was read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Checksums {
    /// The CRC-32C, if it was asked for.
    pub crc32c: Option<u32>,
    /// The MD5, if it was asked for.
    pub md5: Option<[u8; 16]>,
}

/// Computes the requested checksums, piece by piece.
pub(crate) struct Hasher {
    crc32c: Option<u32>,
    md5: Option<Md5>,
}

impl Hasher {
    /// Returns `None` if no checksum is requested.
    pub(crate) fn wanted(digests: Digests) -> Option<Self> {
        (digests != Digests::NONE).then(|| Self::new(digests))
    }

    pub(crate) fn new(Digests { crc32c, md5 }: Digests) -> Self {
        Self { crc32c: crc32c.then_some(0), md5: md5.then(Md5::new) }
    }

    pub(crate) fn update(&mut self, piece: &[u8]) {
        if let Some(sum) = &mut self.crc32c {
            *sum = crc32c::crc32c_append(*sum, piece);
        }
        if let Some(md5) = &mut self.md5 {
            md5.update(piece);
        }
    }

    pub(crate) fn finish(self) -> Checksums {
        Checksums { crc32c: self.crc32c, md5: self.md5.map(|md5| md5.finalize().into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &[u8], crc32c: u32, md5: &str) {
        for digests in [Digests::NONE, Digests { md5: true, ..Digests::NONE }, Digests::ALL] {
            for piece in [1, 3, text.len().max(1)] {
                let mut hasher = Hasher::new(digests);
                text.chunks(piece).for_each(|piece| hasher.update(piece));
                let checksums = hasher.finish();
                assert_eq!(checksums.crc32c, digests.crc32c.then_some(crc32c));
                let hex = checksums.md5.map(|md5| md5.map(|byte| format!("{byte:02x}")).concat());
                assert_eq!(hex, digests.md5.then(|| md5.to_owned()));
            }
        }
    }

    /// The vectors of RFC 1321 §A.5, RFC 3720 §B.4, and the check value of CRC-32C.
    #[test]
    fn the_sums_are_those_of_the_standards() {
        check(b"", 0, "d41d8cd98f00b204e9800998ecf8427e");
        check(b"123456789", 0xe306_9283, "25f9e794323b453885f5181f1b624d0b");
        check(&[0; 32], 0x8a91_36aa, "70bc8f4b72a86921468bf8e8441dce51");
        check(&[0xff; 32], 0x62a8_ab43, "0d7dc4266497100e4831f5b31b6b274f");
    }
}
