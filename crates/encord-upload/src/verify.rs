//! What a server's answer says about the bytes it stored, compared with the bytes that were sent.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use encord_http::header::ETAG;
use encord_http::{HeaderMap, HeaderName, Sent, SignatureKind};

/// The MD5 of a body (RFC 1864), which the `http` crate has no name for.
pub(crate) const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");

/// A hash, as a server states it or as it was computed from a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hash {
    Crc32c(u32),
    Md5([u8; 16]),
}

/// A hash in an answer, and the header that states it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stated {
    pub(crate) header: &'static str,
    pub(crate) hash: Hash,
}

/// Every hash that an answer states. What cannot be read is no statement.
///
/// - `x-goog-hash`: `crc32c=` and `md5=`, base64, big-endian; of Google Cloud Storage.
/// - `x-amz-checksum-crc32c`: base64, big-endian; of S3.
/// - `Content-MD5`: base64 (RFC 1864); of Azure, and whoever else sends it.
/// - `ETag`: hexadecimal MD5, for a URL signed for S3, unless the object is encrypted with a key that is not S3's own: then it
///   is something else that looks the same.
pub(crate) fn stated(signature: Option<SignatureKind>, headers: &HeaderMap) -> Vec<Stated> {
    let mut stated = Vec::new();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    for value in headers.get_all("x-goog-hash").iter().filter_map(|value| value.to_str().ok()) {
        for entry in value.split(',') {
            let hash = match entry.trim().split_once('=') {
                Some(("crc32c", value)) => bytes(value).map(u32::from_be_bytes).map(Hash::Crc32c),
                Some(("md5", value)) => bytes(value).map(Hash::Md5),
                _ => None,
            };
            stated.extend(hash.map(|hash| Stated { header: "x-goog-hash", hash }));
        }
    }
    if let Some(crc32c) = text("x-amz-checksum-crc32c").and_then(bytes).map(u32::from_be_bytes) {
        stated.push(Stated { header: "x-amz-checksum-crc32c", hash: Hash::Crc32c(crc32c) });
    }
    if let Some(md5) = text(CONTENT_MD5.as_str()).and_then(bytes) {
        stated.push(Stated { header: "Content-MD5", hash: Hash::Md5(md5) });
    }
    if matches!(signature, Some(SignatureKind::S3V4 | SignatureKind::S3V2))
        && text("x-amz-server-side-encryption").is_none_or(|kind| kind == "AES256")
        && text("x-amz-server-side-encryption-customer-algorithm").is_none()
        && let Some(md5) = text(ETAG.as_str()).and_then(hexadecimal)
    {
        stated.push(Stated { header: "ETag", hash: Hash::Md5(md5) });
    }
    stated
}

/// Whether a statement holds for what was sent; `None` when that hash was not computed.
pub(crate) fn holds(stated: &Stated, sent: &Sent) -> Option<bool> {
    match stated.hash {
        Hash::Crc32c(theirs) => sent.crc32c.map(|ours| ours == theirs),
        Hash::Md5(theirs) => sent.md5.map(|ours| ours == theirs),
    }
}

/// As `Content-MD5` has it.
pub(crate) fn base64(md5: &[u8; 16]) -> String {
    BASE64_STANDARD.encode(md5)
}

/// Standard base64 of exactly so many bytes.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    BASE64_STANDARD.decode(text).ok()?.try_into().ok()
}

/// A quoted or bare MD5 in hexadecimal.
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

    #[track_caller]
    fn check(signature: Option<SignatureKind>, headers: &[(&'static str, &str)], expected: &[&str]) {
        let stated = stated(signature, &header_map(headers));
        let texts: Vec<String> = stated.iter().map(|s| format!("{}: {}", s.header, s.hash)).collect();
        assert_eq!(texts, expected, "{headers:?}");
    }

    #[test]
    fn hashes_are_found_where_each_store_states_them() {
        const CRC: &str = "CRC32C e3069283";
        const MD5: &str = "MD5 25f9e794323b453885f5181f1b624d0b";
        let (gcs, s3) = (Some(SignatureKind::GcsV4), Some(SignatureKind::S3V4));
        let both = [format!("x-goog-hash: {CRC}"), format!("x-goog-hash: {MD5}")];
        let both = [both[0].as_str(), both[1].as_str()];
        check(gcs, &[("x-goog-hash", "crc32c=4waSgw==,md5=JfnnlDI7RTiF9RgfG2JNCw==")], &both);
        check(None, &[("x-goog-hash", "crc32c=4waSgw=="), ("x-goog-hash", "md5=JfnnlDI7RTiF9RgfG2JNCw==")], &both);
        check(s3, &[("x-amz-checksum-crc32c", "4waSgw==")], &[&format!("x-amz-checksum-crc32c: {CRC}")]);
        check(None, &[("content-md5", "JfnnlDI7RTiF9RgfG2JNCw==")], &[&format!("Content-MD5: {MD5}")]);

        let etag = ("etag", "\"25f9e794323b453885f5181f1b624d0b\"");
        check(s3, &[etag], &[&format!("ETag: {MD5}")]);
        check(s3, &[("etag", "25F9E794323B453885F5181F1B624D0B")], &[&format!("ETag: {MD5}")]);
        check(s3, &[etag, ("x-amz-server-side-encryption", "AES256")], &[&format!("ETag: {MD5}")]);
        check(s3, &[etag, ("x-amz-server-side-encryption", "aws:kms")], &[]);
        check(s3, &[etag, ("x-amz-server-side-encryption-customer-algorithm", "AES256")], &[]);
        // An ETag is anything the server likes, unless the server is known.
        check(None, &[etag], &[]);
        check(gcs, &[etag], &[]);
        check(Some(SignatureKind::AzureSas), &[etag], &[]);
    }

    #[test]
    fn what_cannot_be_read_states_nothing() {
        for value in ["", "crc32c=", "crc32c=4waSgw", "crc32c=4waSgwA=", "md5=4waSgw==", "sha1=4waSgw==", "crc32c"] {
            check(None, &[("x-goog-hash", value)], &[]);
        }
        for etag in [
            "\"0x8D4BCC2E4835CD0\"",
            "\"25f9e794323b453885f5181f1b624d0b-2\"",
            "W/\"25f9\"",
            "+5f9e794323b453885f5181f1b624d0b",
        ] {
            check(Some(SignatureKind::S3V4), &[("etag", etag)], &[]);
        }
    }

    proptest! {
        /// Nor does what cannot be read hide what can, in the same header or another.
        #[test]
        fn hostile_headers_hide_nothing(junk in "[ -~]{0,60}|(crc32c|md5|[=,])[ -~]{0,20}") {
            let value = format!("{junk},crc32c=4waSgw==");
            let stated = stated(Some(SignatureKind::S3V4), &header_map(&[
                ("x-goog-hash", &value), ("etag", &junk), ("content-md5", &junk), ("x-amz-checksum-crc32c", &junk),
            ]));
            let good = Stated { header: "x-goog-hash", hash: Hash::Crc32c(0xe306_9283) };
            prop_assert!(stated.contains(&good), "{:?}", stated);
        }
    }
}
