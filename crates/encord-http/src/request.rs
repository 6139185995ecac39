//! A request, with what it needs to be sent more than once.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use encord_http_settings::RequestsSettings;
use encord_signed_url::SignedUrl;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::clock::Profile;
use crate::meter::Meter;
use crate::payload::Payload;

/// One request. Sending it borrows it, so it can be sent again.
///
/// ```
/// use encord_http::{Payload, Request};
///
/// let request = Request::put("https://storage.example/cat.jpg?sig=c0ffee", Payload::file("cat.jpg"));
/// assert_eq!(format!("{request:?}"), "Request(PUT storage.example/cat.jpg)");
/// ```
#[derive(Clone)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) url: SignedUrl,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Payload,
    pub(crate) idempotent: bool,
    pub(crate) settings: Option<RequestsSettings>,
    pub(crate) profile: Profile,
    pub(crate) deadline: Option<Duration>,
    pub(crate) redirects: u8,
    pub(crate) meter: Option<Arc<Meter>>,
}

impl Request {
    /// A request without payload. Idempotent if its method is (rule R4, RFC 9110 §9.2.2): GET, HEAD, OPTIONS, TRACE, PUT, DELETE.
    pub fn new(method: Method, url: impl Into<SignedUrl>) -> Self {
        Self {
            idempotent: method.is_idempotent(),
            method,
            url: url.into(),
            headers: HeaderMap::new(),
            payload: Payload::empty(),
            settings: None,
            profile: Profile::Total,
            deadline: None,
            redirects: 0,
            meter: None,
        }
    }

    /// A `GET`.
    pub fn get(url: impl Into<SignedUrl>) -> Self {
        Self::new(Method::GET, url)
    }

    /// A `PUT` of a payload.
    pub fn put(url: impl Into<SignedUrl>, payload: impl Into<Payload>) -> Self {
        Self::new(Method::PUT, url).payload(payload)
    }

    /// A `POST` of a payload. Not retried on `max_retries` unless marked as [`idempotent`](Self::idempotent).
    pub fn post(url: impl Into<SignedUrl>, payload: impl Into<Payload>) -> Self {
        Self::new(Method::POST, url).payload(payload)
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The URL.
    pub fn url(&self) -> &SignedUrl {
        &self.url
    }

    /// Sets the payload.
    #[must_use]
    pub fn payload(mut self, payload: impl Into<Payload>) -> Self {
        self.payload = payload.into();
        self
    }

    /// Sets a header, in place of one of the same name. `Content-Length`, `Transfer-Encoding`, `Connection`
    /// and `Expect` are the client's to say and are overwritten or dropped.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Says whether the request may be sent twice (rule R4).
    #[must_use]
    pub fn idempotent(mut self, idempotent: bool) -> Self {
        self.idempotent = idempotent;
        self
    }

    /// Sends this request, and no other, under these settings instead of the client's (rule R10).
    #[must_use]
    pub fn settings(mut self, settings: RequestsSettings) -> Self {
        self.settings = Some(settings);
        self
    }

    /// How the clocks are read. Default: [`Profile::Total`].
    #[must_use]
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// Bounds the whole request, from [`Client::send`](crate::Client::send) on, with all its attempts and waits. A wait that
    /// would pass the deadline is not begun. Default: no bound beyond the settings'.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Follows up to `most` redirects of a `GET` or `HEAD`. Default: none; a redirect is a response like any other.
    ///
    /// Never followed: from https to http, with a payload, or to a `Location` that is neither an absolute URL nor an absolute
    /// path. `Authorization` and `Cookie` stay behind when the host or port changes. Each hop has budgets of its own.
    #[must_use]
    pub fn follow_redirects(mut self, most: u8) -> Self {
        self.redirects = most;
        self
    }

    /// Counts the bytes of the payload as they are handed over for sending. Requests may share a meter.
    #[must_use]
    pub fn meter(mut self, meter: Arc<Meter>) -> Self {
        self.meter = Some(meter);
        self
    }

    /// Sets a JSON payload and its `Content-Type`.
    ///
    /// # Errors
    ///
    /// What serialising the value comes to.
    #[cfg(feature = "json")]
    pub fn json(self, value: &impl serde::Serialize) -> Result<Self, serde_json::Error> {
        let payload = serde_json::to_vec(value)?;
        Ok(self.header(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json")).payload(payload))
    }
}

impl fmt::Debug for Request {
    /// Method, host and path: header values may be credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} {})", self.method, self.url)
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
            assert_eq!(Request::new(method.clone(), "http://h/").idempotent, expected, "{method}");
        }
    }
}
