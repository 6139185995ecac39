//! Signed URLs: their text form (rule U9), and their expiry.

use std::time::{Duration, SystemTime};

use encord_dev_store::sign::{Credentials, Presign, Scheme, Signer};
use encord_http::{HeaderMap, HeaderName, HeaderValue, SignatureKind, SignedUrl, StatusCode};

/// The first line is the URL, the second a status. Then come headers up to an empty line, and the body of an answer.
pub(super) fn check(data: &[u8]) {
    let (text, answer) = split(data, b"\n");
    let Ok(text) = std::str::from_utf8(text) else { return };
    let url = SignedUrl::new(text);
    shown(text, &url);
    says(&url);
    refused(&url, answer);
    for scheme in [Scheme::Gcs, Scheme::S3] {
        signed(text, answer, scheme);
    }
}

/// Checks that the text form shows host and path, and nothing before or after them.
fn shown(text: &str, url: &SignedUrl) {
    let (display, debug) = (url.to_string(), format!("{url:?}"));
    assert_eq!(debug, format!("SignedUrl({display})"));
    match url.check() {
        Ok(()) => {
            let (_, rest) = text.split_once("://").expect("an absolute URL");
            let end = rest.find(['?', '#']).unwrap_or(rest.len());
            let slash = if rest[..end].contains('/') { "" } else { "/" };
            assert_eq!(display, format!("{}{slash}", &rest[..end]));
            assert!(!rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())].contains('@'));
        }
        Err(error) => {
            assert_eq!(display, "(invalid URL)");
            // Adds a word that no message contains.
            let marked = SignedUrl::new(format!("{text}{}", crate::SECRET));
            let told = format!("{error} {error:?} {marked} {marked:?} {:?}", marked.check());
            assert!(!told.contains(crate::SECRET), "{told}");
        }
    }
}

fn says(url: &SignedUrl) {
    let (kind, expires) = (url.signature(), url.expires_at());
    assert!(url.check().is_ok() || (kind, expires, url.origin()) == (None, None, None));
    assert!(kind.is_some() || expires.is_none());
    for name in ["content-type", "content-md5", "x-goog-meta-a", "x-amz-meta-a", "cache-control"] {
        let allowed = url.allows_header(&HeaderName::from_static(name));
        assert!(allowed || kind.is_some());
    }
    if let Some(expires) = expires {
        assert!(crate::expiry::needs_renewal(url, expires));
        assert!(
            expires.checked_sub(Duration::from_secs(2)).is_none_or(|before| !crate::expiry::needs_renewal(url, before))
        );
    }
}

/// Checks that an answer counts as expired only with a status of refusals, and then also at any later time.
fn refused(url: &SignedUrl, answer: &[u8]) {
    let (status, answer) = split(answer, b"\n");
    let (head, body) = split(answer, b"\n\n");
    let Ok(status) = StatusCode::from_bytes(status) else { return };
    let mut headers = HeaderMap::new();
    for line in head.split(|byte| *byte == b'\n') {
        let (name, value) = split(line, b":");
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value.trim_ascii())) {
            headers.append(name, value);
        }
    }
    let at = |seconds| {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        crate::expiry::is_refusal(url, status, &headers, body, now)
    };
    let (early, late) = (at(0), at(253_402_300_799));
    assert!(late || !early);
    assert!(!late || status.is_client_error());
}

/// Checks that the facts of a signed URL are read as they were signed.
fn signed(url: &str, mut data: &[u8], scheme: Scheme) {
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(u32::from_be_bytes(crate::take(&mut data)).into());
    let expires = Duration::from_secs(u32::from_be_bytes(crate::take(&mut data)).into());
    let Ok(signed) = Signer::new(scheme, Credentials::development()).presign(&Presign::put(url, expires, at)) else {
        return;
    };
    let signed = SignedUrl::new(signed);
    if signed.check().is_err() {
        return;
    }
    // A parameter of the other service in the query would take precedence.
    let kind = if scheme == Scheme::Gcs { SignatureKind::GcsV4 } else { SignatureKind::S3V4 };
    if signed.signature() == Some(kind) {
        assert_eq!(signed.expires_at(), Some(at + expires));
    } else {
        assert_eq!((scheme, signed.signature()), (Scheme::S3, Some(SignatureKind::GcsV4)));
    }
    assert!(signed.allows_header(&HeaderName::from_static("content-type")));
}

/// Splits at a separator. Without one, the second part is empty.
fn split<'a>(data: &'a [u8], at: &[u8]) -> (&'a [u8], &'a [u8]) {
    match data.windows(at.len()).position(|window| window == at) {
        Some(found) => (&data[..found], &data[found + at.len()..]),
        None => (data, &[]),
    }
}
