//! Facts that are read from a signed URL: the kind of its signature, its expiry, and the headers that the signature covers.
//!
//! Nothing else of the query leaves [`SignedUrl`].

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use http::HeaderName;
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use percent_encoding::percent_decode_str;

use crate::url::SignedUrl;

/// The scheme by which a URL is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureKind {
    /// Google Cloud Storage, V4 (`X-Goog-Signature`).
    GcsV4,
    /// Amazon S3 and compatible stores, V4 (`X-Amz-Signature`).
    S3V4,
    /// Azure Storage, a shared access signature (`sig`).
    AzureSas,
    /// Google Cloud Storage, V2 (`Signature` with `GoogleAccessId`).
    GcsV2,
    /// Amazon S3 and compatible stores, V2 (`Signature` with `Expires`).
    S3V2,
    /// nginx's `secure_link` with the customary arguments `md5` and `expires`.
    SecureLink,
}

impl SignedUrl {
    /// Returns the scheme by which the URL is signed. `None` if it is not signed, or by an unknown scheme.
    pub fn signature(&self) -> Option<SignatureKind> {
        let query = self.query()?;
        if query.get_any_case("x-goog-signature").is_some() {
            Some(SignatureKind::GcsV4)
        } else if query.get_any_case("x-amz-signature").is_some() {
            Some(SignatureKind::S3V4)
        } else if query.has("sig") && (query.has("se") || query.has("sv")) {
            Some(SignatureKind::AzureSas)
        } else if query.has("Signature") && query.has("Expires") {
            match () {
                () if query.has("GoogleAccessId") => Some(SignatureKind::GcsV2),
                // The signature of CloudFront, which has another form.
                () if query.has("Key-Pair-Id") => None,
                () => Some(SignatureKind::S3V2),
            }
        } else if query.has("md5") && query.has("expires") {
            Some(SignatureKind::SecureLink)
        } else {
            None
        }
    }

    /// Returns when the URL expires, as the URL itself states. A server may refuse it earlier.
    ///
    /// V4: `X-Goog-Date` or `X-Amz-Date` plus `…-Expires` seconds. Azure: `se`, a date with or without a time of day; the zone is
    /// `Z` or `±hh:mm`. V2 and nginx: `Expires` or `expires`, in seconds since 1970. `None` if the URL states no expiry, or a
    /// malformed one.
    pub fn expires_at(&self) -> Option<SystemTime> {
        let query = self.query()?;
        let kind = self.signature()?;
        match kind {
            SignatureKind::GcsV4 | SignatureKind::S3V4 => {
                let prefix = if kind == SignatureKind::GcsV4 { "x-goog-" } else { "x-amz-" };
                let seconds = seconds(&query.get_any_case(&format!("{prefix}expires"))?)?;
                instant(&query.get_any_case(&format!("{prefix}date"))?)?.checked_add(seconds)
            }
            SignatureKind::AzureSas => instant_or_date(&query.get("se")?),
            SignatureKind::GcsV2 | SignatureKind::S3V2 => since_1970(&query.get("Expires")?),
            SignatureKind::SecureLink => since_1970(&query.get("expires")?),
        }
    }

    /// Whether a request may carry this header, although the signer of the URL did not ask for it. A server refuses a request
    /// with a header that the signature should have covered but does not.
    ///
    /// It returns `false` for `x-goog-…` and `x-amz-…` that a V4 signature does not list in `SignedHeaders`. With V2 it returns
    /// `false` for `Content-MD5`, `Content-Type` and the headers of the service, because V2 always signs them. All other headers
    /// may be added.
    pub fn allows_header(&self, name: &HeaderName) -> bool {
        let is_of_service = ["x-goog-", "x-amz-"].iter().any(|prefix| name.as_str().starts_with(prefix));
        match self.signature() {
            Some(SignatureKind::GcsV2 | SignatureKind::S3V2) => {
                !is_of_service && name != CONTENT_TYPE && name.as_str() != "content-md5"
            }
            Some(SignatureKind::GcsV4) => !is_of_service || self.lists_as_signed("x-goog-signedheaders", name),
            Some(SignatureKind::S3V4) => !is_of_service || self.lists_as_signed("x-amz-signedheaders", name),
            Some(SignatureKind::AzureSas | SignatureKind::SecureLink) | None => true,
        }
    }

    fn lists_as_signed(&self, parameter: &str, name: &HeaderName) -> bool {
        let list = self.query().and_then(|query| query.get_any_case(parameter));
        list.is_some_and(|list| list.split(';').any(|signed| signed.eq_ignore_ascii_case(name.as_str())))
    }

    fn query(&self) -> Option<Query<'_>> {
        self.expose().ok()?.0.query().map(Query)
    }
}

/// The parameters of a query. The first parameter of a name counts.
struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    fn has(&self, name: &str) -> bool {
        self.find(|found| found == name).is_some()
    }

    fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        self.find(|found| found == name).and_then(decode)
    }

    /// Finds a parameter of V4, which some clients send in lower case and servers accept.
    fn get_any_case(&self, name: &str) -> Option<Cow<'a, str>> {
        self.find(|found| found.eq_ignore_ascii_case(name)).and_then(decode)
    }

    fn find(&self, is_wanted: impl Fn(&str) -> bool) -> Option<&'a str> {
        let mut parameters = self.0.split('&').map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")));
        parameters.find(|(name, _)| is_wanted(name)).map(|(_, value)| value)
    }
}

fn decode(value: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(value).decode_utf8().ok()
}

/// Reads digits only, because `parse` would accept a sign too.
fn seconds(text: &str) -> Option<Duration> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok().map(Duration::from_secs) } else { None }
}

/// Reads `20261123T120000Z`, as in `X-Goog-Date` and `X-Amz-Date`, or another form of ISO 8601 with a time zone.
fn instant(text: &str) -> Option<SystemTime> {
    text.parse::<Timestamp>().ok()?.try_into().ok()
}

/// Reads the forms that Azure Storage accepts ("Formatting `DateTime` values" in its documentation): `2026-11-23`, which means
/// the start of this day in UTC, or a date with a time of day and a zone.
fn instant_or_date(text: &str) -> Option<SystemTime> {
    if text.contains('T') {
        return instant(text);
    }
    let midnight = text.parse::<Date>().ok()?.at(0, 0, 0, 0);
    Offset::UTC.to_timestamp(midnight).ok()?.try_into().ok()
}

fn since_1970(text: &str) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(seconds(text)?)
}

#[cfg(test)]
mod tests;
