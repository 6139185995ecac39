//! Makes signed URLs.

use std::time::{Duration, SystemTime};

use hmac::Mac;
use http::{HeaderMap, Method};
use thiserror::Error;

use super::canonical::{self, Canonical, encode, hex};
use super::{Credentials, MAX_EXPIRES, Scheme, date};

/// Makes signed URLs with one key.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use encord_dev_store::sign::{Credentials, Presign, Scheme, Signer};
///
/// let signer = Signer::new(Scheme::Gcs, Credentials::development());
/// let request = Presign::put("http://127.0.0.1:9000/dev/cat.jpg", Duration::from_secs(900), SystemTime::now());
/// let url = signer.presign(&request)?;
/// assert!(url.starts_with("http://127.0.0.1:9000/dev/cat.jpg?X-Goog-Algorithm=GOOG4-HMAC-SHA256&"));
/// # Ok::<(), encord_dev_store::sign::SignError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    scheme: Scheme,
    credentials: Credentials,
    region: String,
}

/// The request that a URL is signed for.
#[derive(Clone, Debug)]
pub struct Presign<'a> {
    /// The method that the URL is good for.
    pub method: Method,
    /// `http://host/bucket/object`. A query is signed too. Characters that a URL cannot have are encoded; a `%` before two
    /// hexadecimal digits is an encoded byte.
    pub url: &'a str,
    /// Headers that the request must have, with these values. `Host` is always signed and need not be here.
    pub headers: HeaderMap,
    /// How long the URL is valid: at least 1 s, at most [`MAX_EXPIRES`]. Fractions of a second are dropped.
    pub expires: Duration,
    /// The time of signing. The URL is valid from then on.
    pub at: SystemTime,
}

/// Why a URL cannot be signed. No message repeats the URL.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignError {
    /// The URL does not begin with `http://` or `https://`, or has no host.
    #[error("the URL must begin with http:// or https:// and a host")]
    Url,
    /// The URL has the form `user:password@host`.
    #[error("the URL has a user name or password before its host")]
    UserInfo,
    /// The URL has a fragment (`#…`), which a client never sends. A `#` in the name of an object is written `%23`.
    #[error("the URL has a fragment; write `#` in the name of an object as %23")]
    Fragment,
    /// The URL has a parameter, or the headers have a name, that signing adds itself.
    #[error("`{0}` is given by the signature and cannot be given twice")]
    Reserved(String),
    /// The validity is not between 1 s and 7 days.
    #[error("a signed URL can be valid for 1 to 604800 s, not {0} s")]
    Expires(u64),
    /// The year of the time does not have four digits.
    #[error("the time of signing is out of range")]
    Time,
}

impl Signer {
    /// Makes a signer for the default region of the service: `auto` (GCS), `us-east-1` (S3).
    pub fn new(scheme: Scheme, credentials: Credentials) -> Self {
        Self { scheme, credentials, region: scheme.default_region().to_owned() }
    }

    /// Sets the region.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = region.into();
        self
    }

    /// The scheme of the URLs.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns the signed URL. It is a credential until it expires.
    ///
    /// # Errors
    ///
    /// [`SignError`] if the URL or the times cannot be signed.
    pub fn presign(&self, request: &Presign<'_>) -> Result<String, SignError> {
        let Target { origin, authority, path, query } = Target::of(request.url)?;
        let prefix = self.scheme.prefix();
        if let Some((name, _)) = canonical::pairs(query).find(|(name, _)| is_reserved(self.scheme, name)) {
            return Err(SignError::Reserved(String::from_utf8_lossy(&name).into_owned()));
        }
        let seconds = request.expires.as_secs();
        if seconds == 0 || request.expires > MAX_EXPIRES {
            return Err(SignError::Expires(seconds));
        }
        let date = date::basic(request.at).ok_or(SignError::Time)?;
        let headers = signed_headers(&request.headers, authority)?;

        let path = canonical::path(path);
        let mut canonical = Canonical {
            scheme: self.scheme,
            method: request.method.as_str(),
            path: &path,
            query: "",
            headers: &headers,
            date: &date,
            region: &self.region,
        };
        let credential = format!("{}/{}", self.credentials.access_id(), canonical.scope());
        let parameters = format!(
            "{prefix}Algorithm={}&{prefix}Credential={}&{prefix}Date={date}&{prefix}Expires={seconds}&{prefix}SignedHeaders={}",
            self.scheme.algorithm(),
            encode(credential.as_bytes()),
            encode(Canonical::signed_headers(&headers).as_bytes()),
        );
        let extra = canonical::query(query, |_| false);
        let unsorted = if extra.is_empty() { parameters } else { format!("{extra}&{parameters}") };
        let sorted = canonical::query(&unsorted, |_| false);
        canonical.query = &sorted;
        let signature = hex(&canonical.mac(&self.credentials).finalize().into_bytes());
        // Parameters are in the order in which the service's own library writes them.
        let query = if self.scheme == Scheme::S3 { &unsorted } else { &sorted };
        Ok(format!("{origin}{path}?{query}&{prefix}Signature={signature}"))
    }
}

impl<'a> Presign<'a> {
    /// Describes a `PUT` without further headers.
    pub fn put(url: &'a str, expires: Duration, at: SystemTime) -> Self {
        Self { method: Method::PUT, url, headers: HeaderMap::new(), expires, at }
    }
}

struct Target<'a> {
    /// `http://host:1`.
    origin: &'a str,
    authority: &'a str,
    path: &'a str,
    query: &'a str,
}

impl<'a> Target<'a> {
    fn of(url: &'a str) -> Result<Self, SignError> {
        let after = |scheme: &str| url.get(..scheme.len()).filter(|start| start.eq_ignore_ascii_case(scheme));
        let scheme = after("http://").or_else(|| after("https://")).ok_or(SignError::Url)?.len();
        if url.contains('#') {
            return Err(SignError::Fragment);
        }
        let rest = url.get(scheme..).unwrap_or_default();
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = place.split_at(place.find('/').unwrap_or(place.len()));
        if authority.contains('@') {
            return Err(SignError::UserInfo);
        }
        if authority.is_empty() || authority.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
            return Err(SignError::Url);
        }
        let origin = url.get(..scheme + authority.len()).unwrap_or_default();
        Ok(Self { origin, authority, path, query })
    }
}

fn is_reserved(scheme: Scheme, name: &[u8]) -> bool {
    let own = ["Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"];
    own.iter().any(|own| name.eq_ignore_ascii_case(format!("{}{own}", scheme.prefix()).as_bytes()))
}

/// Returns the headers in the order of their names, with `host`.
fn signed_headers(headers: &HeaderMap, host: &str) -> Result<Vec<(String, String)>, SignError> {
    if headers.contains_key(http::header::HOST) {
        return Err(SignError::Reserved("host".to_owned()));
    }
    let value = |name: &str| canonical::header_value(headers, name).unwrap_or_default();
    let mut signed: Vec<_> = headers.keys().map(|name| (name.as_str().to_owned(), value(name.as_str()))).collect();
    signed.push(("host".to_owned(), host.to_owned()));
    signed.sort();
    Ok(signed)
}
