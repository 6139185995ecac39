//! Hashes an object while it is received, and compares the client's hashes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use md5::{Digest, Md5};

use crate::errors::Refused;

#[derive(Clone, Debug, Default)]
pub(crate) struct Digests {
    md5: Md5,
    crc32c: u32,
    size: u64,
}

/// The length and the hashes of a complete object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Digested {
    pub(crate) md5: [u8; 16],
    pub(crate) crc32c: u32,
    pub(crate) size: u64,
}

impl Digests {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.crc32c = crc32c::crc32c_append(self.crc32c, bytes);
        self.size += bytes.len() as u64;
    }

    pub(crate) fn digested(&self) -> Digested {
        let Self { md5, crc32c, size } = self;
        Digested { md5: md5.clone().finalize().into(), crc32c: *crc32c, size: *size }
    }
}

/// The hashes in the headers of an upload: `Content-MD5`, and MD5 and CRC-32C in `x-goog-hash`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Claims {
    md5: Vec<[u8; 16]>,
    crc32c: Vec<[u8; 4]>,
}

impl Claims {
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, Refused> {
        let mut claims = Self::default();
        for value in headers.get_all("content-md5") {
            claims.md5.push(decoded(value.as_bytes())?);
        }
        for value in headers.get_all("x-goog-hash") {
            let value = value.to_str().map_err(|_| Refused::InvalidDigest)?;
            for hash in value.split(',').map(str::trim) {
                match hash.split_once('=') {
                    Some(("md5", hash)) => claims.md5.push(decoded(hash.as_bytes())?),
                    Some(("crc32c", hash)) => claims.crc32c.push(decoded(hash.as_bytes())?),
                    _ => return Err(Refused::InvalidDigest),
                }
            }
        }
        Ok(claims)
    }

    pub(crate) fn check(&self, digested: &Digested) -> Result<(), Refused> {
        let crc32c = digested.crc32c.to_be_bytes();
        let good = self.md5.iter().all(|md5| *md5 == digested.md5) && self.crc32c.iter().all(|crc| *crc == crc32c);
        if good { Ok(()) } else { Err(Refused::BadDigest) }
    }
}

fn decoded<const N: usize>(base64: &[u8]) -> Result<[u8; N], Refused> {
    STANDARD.decode(base64).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(Refused::InvalidDigest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The specifications state the MD5 and the CRC-32C (Castagnoli) of "123456789".
    #[test]
    fn hashes_are_those_of_the_specifications() {
        let mut digests = Digests::default();
        digests.update(b"1234");
        digests.update(b"56789");
        let Digested { md5, crc32c, size } = digests.digested();
        assert_eq!(crate::sign::hex(&md5), "25f9e794323b453885f5181f1b624d0b");
        assert_eq!((crc32c, size), (0xe306_9283, 9));
    }

    #[test]
    fn claims_are_checked() {
        #[track_caller]
        fn check(headers: &[(&'static str, &'static str)], expected: &Result<(), Refused>) {
            let mut digests = Digests::default();
            digests.update(b"123456789");
            let headers: HeaderMap = headers.iter().map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap())).collect();
            let claims = Claims::read(&headers);
            assert_eq!(claims.and_then(|claims| claims.check(&digests.digested())), *expected, "{headers:?}");
        }
        check(&[], &Ok(()));
        check(&[("content-md5", "JfnnlDI7RTiF9RgfG2JNCw==")], &Ok(()));
        check(&[("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")], &Err(Refused::BadDigest));
        check(&[("content-md5", "JfnnlDI7RTiF9RgfG2JN")], &Err(Refused::InvalidDigest));
        check(&[("content-md5", "?")], &Err(Refused::InvalidDigest));
        check(&[("x-goog-hash", "crc32c=4waSgw==,md5=JfnnlDI7RTiF9RgfG2JNCw==")], &Ok(()));
        check(&[("x-goog-hash", "crc32c=4waSgA==")], &Err(Refused::BadDigest));
        check(&[("x-goog-hash", "sha1=4waSgA==")], &Err(Refused::InvalidDigest));
    }
}
