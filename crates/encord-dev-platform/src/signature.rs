//! Checks the two forms of signed requests, without I/O and without a clock.
//!
//! This module follows the protocol and uses `ring`. It shares nothing with `encord-client`, which signs with another crate.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};
use ring::signature::{ED25519, UnparsedPublicKey};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// The parts of a request that its signature covers.
const COVERED: &str = r#"("@method" "@request-target" "content-digest")"#;
const LABEL: &str = "encord-sig=";

/// The sender of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    /// The public key whose signature is valid.
    Key([u8; 32]),
    /// The bearer token, not yet looked up.
    Token(String),
}

/// The error when a signature is refused. No message contains the signature.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum BadSignature {
    #[error("the request is not signed")]
    Missing,
    #[error("{0} cannot be read")]
    Malformed(&'static str),
    #[error("the digest is not the one of the body")]
    Digest,
    #[error("the signature does not fit the request")]
    Mismatch,
    #[error("the request was signed {0} s ago; check the clock")]
    Old(u64),
    #[error("the request was signed {0} s in the future; check the clock")]
    Early(u64),
}

/// Checks a request of the newer protocol. `target` is path and query as the client sent them, `now` is Unix time.
pub(crate) fn newer(
    method: &Method,
    target: &str,
    headers: &HeaderMap,
    body: &[u8],
    now: u64,
    skew: Duration,
) -> Result<Sender, BadSignature> {
    if let Some(token) = bearer(headers) {
        return Ok(Sender::Token(token.to_owned()));
    }
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(input), Some(signature)) = (header("signature-input"), header("signature")) else {
        return Err(BadSignature::Missing);
    };
    let digest = header("content-digest").ok_or(BadSignature::Missing)?;
    if digest != format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body))) {
        return Err(BadSignature::Digest);
    }

    let malformed = BadSignature::Malformed("Signature-Input");
    let params = input.strip_prefix(LABEL).ok_or(malformed.clone())?;
    let (created, key) = parameters(params).ok_or(malformed)?;
    let signature = signature.strip_prefix(LABEL).and_then(|value| value.strip_prefix(':')?.strip_suffix(':'));
    let signature =
        signature.and_then(|value| STANDARD.decode(value).ok()).ok_or(BadSignature::Malformed("Signature"))?;
    let base = format!(
        "\"@method\": {method}\n\"@request-target\": {target}\n\"content-digest\": {digest}\n\"@signature-params\": {params}"
    );
    check(key, base.as_bytes(), &signature)?;
    match now.checked_sub(created) {
        Some(age) if age > skew.as_secs() => Err(BadSignature::Old(age)),
        None if created - now > skew.as_secs() => Err(BadSignature::Early(created - now)),
        _ => Ok(Sender::Key(key)),
    }
}

/// Checks a request of the older protocol: only its body is signed.
pub(crate) fn older(headers: &HeaderMap, body: &[u8]) -> Result<Sender, BadSignature> {
    if let Some(token) = bearer(headers) {
        return Ok(Sender::Token(token.to_owned()));
    }
    let malformed = BadSignature::Malformed("Authorization");
    let value = headers.get(AUTHORIZATION).ok_or(BadSignature::Missing)?.to_str().map_err(|_| malformed.clone())?;
    let (key, signature) = value.split_once(':').ok_or(malformed.clone())?;
    let key = unhex(key).and_then(|key| key.try_into().ok()).ok_or(malformed.clone())?;
    check(key, &Sha256::digest(body), &unhex(signature).ok_or(malformed)?)?;
    Ok(Sender::Key(key))
}

/// Reads the time of signing and the key from `(…);created=1;keyid="…";alg="ed25519"`.
fn parameters(params: &str) -> Option<(u64, [u8; 32])> {
    let (mut created, mut key, mut is_ed25519) = (None, None, false);
    for parameter in params.strip_prefix(COVERED)?.strip_prefix(';')?.split(';') {
        match parameter.split_once('=')? {
            ("created", seconds) => created = seconds.parse().ok(),
            ("keyid", id) => key = unhex(id.strip_prefix('"')?.strip_suffix('"')?)?.try_into().ok(),
            ("alg", name) => is_ed25519 = name == "\"ed25519\"",
            _ => return None,
        }
    }
    Some((created?, key.filter(|_| is_ed25519)?))
}

fn check(key: [u8; 32], message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
    UnparsedPublicKey::new(&ED25519, key).verify(message, signature).map_err(|_| BadSignature::Mismatch)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// Decodes hexadecimal digits, in lower case only, as the protocol writes keys.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect())?
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests;
