//! Proxies: which request goes through which.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use encord_signed_url::{InvalidUrl, Origin, SignedUrl};
use http::{HeaderValue, Uri};
use percent_encoding::percent_decode_str;
use thiserror::Error;

use crate::fault::{Fault, FaultKind};
use crate::rules::exceptions::Exceptions;

/// An HTTP proxy, with its credentials if it needs any.
///
/// Requests to `https` URLs pass through a `CONNECT` tunnel (RFC 9110 §9.3.6), so that the proxy sees host and port only.
/// Requests to `http` URLs are sent to the proxy unencrypted, with the query. `Debug` and `Display` show host and port only.
///
/// ```
/// let proxy = encord_http::Proxy::new("http://me:s3cret@proxy.example:3128")?;
/// assert_eq!(proxy.to_string(), "proxy.example:3128");
/// # Ok::<(), encord_http::InvalidProxy>(())
/// ```
#[derive(Clone)]
pub struct Proxy {
    origin: Origin,
    authorization: Option<HeaderValue>,
}

/// Which requests go through which proxy.
///
/// ```
/// use encord_http::{Client, Proxies, Proxy};
/// use encord_http_settings::RequestsSettings;
///
/// let proxies = Proxies::all(Proxy::new("proxy.example:3128")?).except("internal.example, 10.0.0.0/8");
/// let client = Client::builder(RequestsSettings::default()).proxy(proxies).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    http: Option<Result<Proxy, Unusable>>,
    https: Option<Result<Proxy, Unusable>>,
    exceptions: Exceptions,
}

/// Why a proxy cannot be used. The message never repeats the input, which may contain a password.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidProxy {
    /// Not a URL at all. A password with `@`, `/`, `?` or `#` in it has to be percent-encoded.
    #[error("the proxy's URL cannot be parsed: {0}")]
    Syntax(Box<str>),
    /// The proxy uses another protocol, such as SOCKS.
    #[error("proxies of the scheme {0} are not supported, only those of http and https are")]
    Scheme(Box<str>),
    /// No host.
    #[error("the proxy's URL has no host")]
    Host,
    /// A port that does not exist.
    #[error("the port of the proxy's URL is not a number from 1 to 65535")]
    Port,
}

/// A variable of the environment that is not the URL of a proxy. Each request that would use it fails, because sending the
/// request without the proxy would be worse.
#[derive(Debug, Clone)]
struct Unusable {
    variable: &'static str,
    reason: InvalidProxy,
}

impl Proxy {
    /// Takes the URL of a proxy. It has a scheme, `http://` (the default) or `https://`, for the connection to the proxy itself;
    /// an optional percent-encoded `user:password@`; a host; and a port (default: 80 or 443, by the scheme). A path is ignored.
    ///
    /// # Errors
    ///
    /// [`InvalidProxy`] when it is not such a URL.
    pub fn new(url: impl AsRef<str>) -> Result<Self, InvalidProxy> {
        let url = url.as_ref().trim();
        let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let scheme = url.split("://").next().unwrap_or_default();
        if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            return Err(InvalidProxy::Scheme(scheme.into()));
        }
        // No error text of the crate `http` repeats the input.
        let uri: Uri = url.parse().map_err(|e: http::uri::InvalidUri| InvalidProxy::Syntax(e.to_string().into()))?;
        let origin = Origin::of(&uri).map_err(|e| match e {
            InvalidUrl::Port => InvalidProxy::Port,
            _ => InvalidProxy::Host,
        })?;
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        // Otherwise a `/` or an `@` in the password would turn a part of the credentials into the host.
        if url.matches('@').count() > usize::from(authority.contains('@')) {
            return Err(InvalidProxy::Syntax("an @ that does not end the credentials".into()));
        }
        let authorization = authority.rsplit_once('@').map(|(credentials, _)| basic(credentials)).transpose()?;
        Ok(Self { origin, authorization })
    }

    /// Scheme, host and port of the proxy.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    /// Adds the name of the proxy to a fault of the connection to it.
    pub(crate) fn annotate(&self, fault: &Fault) -> Fault {
        let detail = match fault.detail() {
            "" => format!("proxy {self}"),
            detail => format!("proxy {self}: {detail}"),
        };
        fault.clone().with_detail(detail)
    }
}

