//! Compares the hashes in a server's answer with those of the bytes that were sent.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use encord_http::header::ETAG;
use encord_http::{HeaderMap, HeaderName, Sent, SignatureKind};

/// The MD5 of a body (RFC 1864). The `http` crate has no constant for this header.
pub(crate) const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");

/// A hash, from a server's answer or computed from a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hash {
    Crc32c(u32),
    Md5([u8; 16]),
}

/// What a 2xx answer shows about the stored object (rule U11).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Proof {
    /// A hash of the object is equal to that of the file.
    Stored,
    /// A hash of the object differs from that of the file.
    Differs { header: &'static str, theirs: Hash, ours: Hash },
    /// The only hash is an `ETag` that is the MD5 of the file.
    EtagIsMd5,
    /// The only hash is an `ETag` that looks like an MD5, but is not that of the file.
    EtagDiffers { theirs: Hash, ours: Hash },
    /// There is no hash to compare.
    None,
}

/// Compares the hashes in an answer. A hash that cannot be read is ignored.
///
/// These are hashes of the object:
/// - `x-goog-hash`: `crc32c=` and `md5=`, base64, big-endian; of Google Cloud Storage.
/// - `x-amz-checksum-crc32c`: base64, big-endian; of S3.
/// - `Content-MD5`: base64 (RFC 1864), if the URL is signed for Azure. Other servers put the hash of the answer's own body there.
///
/// The `ETag` may be a hash of the object: a hexadecimal MD5, if the URL is signed for S3 and the object is not encrypted with a
/// key that is not S3's own. Many S3-compatible stores send a different value that looks the same.
pub(crate) fn compare(signature: Option<SignatureKind>, headers: &HeaderMap, sent: &Sent) -> Proof {
    let mut proof = Proof::None;
    for (header, theirs) in stated(signature, headers) {
        match theirs.of(sent) {
            Some(ours) if ours == theirs => proof = Proof::Stored,
            Some(ours) => return Proof::Differs { header, theirs, ours },
            None => {}
        }
    }
    match etag(signature, headers) {
        Some(theirs) if proof == Proof::None => match theirs.of(sent) {
            Some(ours) if ours == theirs => Proof::EtagIsMd5,
            Some(ours) => Proof::EtagDiffers { theirs, ours },
            None => Proof::None,
        },
        _ => proof,
    }
}

fn stated(signature: Option<SignatureKind>, headers: &HeaderMap) -> Vec<(&'static str, Hash)> {
    let mut stated = Vec::new();
    for value in headers.get_all("x-goog-hash").iter().filter_map(|value| value.to_str().ok()) {
        for hash in value.split(',') {
            let hash = match hash.trim().split_once('=') {
                Some(("crc32c", value)) => bytes(value).map(u32::from_be_bytes).map(Hash::Crc32c),
                Some(("md5", value)) => bytes(value).map(Hash::Md5),
                _ => None,
            };
            stated.extend(hash.map(|hash| ("x-goog-hash", hash)));
        }
    }
    let crc32c = text(headers, "x-amz-checksum-crc32c").and_then(bytes).map(u32::from_be_bytes);
    stated.extend(crc32c.map(|crc32c| ("x-amz-checksum-crc32c", Hash::Crc32c(crc32c))));
    if signature == Some(SignatureKind::AzureSas) {
        let md5 = text(headers, CONTENT_MD5.as_str()).and_then(bytes);
        stated.extend(md5.map(|md5| ("Content-MD5", Hash::Md5(md5))));
    }
    stated
}

fn etag(signature: Option<SignatureKind>, headers: &HeaderMap) -> Option<Hash> {
    let is_s3 = matches!(signature, Some(SignatureKind::S3V4 | SignatureKind::S3V2));
    let is_plain = text(headers, "x-amz-server-side-encryption").is_none_or(|kind| kind == "AES256")
        && text(headers, "x-amz-server-side-encryption-customer-algorithm").is_none();
    text(headers, ETAG.as_str()).filter(|_| is_s3 && is_plain).and_then(hexadecimal).map(Hash::Md5)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

impl Hash {
    /// Returns the same kind of hash of the sent bytes; `None` if it was not computed.
    fn of(self, sent: &Sent) -> Option<Self> {
        match self {
            Self::Crc32c(_) => sent.checksums.crc32c.map(Self::Crc32c),
            Self::Md5(_) => sent.checksums.md5.map(Self::Md5),
        }
    }
}

/// Returns the MD5 in the form of `Content-MD5`.
pub(crate) fn base64(md5: &[u8; 16]) -> String {
    BASE64_STANDARD.encode(md5)
}

/// Decodes standard base64 of exactly `N` bytes.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    BASE64_STANDARD.decode(text).ok()?.try_into().ok()
}

/// Reads a hexadecimal MD5, with or without quotes.
fn hexadecimal(etag: &str) -> Option<[u8; 16]> {
    let digits = etag.strip_prefix('"').and_then(|etag| etag.strip_suffix('"')).unwrap_or(etag);
    if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(digits, 16).ok().map(u128::to_be_bytes)
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crc32c(crc32c) => write!(f, "CRC32C {crc32c:08x}"),
            Self::Md5(md5) => write!(f, "MD5 {:032x}", u128::from_be_bytes(*md5)),
        }
    }
}

