//! A response.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::attempt::Attempt;
use crate::digest::Sent;

/// A response, with the attempts that led to it. The body is in memory ([`Client::send`](crate::Client::send)), or a stream
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

    /// The headers as they were received.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body. If the client asked for gzip and the server used it, the body is decompressed.
    pub fn body(&self) -> &B {
        &self.body
    }

    /// The body, to be read.
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

    /// The payload that was sent with the last attempt. For a response of [`Client::stream`](crate::Client::stream) it shows the
    /// state when the head arrived.
    pub fn payload(&self) -> &Sent {
        &self.sent
    }

    /// Whether the last attempt opened a new connection. `false` if it reused the connection of an earlier request.
    pub fn opened_connection(&self) -> bool {
        self.opened
    }

    /// All attempts, in order. The last one got this response.
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
    /// The body is not JSON of this type. The error says what is wrong, and where.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}

impl<B> fmt::Debug for Response<B> {
    /// Leaves out header values and the body, which may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({} after {} attempts)", self.status, self.attempts.len())
    }
}
