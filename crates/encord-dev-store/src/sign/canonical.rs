//! The canonical request and the signature over it.

use std::borrow::Cow;

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};
use sha2::{Digest, Sha256};

use super::{Credentials, Scheme};

/// RFC 3986 §2.3: everything but the unreserved characters is encoded.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// In a path, slashes are not encoded.
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// Replaces the hash of the payload, because the signature does not cover it.
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

type HmacSha256 = Hmac<Sha256>;

pub(crate) fn encode(bytes: &[u8]) -> Cow<'_, str> {
    percent_encode(bytes, RESERVED).into()
}

pub(crate) fn decode(text: &str) -> Cow<'_, [u8]> {
    percent_decode(text.as_bytes()).into()
}

/// Returns a path in canonical form. An object name is encoded once, and nothing is normalised.
pub(crate) fn path(path: &str) -> String {
    if path.is_empty() { "/".to_owned() } else { percent_encode(&decode(path), RESERVED_IN_PATH).to_string() }
}

/// Returns the decoded names and values of a query. A `+` is a plus sign.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = (Cow<'_, [u8]>, Cow<'_, [u8]>)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

/// Returns a query in canonical form, without the parameters that `skip` selects.
pub(crate) fn query(query: &str, skip: impl Fn(&[u8]) -> bool) -> String {
    let mut written: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::new();
    let decoded: Vec<_> = pairs(query).filter(|(name, _)| !skip(name)).collect();
    written.extend(decoded.iter().map(|(name, value)| (encode(name), encode(value))));
    written.sort();
    let written: Vec<String> = written.iter().map(|(name, value)| format!("{name}={value}")).collect();
    written.join("&")
}

/// Returns the value that is signed for a header: trimmed, runs of blanks replaced by one, several values joined by commas.
/// Returns `None` if the header is absent.
pub(crate) fn header_value(headers: &HeaderMap, name: &str) -> Option<String> {
    let values = headers.get_all(name).iter();
    let values: Vec<String> = values
        .map(|value| String::from_utf8_lossy(value.as_bytes()).split_ascii_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// Everything that a signature is made over.
pub(crate) struct Canonical<'a> {
    pub(crate) scheme: Scheme,
    pub(crate) method: &'a str,
    /// As [`path`] writes it.
    pub(crate) path: &'a str,
    /// As [`query`] writes it, without the signature.
    pub(crate) query: &'a str,
    /// Lower-case names, sorted, with the values that [`header_value`] gives.
    pub(crate) headers: &'a [(String, String)],
    /// `20130524T000000Z`.
    pub(crate) date: &'a str,
    /// The second part of the scope.
    pub(crate) region: &'a str,
}

impl Canonical<'_> {
    pub(crate) fn signed_headers(headers: &[(String, String)]) -> String {
        headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";")
    }

    pub(crate) fn request(&self) -> String {
        let Self { method, path, query, headers, .. } = self;
        let lines: String = headers.iter().flat_map(|(name, value)| [name, ":", value, "\n"]).collect();
        let signed = Self::signed_headers(headers);
        format!("{method}\n{path}\n{query}\n{lines}\n{signed}\n{UNSIGNED_PAYLOAD}")
    }

    pub(crate) fn string_to_sign(&self) -> String {
        let (algorithm, date, scope) = (self.scheme.algorithm(), self.date, self.scope());
        format!("{algorithm}\n{date}\n{scope}\n{}", hex(&Sha256::digest(self.request())))
    }

    /// `20130524/us-east-1/s3/aws4_request`.
    pub(crate) fn scope(&self) -> String {
        let day = self.date.get(..8).unwrap_or_default();
        format!("{day}/{}/{}/{}", self.region, self.scheme.service(), self.scheme.terminator())
    }

    /// Returns the MAC, which gives the signature or compares one in constant time.
    pub(crate) fn mac(&self, credentials: &Credentials) -> HmacSha256 {
        let first = format!("{}{}", self.scheme.key_prefix(), credentials.secret);
        let day = self.date.get(..8).unwrap_or_default();
        let parts = [day, self.region, self.scheme.service(), self.scheme.terminator()];
        let key = parts
            .iter()
            .fold(first.into_bytes(), |key, part| mac(&key, part.as_bytes()).finalize().into_bytes().to_vec());
        mac(&key, self.string_to_sign().as_bytes())
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Reads pairs of hexadecimal digits.
pub(crate) fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes = pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect::<Option<_>>();
    bytes.filter(|_| rest.is_empty())
}

fn mac(key: &[u8], data: &[u8]) -> HmacSha256 {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    HmacSha256::new_from_slice(key).expect("a key of any length").chain_update(data)
}
