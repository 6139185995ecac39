//! Scheme, host and port: the target of a connection.

use std::fmt;
use std::sync::Arc;

use http::Uri;
use http::uri::Scheme;

use crate::invalid::InvalidUrl;

/// The scheme, host and port of a URL (RFC 6454).
///
/// `Display` gives all three, the host in lower case: `https://storage.example:443`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    is_https: bool,
    host: Arc<str>,
    port: u16,
}

impl Origin {
    /// Returns the origin of an absolute `http` or `https` URL.
    ///
    /// # Errors
    ///
    /// [`InvalidUrl`] if the scheme is neither `http` nor `https`, the host is missing, or the port is not a number from 1 to
    /// 65535. The message never shows a part of the URL.
    pub fn of(uri: &Uri) -> Result<Self, InvalidUrl> {
        let is_https = match uri.scheme() {
            Some(scheme) if scheme == &Scheme::HTTPS => true,
            Some(scheme) if scheme == &Scheme::HTTP => false,
            _ => return Err(InvalidUrl::Scheme),
        };
        let authority = uri.authority().ok_or(InvalidUrl::Host)?;
        let host = authority.host();
        if host.is_empty() {
            return Err(InvalidUrl::Host);
        }
        let (_, host_and_port) = authority.as_str().rsplit_once('@').unwrap_or(("", authority.as_str()));
        let port = match host_and_port.strip_prefix(host) {
            Some("") if is_https => 443,
            Some("") => 80,
            Some(port) => port.strip_prefix(':').and_then(port_number).ok_or(InvalidUrl::Port)?,
            None => return Err(InvalidUrl::Host),
        };
        Ok(Self { is_https, host: host.to_ascii_lowercase().into(), port })
    }

    /// Whether the scheme is `https`.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.is_https { "https" } else { "http" }
    }

    /// The host in lower case. An IPv6 address has its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; 80 or 443 if the URL names none.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// Reads digits only, because `parse` would accept a sign too.
fn port_number(text: &str) -> Option<u16> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| text.parse().ok()).flatten().filter(|port| *port != 0)
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme(), self.host, self.port)
    }
}
