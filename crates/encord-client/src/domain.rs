//! The installations of the platform.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// An installation of the platform: a region, or the URL of a private installation.
///
/// ```
/// use encord_client::Domain;
///
/// assert_eq!("us".parse::<Domain>()?, Domain::US);
/// assert_eq!("https://encord.example.com/".parse::<Domain>()?.as_str(), "https://encord.example.com");
/// assert!("encord.example.com".parse::<Domain>().is_err());
/// # Ok::<(), encord_client::InvalidDomain>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Domain(Cow<'static, str>);

/// The error when a text does not name an installation of the platform.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not a domain: {why}; it is `eu`, `us` or a URL such as https://api.encord.com")]
pub struct InvalidDomain {
    why: &'static str,
}

impl Domain {
    /// Europe, the default: `https://api.encord.com`.
    pub const EU: Self = Self(Cow::Borrowed("https://api.encord.com"));

    /// The United States: `https://api.us.encord.com`.
    pub const US: Self = Self(Cow::Borrowed("https://api.us.encord.com"));

    /// Returns the URL, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Domain {
    fn default() -> Self {
        Self::EU
    }
}

impl FromStr for Domain {
    type Err = InvalidDomain;

    /// Parses `eu`, `us`, or a URL of scheme, host and port.
    fn from_str(text: &str) -> Result<Self, InvalidDomain> {
        let wrong = |why| Err(InvalidDomain { why });
        if text.eq_ignore_ascii_case("eu") {
            return Ok(Self::EU);
        }
        if text.eq_ignore_ascii_case("us") {
            return Ok(Self::US);
        }
        let url = text.trim_end_matches('/');
        let Some((scheme, rest)) = url.split_once("://") else { return wrong("it has no https:// in front") };
        if scheme != "https" && scheme != "http" {
            return wrong("its scheme is neither https nor http");
        }
        if rest.contains('@') {
            return wrong("it has a user name in it");
        }
        // A path is refused: the SDK would join it wrongly, so nobody can rely on it.
        if rest.contains(['/', '?', '#', '\\']) {
            return wrong("it has more than a host and a port");
        }
        match url.parse::<http::Uri>() {
            Ok(uri) if uri.host().is_some_and(|host| !host.is_empty()) => Ok(Self(url.to_owned().into())),
            _ => wrong("it has no host, or a wrong port"),
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