impl Proxies {
    /// Uses no proxy for any request.
    pub fn none() -> Self {
        Self::default()
    }

    /// This proxy for every request.
    pub fn all(proxy: Proxy) -> Self {
        Self::none().http(proxy.clone()).https(proxy)
    }

    /// Reads the proxies from the environment of this process: see [`Proxies::from_variables`].
    pub fn from_env() -> Self {
        Self::from_variables(std::env::vars_os())
    }

    /// Reads the proxies from these variables, by the rules of curl: `HTTP_PROXY` for `http` URLs, `HTTPS_PROXY` for `https`
    /// URLs, `ALL_PROXY` if the variable of the scheme is missing, and `NO_PROXY` for the [exceptions](Self::except). A variable
    /// in lower case has precedence over the same in upper case. An empty variable counts as missing. `HTTP_PROXY` in upper case
    /// is ignored if `REQUEST_METHOD` is set, because in a CGI program it comes from the caller's `Proxy` header.
    ///
    /// If a value is not the URL of a proxy, the requests that would use it fail with [`FaultKind::Proxy`].
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
            exceptions: Exceptions::default(),
        };
        match found.get("no_proxy").or_else(|| found.get("NO_PROXY")) {
            Some(list) => proxies.except(&list.to_string_lossy()),
            None => proxies,
        }
    }

    /// Uses this proxy for `http` URLs.
    #[must_use]
    pub fn http(mut self, proxy: Proxy) -> Self {
        self.http = Some(Ok(proxy));
        self
    }

    /// Uses this proxy for `https` URLs.
    #[must_use]
    pub fn https(mut self, proxy: Proxy) -> Self {
        self.https = Some(Ok(proxy));
        self
    }

    /// Uses no proxy for these hosts. Replaces earlier exceptions. `hosts` is a list, separated by commas or blanks, of host
    /// names, IP addresses and networks (`10.0.0.0/8`); `*` means every host. A host name, with or without a leading dot,
    /// includes its subdomains. With a port (`host:8080`) a host or address matches only this port. As with curl, localhost must
    /// be named to be an exception.
    #[must_use]
    pub fn except(mut self, hosts: &str) -> Self {
        self.exceptions = Exceptions::parse(hosts);
        self
    }

    /// Whether a request to this URL can be sent, without sending it.
    ///
    /// # Errors
    ///
    /// The URL cannot be requested, or its proxy cannot be used.
    pub fn check(&self, url: &SignedUrl) -> Result<(), Fault> {
        let (_, origin) = url.expose().map_err(|e| Fault::new(FaultKind::Url, e.to_string()).with_source(e))?;
        self.select(origin).map(drop)
    }

    /// The proxy that a request to `origin` goes through.
    pub(crate) fn select(&self, origin: &Origin) -> Result<Option<&Proxy>, Fault> {
        let proxy = if origin.is_https() { &self.https } else { &self.http };
        match proxy {
            Some(proxy) if !self.exceptions.contain(origin) => proxy.as_ref().map(Some).map_err(Unusable::fault),
            _ => Ok(None),
        }
    }

    /// The `Proxy-Authorization` of a request to `origin`. A request through a tunnel must not carry it.
    pub(crate) fn authorization(&self, origin: &Origin) -> Option<&HeaderValue> {
        if origin.is_https() {
            return None;
        }
        self.select(origin).ok().flatten()?.authorization()
    }
}

/// The `Basic` credentials (RFC 7617) of a percent-encoded `user:password`.
fn basic(credentials: &str) -> Result<HeaderValue, InvalidProxy> {
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let mut plain: Vec<u8> = percent_decode_str(user).collect();
    plain.push(b':');
    plain.extend(percent_decode_str(password));
    let value = HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(plain)));
    let mut value = value.map_err(|_| InvalidProxy::Syntax("credentials that cannot be sent".into()))?;
    value.set_sensitive(true);
    Ok(value)
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

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.origin.host(), self.origin.port())
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

#[cfg(test)]
mod tests;
