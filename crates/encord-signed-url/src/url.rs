//! The type that holds a URL and never shows its query.

use std::fmt;

use http::Uri;

use crate::invalid::InvalidUrl;
use crate::origin::Origin;

/// A URL that may carry a credential, as every signed URL does (rule U9).
///
/// `Debug` and `Display` show host and path only. Only [`SignedUrl::expose`] returns the query, for the request line, which
/// carries it byte for byte as it was given (rule U8). A fragment is never sent.
///
/// Making a `SignedUrl` never fails, so that a bad URL in a list fails only its own request: see [`SignedUrl::check`].
///
/// ```
/// let url = encord_signed_url::SignedUrl::new("https://storage.example/bucket/cat.jpg?X-Goog-Signature=c0ffee");
/// assert_eq!(url.to_string(), "storage.example/bucket/cat.jpg");
/// assert_eq!(format!("{url:?}"), "SignedUrl(storage.example/bucket/cat.jpg)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SignedUrl {
    target: Result<Target, InvalidUrl>,
}

#[derive(Clone, PartialEq, Eq)]
struct Target {
    uri: Uri,
    origin: Origin,
}

impl SignedUrl {
    /// Takes a URL as it is.
    pub fn new(url: impl Into<String>) -> Self {
        Self { target: parse(&url.into()) }
    }

    /// Whether the URL can be requested.
    ///
    /// # Errors
    ///
    /// [`InvalidUrl`] when it is not an absolute `http` or `https` URL.
    pub fn check(&self) -> Result<(), InvalidUrl> {
        self.target().map(drop)
    }

    /// Returns the whole URL and its origin. The query is a secret: use it for the request line only, and never show it to a
    /// person.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    pub fn expose(&self) -> Result<(&Uri, &Origin), InvalidUrl> {
        self.target().map(|target| (&target.uri, &target.origin))
    }

    /// Scheme, host and port. `None` if the URL cannot be requested.
    pub fn origin(&self) -> Option<&Origin> {
        self.target.as_ref().ok().map(|target| &target.origin)
    }

    /// Returns the URL of a `Location` header, which is an absolute URL, or an absolute path on the same host.
    ///
    /// `None` for every other form, for a redirect from https to http, and for a URL that cannot be requested.
    #[must_use]
    pub fn redirected(&self, location: &str) -> Option<Self> {
        let Target { uri, origin } = self.target().ok()?;
        let to = if location.starts_with('/') && !location.starts_with("//") {
            Self::new(format!("{}://{}{location}", origin.scheme(), uri.authority()?))
        } else {
            Self::new(location)
        };
        let is_secure = to.origin()?.is_https();
        (is_secure || !origin.is_https()).then_some(to)
    }

    fn target(&self) -> Result<&Target, InvalidUrl> {
        self.target.as_ref().map_err(Clone::clone)
    }
}

fn parse(url: &str) -> Result<Target, InvalidUrl> {
    if let Some(position) = url.chars().position(char::is_whitespace) {
        return Err(InvalidUrl::Blank { position: position + 1 });
    }
    // The crate `http` has its own error texts for empty and overlong strings. None of them repeats the input.
    let uri = match Uri::try_from(url) {
        Ok(uri) => uri,
        Err(_) if has_invalid_port(url) => return Err(InvalidUrl::Port),
        Err(e) => return Err(InvalidUrl::Syntax(e.to_string().into())),
    };
    let origin = Origin::of(&uri)?;
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(InvalidUrl::UserInfo);
    }
    Ok(Target { uri, origin })
}

/// Whether the port is invalid. The crate `http` refuses some invalid ports without naming the port as the reason.
fn has_invalid_port(url: &str) -> bool {
    let after_scheme = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = after_scheme.split(['/', '?', '#']).next().unwrap_or_default();
    let port = authority.rsplit_once(':').map(|(_, port)| port);
    !authority.contains(['@', '[']) && port.is_some_and(|port| !port.bytes().all(|byte| byte.is_ascii_digit()))
}

impl fmt::Display for SignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            Ok(Target { uri, .. }) => {
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
        check("http://h/\u{7f}?s3cret", "(invalid URL)", Some("the URL cannot be parsed: invalid uri character"));
        check("http:///s3cret", "(invalid URL)", Some("the URL cannot be parsed: invalid format"));
    }

    #[test]
    fn the_origin_names_the_port_and_has_one_spelling() {
        #[track_caller]
        fn check(url: &str, origin: Option<&str>) {
            assert_eq!(SignedUrl::new(url).origin().map(ToString::to_string).as_deref(), origin, "{url}");
        }
        check("https://Storage.Example/a?s3cret", Some("https://storage.example:443"));
        check("https://storage.example:443/b", Some("https://storage.example:443"));
        check("HTTP://h:8080", Some("http://h:8080"));
        check("http://h:0080/", Some("http://h:80"));
        check("http://[::1]/", Some("http://[::1]:80"));
        check("http://[::1]:65535/", Some("http://[::1]:65535"));
        check("http://me:s3cret@h/", None);
        check("s3cret", None);
    }

    #[test]
    fn u6_a_blank_is_named_with_its_place() {
        #[track_caller]
        fn check_blank(url: &str, position: usize) {
            let text = format!(
                "character {position} of the URL is a blank or a line break; a blank that belongs to the URL is written %20"
            );
            check(url, "(invalid URL)", Some(&text));
        }
        check_blank("http://h/a b?s3cret", 11);
        check_blank(" http://h/a?s3cret", 1);
        check_blank("http://h/a?s3cret\n", 18);
        check_blank("http://h/ä\t?s3cret", 11);
    }

    #[test]
    fn u9_a_port_that_is_none_is_refused_and_not_shown() {
        let text = InvalidUrl::Port.to_string();
        for port in
            ["99999", "65536", "0", "00000", "", "8080x", "-1", "+80", "s3cret", "999999999999999999999", "0x50"]
        {
            for url in [format!("http://h:{port}/a?b"), format!("https://h:{port}"), format!("http://h:{port}?b")] {
                check(&url, "(invalid URL)", Some(&text));
            }
        }
        for port in ["99999", "0", ""] {
            check(&format!("http://[::1]:{port}/a?b"), "(invalid URL)", Some(&text));
        }
    }

    #[test]
    fn u8_the_request_target_is_kept_byte_for_byte() {
        for target in ["/a%2Fb%2f%7e~?x=%20+%zz&&y", "/?", "/a//../b?q=%E2%82%AC", "/a?b?c=/d"] {
            let url = SignedUrl::new(format!("http://h{target}"));
            let (uri, _) = url.expose().expect("valid");
            assert_eq!(uri.path_and_query().map(http::uri::PathAndQuery::as_str), Some(target));
        }
    }

    #[test]
    fn redirects_lead_to_absolute_urls_and_paths_and_never_down_to_http() {
        #[track_caller]
        fn check(from: &str, location: &str, to: Option<&str>) {
            let redirected = SignedUrl::new(from).redirected(location);
            assert_eq!(redirected.map(|url| url.expose().expect("valid").0.to_string()).as_deref(), to);
        }
        check("https://h:1/a?b", "/c?d", Some("https://h:1/c?d"));
        check("http://h/a", "https://i/", Some("https://i/"));
        check("http://h/a", "http://i/", Some("http://i/"));
        check("https://h/a", "http://h/a", None);
        for doubtful in [
            "c",
            "../c",
            "//i/c",
            "?d",
            "",
            "ftp://i/",
            "javascript:x",
            "http://u:p@i/",
            "http://i:99999/",
            "http://i:/",
        ] {
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
