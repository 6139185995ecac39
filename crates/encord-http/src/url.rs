//! The one type in which a URL lives, so that its query can never be shown.

use std::fmt;

use http::Uri;
use http::uri::Scheme;
use thiserror::Error;

/// A URL that may carry a credential, as every signed URL does (rule U9).
///
/// `Debug` and `Display` show host and path only. The query leaves this type on its way into the request line and nowhere
/// else; there it goes byte for byte as given (rule U8). A fragment is never sent.
///
/// Making one never fails, so that a bad URL among many is the failure of its own request and not of the list it came in: see
/// [`SignedUrl::check`].
///
/// ```
/// let url = encord_http::SignedUrl::new("https://storage.example/bucket/cat.jpg?X-Goog-Signature=c0ffee");
/// assert_eq!(url.to_string(), "storage.example/bucket/cat.jpg");
/// assert_eq!(format!("{url:?}"), "SignedUrl(storage.example/bucket/cat.jpg)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SignedUrl {
    uri: Result<Uri, InvalidUrl>,
}

/// Why a URL cannot be requested. The message never repeats the URL.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidUrl {
    /// Not a URL at all, or one with a character that has to be percent-encoded.
    #[error("the URL cannot be parsed: {0}")]
    Syntax(Box<str>),
    /// Neither `http://` nor `https://`.
    #[error("the URL must begin with http:// or https://")]
    Scheme,
    /// No host between the scheme and the path.
    #[error("the URL has no host")]
    Host,
    /// `user:password@host`: sent nowhere, so refused instead of dropped in silence.
    #[error("the URL has a user name or password before its host, which is not supported")]
    UserInfo,
}

impl SignedUrl {
    /// Takes a URL as it is.
    pub fn new(url: impl Into<String>) -> Self {
        Self { uri: parse(url.into()) }
    }

    /// Whether the URL can be requested.
    ///
    /// # Errors
    ///
    /// [`InvalidUrl`] when it is not an absolute `http` or `https` URL.
    pub fn check(&self) -> Result<(), InvalidUrl> {
        self.uri().map(drop)
    }

    /// Where a `Location` leads: an absolute URL, or an absolute path on the same host. `None` for anything else, and for the
    /// way from https to http.
    pub(crate) fn redirected(&self, location: &str) -> Option<Self> {
        let from = self.uri().ok()?;
        let to = if location.starts_with('/') && !location.starts_with("//") {
            Self::new(format!("{}://{}{location}", from.scheme_str()?, from.authority()?))
        } else {
            Self::new(location)
        };
        let downgrade = to.uri().ok()?.scheme() == Some(&Scheme::HTTP) && from.scheme() == Some(&Scheme::HTTPS);
        (!downgrade).then_some(to)
    }

    /// Whether both lead to the same host and port.
    pub(crate) fn same_origin(&self, other: &Self) -> bool {
        match (self.uri(), other.uri()) {
            (Ok(a), Ok(b)) => a.scheme() == b.scheme() && a.authority() == b.authority(),
            _ => false,
        }
    }

    pub(crate) fn uri(&self) -> Result<&Uri, InvalidUrl> {
        self.uri.as_ref().map_err(Clone::clone)
    }
}

fn parse(url: String) -> Result<Uri, InvalidUrl> {
    // `http` refuses the empty string and overlong ones with texts of its own; none of them repeats the input.
    let uri = Uri::try_from(url).map_err(|e| InvalidUrl::Syntax(e.to_string().into()))?;
    if uri.scheme() != Some(&Scheme::HTTP) && uri.scheme() != Some(&Scheme::HTTPS) {
        return Err(InvalidUrl::Scheme);
    }
    let authority = uri.authority().ok_or(InvalidUrl::Host)?;
    if authority.as_str().contains('@') {
        return Err(InvalidUrl::UserInfo);
    }
    if authority.host().is_empty() {
        return Err(InvalidUrl::Host);
    }
    Ok(uri)
}

