//! The two signatures of the platform, as pure functions of key, request and time.
//!
//! Requests of `v2` carry an HTTP message signature over method, target and the digest of the body. Requests of `v1` carry a
//! signature over the SHA-256 of the body alone.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::key::SshPrivateKey;

/// The three headers that sign a request of `v2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageSignature {
    /// `Content-Digest`
    pub content_digest: String,
    /// `Signature-Input`
    pub signature_input: String,
    /// `Signature`
    pub signature: String,
}

/// Signs a request of `v2`. `target` is path and query exactly as they are sent; `created` is the time in Unix seconds.
pub fn sign_message(key: &SshPrivateKey, method: &str, target: &str, body: &[u8], created: u64) -> MessageSignature {
    let content_digest = content_digest(body);
    let key_id = key.key_id();
    let params =
        format!(r#"("@method" "@request-target" "content-digest");created={created};keyid="{key_id}";alg="ed25519""#);
    let base = format!(
        "\"@method\": {method}\n\"@request-target\": {target}\n\"content-digest\": {content_digest}\n\"@signature-params\": {params}"
    );
    MessageSignature {
        content_digest,
        signature_input: format!("encord-sig={params}"),
        signature: format!("encord-sig=:{}:", STANDARD.encode(key.sign(base.as_bytes()))),
    }
}

/// Signs a request of `v1`. Returns the value of `Authorization`.
///
/// The signature covers only the body, so anyone who sees it can send the request again: it is a credential.
pub fn sign_digest(key: &SshPrivateKey, body: &[u8]) -> String {
    let signature = key.sign(&Sha256::digest(body));
    let mut value = format!("{}:", key.key_id());
    for byte in signature {
        // Writing to a string never fails.
        let _ = write!(value, "{byte:02x}");
    }
    value
}

fn content_digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)))
}

#[cfg(test)]
mod tests;