#[cfg(test)]
mod tests {
    use encord_http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn header_map(headers: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header value"))
        };
        headers.iter().map(pair).fold(HeaderMap::new(), |mut map, (name, value)| {
            map.append(name, value);
            map
        })
    }

    const CRC: Hash = Hash::Crc32c(0xe306_9283);
    const MD5: Hash = Hash::Md5(0x25f9_e794_323b_4538_85f5_181f_1b62_4d0b_u128.to_be_bytes());

    fn sent() -> Sent {
        let mut sent = Sent::default();
        let (Hash::Crc32c(crc32c), Hash::Md5(md5)) = (CRC, MD5) else { return sent };
        (sent.checksums.crc32c, sent.checksums.md5, sent.complete) = (Some(crc32c), Some(md5), true);
        sent
    }

    #[track_caller]
    fn check(signature: Option<SignatureKind>, headers: &[(&'static str, &str)], expected: Proof) {
        assert_eq!(compare(signature, &header_map(headers), &sent()), expected, "{headers:?}");
    }

    const GCS: Option<SignatureKind> = Some(SignatureKind::GcsV4);
    const S3: Option<SignatureKind> = Some(SignatureKind::S3V4);
    const AZURE: Option<SignatureKind> = Some(SignatureKind::AzureSas);

    #[test]
    fn u11_a_hash_that_means_the_object_decides() {
        for (signature, name, right, wrong, hash) in [
            (GCS, "x-goog-hash", "crc32c=4waSgw==", "crc32c=4waSgA==", CRC),
            (None, "x-goog-hash", "md5=JfnnlDI7RTiF9RgfG2JNCw==", "crc32c=4waSgw==,md5=AAAAlDI7RTiF9RgfG2JNCw==", MD5),
            (S3, "x-amz-checksum-crc32c", "4waSgw==", "4waSgA==", CRC),
            (AZURE, "content-md5", "JfnnlDI7RTiF9RgfG2JNCw==", "AAAAlDI7RTiF9RgfG2JNCw==", MD5),
        ] {
            check(signature, &[(name, right)], Proof::Stored);
            let proof = compare(signature, &header_map(&[(name, wrong)]), &sent());
            let Proof::Differs { header, ours, .. } = proof else { panic!("{name}: {proof:?}") };
            assert_eq!((header.to_ascii_lowercase().as_str(), ours), (name, hash));
        }
    }

    #[test]
    fn u11_what_does_not_mean_the_object_decides_nothing() {
        const OF_THE_ANSWER: (&str, &str) = ("content-md5", "AAAAlDI7RTiF9RgfG2JNCw==");
        for signature in [None, GCS, S3] {
            check(signature, &[OF_THE_ANSWER], Proof::None);
        }
        let right = ("etag", "\"25f9e794323b453885f5181f1b624d0b\"");
        let wrong = ("etag", "\"25f9e794323b453885f5181f1b624d0c\"");
        let theirs = Hash::Md5(0x25f9_e794_323b_4538_85f5_181f_1b62_4d0c_u128.to_be_bytes());
        check(S3, &[right], Proof::EtagIsMd5);
        check(S3, &[("etag", "25F9E794323B453885F5181F1B624D0B")], Proof::EtagIsMd5);
        check(S3, &[wrong], Proof::EtagDiffers { theirs, ours: MD5 });
        check(S3, &[wrong, ("x-amz-server-side-encryption", "AES256")], Proof::EtagDiffers { theirs, ours: MD5 });
        check(S3, &[wrong, ("x-amz-server-side-encryption", "aws:kms")], Proof::None);
        check(S3, &[wrong, ("x-amz-server-side-encryption-customer-algorithm", "AES256")], Proof::None);
        // Another hash decides.
        check(S3, &[wrong, ("x-amz-checksum-crc32c", "4waSgw==")], Proof::Stored);
        // An `ETag` can be any text, unless the store is known to be S3.
        for signature in [None, GCS, AZURE] {
            check(signature, &[wrong], Proof::None);
        }
        assert_eq!(compare(S3, &header_map(&[wrong]), &Sent::default()), Proof::None, "nothing was computed");
    }

    #[test]
    fn what_cannot_be_read_says_nothing() {
        for value in ["", "crc32c=", "crc32c=4waSgw", "crc32c=4waSgwA=", "md5=4waSgw==", "sha1=4waSgw==", "crc32c"] {
            check(None, &[("x-goog-hash", value)], Proof::None);
        }
        for etag in [
            "\"0x8D4BCC2E4835CD0\"",
            "\"25f9e794323b453885f5181f1b624d0b-2\"",
            "W/\"25f9\"",
            "+5f9e794323b453885f5181f1b624d0b",
        ] {
            check(S3, &[("etag", etag)], Proof::None);
        }
    }

    proptest! {
        /// An unreadable hash does not hide a readable one, in the same header or in another.
        #[test]
        fn hostile_headers_hide_nothing(junk in "[ -~]{0,60}|(crc32c|md5|[=,])[ -~]{0,20}") {
            let value = format!("{junk},crc32c=4waSgA==");
            let headers = header_map(&[
                ("x-goog-hash", &value), ("etag", &junk), ("content-md5", &junk), ("x-amz-checksum-crc32c", &junk),
            ]);
            let is_found = matches!(compare(S3, &headers, &sent()), Proof::Differs { .. });
            prop_assert!(is_found);
        }
    }
}