impl fmt::Display for SignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.uri {
            Ok(uri) => {
                f.write_str(uri.authority().map_or("", |authority| authority.as_str()))?;
                f.write_str(uri.path())
            }
            Err(_) => f.write_str("(invalid URL)"),
        }
    }
}

impl fmt::Debug for SignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedUrl({self})")
    }
}

impl From<String> for SignedUrl {
    fn from(url: String) -> Self {
        Self::new(url)
    }
}

impl From<&str> for SignedUrl {
    fn from(url: &str) -> Self {
        Self::new(url)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(url: &str, shown: &str, error: Option<&str>) {
        let signed = SignedUrl::new(url);
        assert_eq!(signed.to_string(), shown);
        assert_eq!(format!("{signed:?}"), format!("SignedUrl({shown})"));
        assert_eq!(signed.check().err().map(|e| e.to_string()).as_deref(), error);
    }

    #[test]
    fn u9_only_host_and_path_are_shown() {
        check("https://h/p/a.jpg?sig=s3cret", "h/p/a.jpg", None);
        check("http://h:8080?sig=s3cret", "h:8080/", None);
        check("http://[::1]:80/a#s3cret", "[::1]:80/a", None);
        check("https://me:s3cret@h/p", "(invalid URL)", Some(&InvalidUrl::UserInfo.to_string()));
        check("ftp://h/s3cret", "(invalid URL)", Some("the URL must begin with http:// or https://"));
        check("s3cret", "(invalid URL)", Some("the URL must begin with http:// or https://"));
        check("/p?s3cret", "(invalid URL)", Some("the URL must begin with http:// or https://"));
        check("", "(invalid URL)", Some("the URL cannot be parsed: empty string"));
        check("http://h/a b?s3cret", "(invalid URL)", Some("the URL cannot be parsed: invalid uri character"));
        check("http:///s3cret", "(invalid URL)", Some("the URL cannot be parsed: invalid format"));
    }

    #[test]
    fn u8_the_request_target_is_kept_byte_for_byte() {
        for target in ["/a%2Fb%2f%7e~?x=%20+%zz&&y", "/?", "/a//../b?q=%E2%82%AC", "/a?b?c=/d"] {
            let url = SignedUrl::new(format!("http://h{target}"));
            let uri = url.uri().expect("valid");
            assert_eq!(uri.path_and_query().map(http::uri::PathAndQuery::as_str), Some(target));
        }
    }

    #[test]
    fn redirects_lead_to_absolute_urls_and_paths_and_never_down_to_http() {
        #[track_caller]
        fn check(from: &str, location: &str, to: Option<&str>) {
            let redirected = SignedUrl::new(from).redirected(location);
            assert_eq!(redirected.map(|url| url.uri().expect("valid").to_string()).as_deref(), to);
        }
        check("https://h:1/a?b", "/c?d", Some("https://h:1/c?d"));
        check("http://h/a", "https://i/", Some("https://i/"));
        check("http://h/a", "http://i/", Some("http://i/"));
        check("https://h/a", "http://h/a", None);
        for doubtful in ["c", "../c", "//i/c", "?d", "", "ftp://i/", "javascript:x", "http://u:p@i/"] {
            check("http://h/a", doubtful, None);
            check("https://h/a", doubtful, None);
        }
    }

    proptest! {
        #[test]
        fn u9_no_query_of_a_hostile_url_is_shown(prefix in "[ -~]{0,20}", secret in "[g-z]{12}") {
            for url in [format!("https://h/{prefix}?{secret}"), format!("https://u:{secret}@h/{prefix}"), format!("https://h/?{prefix}{secret}")] {
                let signed = SignedUrl::new(url);
                let shown = format!("{signed} {signed:?} {:?} {:?}", signed.check(), signed.check().map_err(|e| e.to_string()));
                prop_assert!(!shown.contains(&secret), "{shown}");
            }
        }
    }
}
