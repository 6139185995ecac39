//! Checks signed URLs.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use hmac::Mac;
use http::{HeaderMap, Method, Uri};
use thiserror::Error;

use super::canonical::{self, Canonical, unhex};
use super::{Credentials, MAX_EXPIRES, Scheme, date};

/// The keys that a verifier knows, by access id.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    by_access_id: BTreeMap<String, Credentials>,
}

/// The facts about a valid signature.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The scheme.
    pub scheme: Scheme,
    /// The access id of the key.
    pub access_id: String,
    /// The time until which the URL is valid.
    pub expires_at: SystemTime,
}

/// Why a signature is not accepted. No message has the query of the URL or the signature.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The query has no parameter of a signature.
    #[error("the request has no signature")]
    Missing,
    /// A parameter is missing, given twice, or invalid.
    #[error("{}{parameter}: {problem}", scheme.prefix())]
    Malformed {
        /// The scheme of the parameters.
        scheme: Scheme,
        /// The name without its prefix, such as `Date`.
        parameter: &'static str,
        /// The problem.
        problem: &'static str,
    },
    /// No key has this access id.
    #[error("the access id {access_id} is not known")]
    UnknownAccessId {
        /// The scheme of the URL.
        scheme: Scheme,
        /// The access id of the URL.
        access_id: String,
    },
    /// The time of signing is further in the future than the allowed clock skew.
    #[error("the URL is not valid yet")]
    NotYetValid {
        /// The scheme of the URL.
        scheme: Scheme,
        /// The time from which it is valid.
        from: SystemTime,
    },
    /// The URL has expired.
    #[error("the URL has expired")]
    Expired {
        /// The scheme of the URL.
        scheme: Scheme,
        /// The time at which it expired.
        at: SystemTime,
        /// How long it was valid.
        expires: Duration,
    },
    /// A header that was signed is not in the request.
    #[error("the header `{name}` was signed and is not in the request")]
    MissingHeader {
        /// The scheme of the URL.
        scheme: Scheme,
        /// The name in lower case.
        name: String,
    },
    /// An extension header (`x-goog-…`, `x-amz-…`) is in the request and was not signed.
    #[error("the header `{name}` is in the request and was not signed")]
    UnsignedHeader {
        /// The scheme of the URL.
        scheme: Scheme,
        /// The name in lower case.
        name: String,
    },
    /// The request is not the one that was signed, or the secret is different.
    #[error("the signature does not match the request")]
    Mismatch {
        /// The scheme of the URL.
        scheme: Scheme,
        /// The string to sign, as the verifier computes it.
        string_to_sign: String,
        /// The canonical request, as the verifier computes it.
        canonical_request: String,
    },
}

impl Keys {
    /// Adds a key. It replaces a key with the same access id.
    pub fn insert(&mut self, credentials: Credentials) {
        self.by_access_id.insert(credentials.access_id.clone(), credentials);
    }
}

impl FromIterator<Credentials> for Keys {
    fn from_iter<T: IntoIterator<Item = Credentials>>(all: T) -> Self {
        let mut keys = Self::default();
        all.into_iter().for_each(|credentials| keys.insert(credentials));
        keys
    }
}

impl SignatureError {
    /// Returns the scheme of the URL, if it has a signature.
    pub fn scheme(&self) -> Option<Scheme> {
        match self {
            Self::Missing => None,
            Self::Malformed { scheme, .. }
            | Self::UnknownAccessId { scheme, .. }
            | Self::NotYetValid { scheme, .. }
            | Self::Expired { scheme, .. }
            | Self::MissingHeader { scheme, .. }
            | Self::UnsignedHeader { scheme, .. }
            | Self::Mismatch { scheme, .. } => Some(*scheme),
        }
    }
}

/// Checks the signature in the query of a request, in either scheme.
///
/// `skew` is how far the signer's clock may be ahead. The time of expiry is exact. Any region is accepted.
///
/// # Errors
///
/// [`SignatureError`], checked in this order: parameters, access id, headers, signature, times. Times are checked last, so that
/// only a client with a correctly signed URL learns that it has expired.
pub fn verify(
    (method, uri, headers): (&Method, &Uri, &HeaderMap),
    keys: &Keys,
    now: SystemTime,
    skew: Duration,
) -> Result<Verified, SignatureError> {
    let query = uri.query().unwrap_or_default();
    let Parameters { scheme, access_id, day, region, date, signed_at, expires, names, signature } =
        Parameters::read(query)?;
    if day != date.get(..8).unwrap_or_default() {
        return Err(malformed(scheme, "Credential", "its day is not the day of the date"));
    }
    let credentials = keys.by_access_id.get(&access_id);
    let credentials = credentials.ok_or(SignatureError::UnknownAccessId { scheme, access_id: access_id.clone() })?;

    let headers = signed_headers(scheme, uri, headers, &names)?;
    let path = canonical::path(uri.path());
    let query = canonical::query(query, |name| name.eq_ignore_ascii_case(parameter(scheme, "Signature").as_bytes()));
    let canonical = Canonical {
        scheme,
        method: method.as_str(),
        path: &path,
        query: &query,
        headers: &headers,
        date: &date,
        region: &region,
    };
    if canonical.mac(credentials).verify_slice(&signature).is_err() {
        return Err(SignatureError::Mismatch {
            scheme,
            string_to_sign: canonical.string_to_sign(),
            canonical_request: canonical.request(),
        });
    }
    if signed_at.duration_since(now).is_ok_and(|ahead| ahead > skew) {
        return Err(SignatureError::NotYetValid { scheme, from: signed_at });
    }
    let expires_at = signed_at + expires;
    if now > expires_at {
        return Err(SignatureError::Expired { scheme, at: expires_at, expires });
    }
    Ok(Verified { scheme, access_id, expires_at })
}

