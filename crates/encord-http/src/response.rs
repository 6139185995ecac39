//! A whole response.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::attempt::Attempt;

/// A response with its body, and the account of how it was obtained.
#[derive(Clone)]
pub struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) sent: u64,
}

impl Response {
    /// The status, below 400. A redirect is handed over like any other answer; it is never followed.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The body, without the rest.
    pub fn into_body(self) -> Bytes {
        self.body
    }

    /// The length of the payload that was sent with the last attempt, in bytes.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// All attempts, without the rest.
    pub fn into_attempts(self) -> Vec<Attempt> {
        self.attempts
    }

    /// All attempts, the last of which brought this response.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({}, {} bytes, {} attempts)", self.status, self.body.len(), self.attempts.len())
    }
}
