//! Credentials of a client.

use std::fmt;
use std::sync::Arc;

use encord_http::HeaderValue;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::key::SshPrivateKey;

/// The credentials of a client: a private key or a bearer token.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Credentials {
    /// Each request is signed with this key.
    Key(SshPrivateKey),
    /// Each request carries this token.
    Token(BearerToken),
}

/// A token of the platform, see [`EncordUserClient::get_bearer_token`](crate::EncordUserClient::get_bearer_token).
///
/// `Debug` hides it, and it is wiped from memory when the last clone is dropped.
#[derive(Clone)]
pub struct BearerToken(Arc<Zeroizing<String>>);

/// The error when a text cannot be a bearer token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a bearer token: it is empty, or has characters that cannot stand in a header")]
pub struct InvalidToken;

impl BearerToken {
    /// Takes the text of a token.
    ///
    /// # Errors
    ///
    /// If the text is empty or cannot be sent in a header.
    pub fn new(token: impl Into<String>) -> Result<Self, InvalidToken> {
        let token = Zeroizing::new(token.into());
        if token.is_empty() || HeaderValue::from_str(&token).is_err() {
            return Err(InvalidToken);
        }
        Ok(Self(Arc::new(token)))
    }

    /// Returns the text of the token, which is a credential.
    pub fn secret(&self) -> &str {
        &self.0
    }

    pub(crate) fn header_value(&self) -> String {
        format!("Bearer {}", self.secret())
    }
}

impl From<SshPrivateKey> for Credentials {
    fn from(key: SshPrivateKey) -> Self {
        Self::Key(key)
    }
}

impl From<BearerToken> for Credentials {
    fn from(token: BearerToken) -> Self {
        Self::Token(token)
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken")
    }
}