/// The parameters of the signature in a query.
struct Parameters {
    scheme: Scheme,
    access_id: String,
    day: String,
    region: String,
    date: String,
    signed_at: SystemTime,
    expires: Duration,
    names: Vec<String>,
    signature: Vec<u8>,
}

impl Parameters {
    fn read(query: &str) -> Result<Self, SignatureError> {
        let starts = |scheme: &Scheme| {
            let prefix = scheme.prefix().as_bytes();
            canonical::pairs(query)
                .any(|(name, _)| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)))
        };
        let scheme = [Scheme::Gcs, Scheme::S3].into_iter().find(starts).ok_or(SignatureError::Missing)?;
        let get = |name| single_value(scheme, query, name);

        if get("Algorithm")? != scheme.algorithm() {
            return Err(malformed(scheme, "Algorithm", "is not supported"));
        }
        let date = get("Date")?;
        let signed_at = date::parse_basic(&date).ok_or(malformed(scheme, "Date", "is not like 20130524T000000Z"))?;

        let credential = get("Credential")?;
        let wrong = || malformed(scheme, "Credential", "is not ACCESS-ID/DAY/REGION/SERVICE/REQUEST of this service");
        // An access id may contain slashes.
        let mut parts = credential.rsplitn(5, '/');
        let mut part = || parts.next().map(str::to_owned).ok_or_else(wrong);
        let (terminator, service, region, day, access_id) = (part()?, part()?, part()?, part()?, part()?);
        if terminator != scheme.terminator() || service != scheme.service() {
            return Err(wrong());
        }

        let seconds = get("Expires")?;
        let is_number = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
        let expires = seconds.parse().ok().filter(|_| is_number).map(Duration::from_secs);
        let expires = expires.filter(|expires| !expires.is_zero() && *expires <= MAX_EXPIRES);
        let expires = expires.ok_or(malformed(scheme, "Expires", "is not between 1 and 604800 seconds"))?;

        let names: Vec<String> = get("SignedHeaders")?.split(';').map(str::to_owned).collect();
        if !names.iter().any(|name| name == "host") {
            return Err(malformed(scheme, "SignedHeaders", "does not have host"));
        }
        if !names.is_sorted_by(|a, b| a < b) || names.iter().any(|name| name.bytes().any(|b| b.is_ascii_uppercase())) {
            return Err(malformed(scheme, "SignedHeaders", "is not in lower case and sorted"));
        }
        let signature =
            unhex(get("Signature")?.as_bytes()).ok_or(malformed(scheme, "Signature", "is not hexadecimal"))?;
        Ok(Self { scheme, access_id, day, region, date, signed_at, expires, names, signature })
    }
}

/// Returns the value of a parameter that must be given exactly once.
fn single_value(scheme: Scheme, query: &str, name: &'static str) -> Result<String, SignatureError> {
    let full = parameter(scheme, name);
    let mut values = canonical::pairs(query).filter(|(given, _)| given.eq_ignore_ascii_case(full.as_bytes()));
    let (_, value) = values.next().ok_or(malformed(scheme, name, "is missing"))?;
    if values.next().is_some() {
        return Err(malformed(scheme, name, "is given more than once"));
    }
    String::from_utf8(value.into_owned()).map_err(|_| malformed(scheme, name, "is not UTF-8"))
}

fn parameter(scheme: Scheme, name: &str) -> String {
    format!("{}{name}", scheme.prefix())
}

fn malformed(scheme: Scheme, parameter: &'static str, problem: &'static str) -> SignatureError {
    SignatureError::Malformed { scheme, parameter, problem }
}

/// Returns the signed headers of the request. Fails if one is missing, or if an extension header is not signed.
fn signed_headers(
    scheme: Scheme,
    uri: &Uri,
    headers: &HeaderMap,
    names: &[String],
) -> Result<Vec<(String, String)>, SignatureError> {
    let is_unsigned =
        |name: &&str| name.starts_with(scheme.header_prefix()) && !names.iter().any(|signed| signed == name);
    if let Some(name) = headers.keys().map(http::HeaderName::as_str).find(is_unsigned) {
        return Err(SignatureError::UnsignedHeader { scheme, name: name.to_owned() });
    }
    let value = |name: &String| {
        // A request for an absolute URL may omit the header `Host`.
        let host = || uri.authority().filter(|_| name == "host").map(ToString::to_string);
        let value = canonical::header_value(headers, name).or_else(host);
        value.ok_or_else(|| SignatureError::MissingHeader { scheme, name: name.clone() })
    };
    names.iter().map(|name| Ok((name.clone(), value(name)?))).collect()
}
