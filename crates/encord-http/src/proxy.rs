//! Proxies: which request goes through which.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::sync::Arc;

use http::uri::{Authority, Scheme};
use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use thiserror::Error;

use crate::attempt::{Fault, FaultKind};

/// An HTTP proxy, with its credentials if it wants any.
///
/// Requests to `https` URLs pass through a `CONNECT` tunnel (RFC 9110 §9.3.6), so that the proxy sees host and port only. Those
/// to `http` URLs are sent to the proxy as they are, query included. `Debug` and `Display` show host and port only.
///
/// ```
/// let proxy = encord_http::Proxy::new("http://me:s3cret@proxy.example:3128")?;
/// assert_eq!(proxy.to_string(), "proxy.example:3128");
/// # Ok::<(), encord_http::InvalidProxy>(())
/// ```
#[derive(Clone)]
pub struct Proxy {
    intercept: Intercept,
}

/// Which requests go through which proxy.
///
/// ```
/// use encord_http::{Client, Proxies, Proxy};
/// use encord_http_settings::RequestsSettings;
///
/// let proxies = Proxies::all(Proxy::new("proxy.example:3128")?).except("internal.example, 10.0.0.0/8");
/// let client = Client::builder(RequestsSettings::default()).proxy(proxies).build();
/// # Ok::<(), encord_http::InvalidProxy>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    http: Option<Result<Proxy, Unusable>>,
    https: Option<Result<Proxy, Unusable>>,
    exceptions: Option<Arc<Exceptions>>,
}

/// Why a proxy cannot be used. The message never repeats what was given, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidProxy {
    /// Not a URL at all. A password with `@`, `/`, `?` or `#` in it has to be percent-encoded.
    #[error("the proxy's URL cannot be parsed: {0}")]
    Syntax(Box<str>),
    /// A proxy that speaks something else, such as SOCKS.
    #[error("proxies of the scheme {0} are not supported, only those of http and https are")]
    Scheme(Box<str>),
    /// No host.
    #[error("the proxy's URL has no host")]
    Host,
}

/// A variable of the environment that does not name a proxy. Told by the request that needs it: to go around a proxy that was
/// asked for would be worse.
#[derive(Debug, Clone)]
struct Unusable {
    variable: &'static str,
    reason: InvalidProxy,
}

struct Exceptions {
    all: bool,
    some: Matcher,
}

impl Proxy {
    /// Takes the URL of a proxy: `http://` or `https://` (how the proxy itself is spoken to; without it `http://`), an optional
    /// percent-encoded `user:password@`, host, port (default: that of the scheme, 80 or 443). A path is ignored.
    ///
    /// # Errors
    ///
    /// [`InvalidProxy`] when it is not such a URL.
    pub fn new(url: impl AsRef<str>) -> Result<Self, InvalidProxy> {
        let url = url.as_ref().trim();
        // None of the texts of `http` repeats the input.
        let uri: Uri = url.parse().map_err(|e: http::uri::InvalidUri| InvalidProxy::Syntax(e.to_string().into()))?;
        if let Some(scheme) = uri.scheme().filter(|&scheme| scheme != &Scheme::HTTP && scheme != &Scheme::HTTPS) {
            return Err(InvalidProxy::Scheme(scheme.as_str().into()));
        }
        let authority = uri.authority().ok_or(InvalidProxy::Host)?;
        if authority.host().is_empty() {
            return Err(InvalidProxy::Host);
        }
        // Else a `/` or an `@` in the password would make a host of a part of the credentials.
        if url.matches('@').count() > usize::from(authority.as_str().contains('@')) {
            return Err(InvalidProxy::Syntax("an @ that does not end the credentials".into()));
        }
        let intercept = Matcher::builder().all(url).build().intercept(&Uri::from_static("http://any.invalid/"));
        intercept.map(|intercept| Self { intercept }).ok_or_else(|| InvalidProxy::Syntax("invalid format".into()))
    }

    pub(crate) fn uri(&self) -> &Uri {
        self.intercept.uri()
    }

    pub(crate) fn authorization(&self) -> Option<&HeaderValue> {
        self.intercept.basic_auth()
    }

    /// The fault, which happened on the way to the proxy, saying so.
    pub(crate) fn blame(&self, fault: &Fault) -> Fault {
        let detail = match fault.detail() {
            "" => format!("proxy {self}"),
            detail => format!("proxy {self}: {detail}"),
        };
        fault.clone().with_detail(detail)
    }
}

impl Proxies {
    /// No proxy for any request.
    pub fn none() -> Self {
        Self::default()
    }

    /// This proxy for every request.
    pub fn all(proxy: Proxy) -> Self {
        Self::none().http(proxy.clone()).https(proxy)
    }

    /// What the environment of this process asks for: see [`Proxies::from_variables`].
    pub fn from_env() -> Self {
        Self::from_variables(std::env::vars_os())
    }

