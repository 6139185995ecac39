//! A request that can be sent more than once.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use encord_http_settings::RequestsSettings;
use encord_signed_url::SignedUrl;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::meter::Meter;
use crate::payload::Payload;
use crate::phase::Profile;

/// One request. Sending only borrows a request, so it can be sent again.
///
/// ```
/// use encord_http::{Payload, Request};
///
/// let request = Request::put("https://storage.example/cat.jpg?sig=c0ffee", Payload::file("cat.jpg"));
/// assert_eq!(format!("{request:?}"), "Request(PUT storage.example/cat.jpg)");
/// ```
#[derive(Clone)]
pub struct Request(pub(crate) Arc<Inner>);

/// The fields of a request. Its clones share them until one is changed.
#[derive(Clone)]
pub(crate) struct Inner {
    pub(crate) method: Method,
    pub(crate) url: SignedUrl,
    pub(crate) headers: HeaderMap,
    /// The headers that belong to the URL.
    pub(crate) target_headers: HeaderMap,
    pub(crate) payload: Payload,
    pub(crate) idempotent: bool,
    pub(crate) settings: Option<RequestsSettings>,
    pub(crate) profile: Profile,
    pub(crate) deadline: Option<Duration>,
    pub(crate) redirects: u8,
    pub(crate) meter: Option<Arc<Meter>>,
}

impl Request {
    /// Makes a request without payload. It is idempotent if its method is (rule R4, RFC 9110 §9.2.2): GET, HEAD, OPTIONS, TRACE,
    /// PUT, DELETE.
    pub fn new(method: Method, url: impl Into<SignedUrl>) -> Self {
        Self(Arc::new(Inner {
            idempotent: method.is_idempotent(),
            method,
            url: url.into(),
            headers: HeaderMap::new(),
            target_headers: HeaderMap::new(),
            payload: Payload::empty(),
            settings: None,
            profile: Profile::Total,
            deadline: None,
            redirects: 0,
            meter: None,
        }))
    }

    /// A `GET`.
    pub fn get(url: impl Into<SignedUrl>) -> Self {
        Self::new(Method::GET, url)
    }

    /// A `HEAD`.
    pub fn head(url: impl Into<SignedUrl>) -> Self {
        Self::new(Method::HEAD, url)
    }

    /// A `DELETE`.
    pub fn delete(url: impl Into<SignedUrl>) -> Self {
        Self::new(Method::DELETE, url)
    }

    /// A `PUT` of a payload.
    pub fn put(url: impl Into<SignedUrl>, payload: impl Into<Payload>) -> Self {
        Self::new(Method::PUT, url).payload(payload)
    }

    /// Makes a `POST` of a payload. It is not retried on `max_retries` unless it is marked as [`idempotent`](Self::idempotent).
    pub fn post(url: impl Into<SignedUrl>, payload: impl Into<Payload>) -> Self {
        Self::new(Method::POST, url).payload(payload)
    }

    /// Makes a `PATCH` of a payload. It is not retried on `max_retries` unless it is marked as [`idempotent`](Self::idempotent).
    pub fn patch(url: impl Into<SignedUrl>, payload: impl Into<Payload>) -> Self {
        Self::new(Method::PATCH, url).payload(payload)
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.0.method
    }

    /// The URL.
    pub fn url(&self) -> &SignedUrl {
        &self.0.url
    }

    /// Sets the payload.
    #[must_use]
    pub fn payload(mut self, payload: impl Into<Payload>) -> Self {
        self.inner_mut().payload = payload.into();
        self
    }

    /// Adds a header. Earlier headers of the same name stay. `Content-Length`, `Transfer-Encoding`, `Connection` and `Expect` are
    /// set by the client, which overwrites or drops them.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.inner_mut().headers.append(name, value);
        self
    }

    /// Sets the headers that belong to the URL, such as those of a signed URL. They replace headers of the same name. They are
    /// not sent after a redirect to another origin, and not to [another target](crate::Attempts::set_target).
    #[must_use]
    pub fn target_headers(mut self, headers: HeaderMap) -> Self {
        self.inner_mut().target_headers = headers;
        self
    }

    /// Sets whether the request may be sent twice (rule R4).
    #[must_use]
    pub fn idempotent(mut self, idempotent: bool) -> Self {
        self.inner_mut().idempotent = idempotent;
        self
    }

    /// Sends this request with these settings instead of the client's (rule R10). Other requests are not affected.
    #[must_use]
    pub fn settings(mut self, settings: RequestsSettings) -> Self {
        self.inner_mut().settings = Some(settings);
        self
    }

    /// Sets how the limits are interpreted. Default: [`Profile::Total`].
    #[must_use]
    pub fn profile(mut self, profile: Profile) -> Self {
        self.inner_mut().profile = profile;
        self
    }

    /// Bounds the whole request with all its attempts and waits, from [`Client::send`](crate::Client::send) on. A wait that would
    /// pass the deadline is not started. Default: only the limits of the settings apply.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.inner_mut().deadline = Some(deadline);
        self
    }

    /// Follows up to `max` redirects of a `GET` or `HEAD`. Default: none; a redirect is a response like any other.
    ///
    /// A redirect is never followed from https to http, with a payload, or to a `Location` that is neither an absolute URL nor an
    /// absolute path. If scheme, host or port change, only headers that cannot be a credential are sent. Each hop has its own
    /// budgets.
    #[must_use]
    pub fn follow_redirects(mut self, max: u8) -> Self {
        self.inner_mut().redirects = max;
        self
    }

    /// Counts the bytes of the payload while they are sent. Requests may share a meter.
    #[must_use]
    pub fn meter(mut self, meter: Arc<Meter>) -> Self {
        self.inner_mut().meter = Some(meter);
        self
    }

    /// Returns the fields, to change them. Clones of the request do not change.
    pub(crate) fn inner_mut(&mut self) -> &mut Inner {
        Arc::make_mut(&mut self.0)
    }

    pub(crate) fn has_header(&self, name: &HeaderName) -> bool {
        self.0.headers.contains_key(name) || self.0.target_headers.contains_key(name)
    }

    /// Returns all headers. A header of the target replaces headers of the same name.
    pub(crate) fn all_headers(&self) -> HeaderMap {
        let Inner { headers, target_headers, .. } = &*self.0;
        let mut all = headers.clone();
        for name in target_headers.keys() {
            all.remove(name);
        }
        for (name, value) in target_headers {
            all.append(name.clone(), value.clone());
        }
        all
    }

    /// Sets a JSON payload and its `Content-Type`.
    ///
    /// # Errors
    ///
    /// The value cannot be serialised.
    #[cfg(feature = "json")]
    pub fn json(mut self, value: &impl serde::Serialize) -> Result<Self, serde_json::Error> {
        let payload = serde_json::to_vec(value)?;
        let json = HeaderValue::from_static("application/json");
        self.inner_mut().headers.insert(http::header::CONTENT_TYPE, json);
        Ok(self.payload(payload))
    }
}

impl fmt::Debug for Request {
    /// Shows method, host and path only, because header values may be credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} {})", self.0.method, self.0.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r4_which_methods_are_idempotent() {
        for (method, expected) in [
            (Method::GET, true),
            (Method::HEAD, true),
            (Method::OPTIONS, true),
            (Method::TRACE, true),
            (Method::PUT, true),
            (Method::DELETE, true),
            (Method::POST, false),
            (Method::PATCH, false),
            (Method::CONNECT, false),
        ] {
            assert_eq!(Request::new(method.clone(), "http://h/").0.idempotent, expected, "{method}");
        }
    }
}
