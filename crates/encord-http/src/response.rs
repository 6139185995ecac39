//! A response.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::attempt::Attempt;
use crate::digest::Sent;

/// A response, and the account of how it was obtained. Its body is there ([`Client::send`](crate::Client::send)), or a stream
/// ([`Client::stream`](crate::Client::stream)).
#[derive(Clone)]
pub struct Response<B = Bytes> {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: B,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) sent: Sent,
    pub(crate) opened: bool,
}

impl<B> Response<B> {
    /// The status, below 400.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers, as they came.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body. One that came compressed by gzip because the client had asked for it is decompressed.
    pub fn body(&self) -> &B {
        &self.body
    }

    /// The body, to read from.
    pub fn body_mut(&mut self) -> &mut B {
        &mut self.body
    }

    /// The body, without the rest.
    pub fn into_body(self) -> B {
        self.body
    }

    /// The length of the payload that was sent with the last attempt, in bytes. 0 when it was a stream of unknown length.
    pub fn sent(&self) -> u64 {
        self.sent.length
    }

    /// The payload that was sent with the last attempt. Of a [stream](crate::Client::stream): as it was when the head came.
    pub fn payload(&self) -> &Sent {
        &self.sent
    }

    /// Whether the last attempt opened its connection. `false`: it used one that an earlier request had left.
    pub fn opened_connection(&self) -> bool {
        self.opened
    }

    /// All attempts, the last of which brought this response.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// All attempts, without the rest.
    pub fn into_attempts(self) -> Vec<Attempt> {
        self.attempts
    }
}

impl<T> Response<T> {
    pub(crate) fn with_body<B>(self, body: B) -> Response<B> {
        let Self { status, headers, body: _, attempts, sent, opened } = self;
        Response { status, headers, body, attempts, sent, opened }
    }
}

#[cfg(feature = "json")]
impl Response {
    /// The body, read as JSON.
    ///
    /// # Errors
    ///
    /// What is wrong with the JSON, and where.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}

impl<B> fmt::Debug for Response<B> {
    /// Header values and the body may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({} after {} attempts)", self.status, self.attempts.len())
    }
}