    /// What these variables ask for, by the rules of curl: `HTTP_PROXY` for `http` URLs, `HTTPS_PROXY` for `https` URLs,
    /// `ALL_PROXY` where the one for the scheme is missing, and `NO_PROXY` with the [exceptions](Self::except). A variable in
    /// lower case goes before the same in upper case. An empty one counts as missing. `HTTP_PROXY` in upper case is ignored
    /// where there is a `REQUEST_METHOD`: in a CGI program it is the `Proxy` header of whoever called.
    ///
    /// A value that is not the URL of a proxy fails the requests that would go through it, with [`FaultKind::Proxy`].
    pub fn from_variables<K, V>(variables: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        let wanted = |name: &OsStr| {
            let name = name.to_str()?;
            (name == "REQUEST_METHOD" || name.to_ascii_lowercase().ends_with("_proxy")).then(|| name.to_owned())
        };
        let mut found: HashMap<String, OsString> = HashMap::new();
        for (name, value) in variables {
            if let Some(name) = wanted(name.as_ref())
                && !value.as_ref().is_empty()
            {
                found.insert(name, value.as_ref().to_owned());
            }
        }
        if found.contains_key("REQUEST_METHOD") {
            found.remove("HTTP_PROXY");
        }
        let proxy = |names: &[&'static str]| {
            let (variable, value) = names.iter().find_map(|&name| Some((name, found.get(name)?)))?;
            let proxy = value.to_str().ok_or(InvalidProxy::Syntax("not UTF-8".into())).and_then(Proxy::new);
            Some(proxy.map_err(|reason| Unusable { variable, reason }))
        };
        let proxies = Self {
            http: proxy(&["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]),
            https: proxy(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            exceptions: None,
        };
        match found.get("no_proxy").or_else(|| found.get("NO_PROXY")) {
            Some(list) => proxies.except(&list.to_string_lossy()),
            None => proxies,
        }
    }

    /// This proxy for `http` URLs.
    #[must_use]
    pub fn http(mut self, proxy: Proxy) -> Self {
        self.http = Some(Ok(proxy));
        self
    }

    /// This proxy for `https` URLs.
    #[must_use]
    pub fn https(mut self, proxy: Proxy) -> Self {
        self.https = Some(Ok(proxy));
        self
    }

    /// No proxy for these hosts, in place of the exceptions so far. A list separated by commas or blanks of host names (which
    /// stand for their subdomains too, with or without a leading dot), IP addresses, networks (`10.0.0.0/8`), or `*` for every
    /// host. As with curl, the local host is no exception unless it is named.
    #[must_use]
    pub fn except(mut self, hosts: &str) -> Self {
        let hosts: Vec<_> = hosts.split([',', ' ', '\t']).map(without_root).collect();
        // The matcher knows exceptions only in company of a proxy, and `*` only for host names.
        let some = Matcher::builder().all("any.invalid").no(hosts.join(",")).build();
        self.exceptions = Some(Arc::new(Exceptions { all: hosts.contains(&"*"), some }));
        self
    }

    /// The proxy that a request to `uri` goes through.
    pub(crate) fn select(&self, uri: &Uri) -> Result<Option<&Proxy>, Fault> {
        let proxy = if uri.scheme() == Some(&Scheme::HTTP) { &self.http } else { &self.https };
        let excepted = || self.exceptions.as_ref().is_some_and(|exceptions| exceptions.contain(uri));
        match proxy {
            Some(proxy) if !excepted() => proxy.as_ref().map(Some).map_err(Unusable::fault),
            _ => Ok(None),
        }
    }

    /// The `Proxy-Authorization` of a request to `uri`. A request that goes through a tunnel must not carry it.
    pub(crate) fn authorization(&self, uri: &Uri) -> Option<&HeaderValue> {
        if uri.scheme() != Some(&Scheme::HTTP) {
            return None;
        }
        self.select(uri).ok().flatten()?.authorization()
    }
}

/// A name without the dot of the root, with which it may be written.
fn without_root(host: &str) -> &str {
    host.strip_suffix('.').filter(|name| *name != "*").unwrap_or(host)
}

impl From<Proxy> for Proxies {
    /// This proxy for every request.
    fn from(proxy: Proxy) -> Self {
        Self::all(proxy)
    }
}

impl Unusable {
    fn fault(&self) -> Fault {
        Fault::new(FaultKind::Proxy, format!("{}: {}", self.variable, self.reason)).with_source(self.reason.clone())
    }
}

impl Exceptions {
    fn contain(&self, uri: &Uri) -> bool {
        self.all || self.some.intercept(uri).is_none()
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.uri().authority().map_or("", Authority::as_str))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

impl fmt::Debug for Exceptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.all { "Exceptions(*)" } else { "Exceptions(…)" })
    }
}

#[cfg(test)]
mod tests;
