//! The client: attempts, and the waits between them.

use std::fmt;
use std::sync::Arc;

use encord_http_settings::RequestsSettings;

use crate::attempts::Attempts;
use crate::body::Body;
use crate::error::Error;
use crate::request::Request;
use crate::response::Response;
use crate::shared::Shared;

/// An HTTP/1.1 client that keeps [`RequestsSettings`].
///
/// Cheap to clone; clones share their connections. Its settings are fixed when it is made (rule R10). It may be used by several
/// runtimes, at the same time and one after the other: each has connections of its own.
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
}

impl Client {
    /// The settings this client was made with.
    pub fn settings(&self) -> &RequestsSettings {
        &self.shared.options.settings
    }

    /// Sends a request, again if need be, and reads the whole response, at most [`MAX_BODY`](crate::MAX_BODY) bytes of it.
    /// Needs a tokio runtime with time and I/O enabled.
    ///
    /// Dropping the future stops everything at once and closes the connection in use.
    ///
    /// # Errors
    ///
    /// [`Error`] when the last attempt brought no whole answer or a status of 400 and above. Lower ones, redirects among them,
    /// are responses.
    pub async fn send(&self, request: &Request) -> Result<Response, Error> {
        let mut attempts = self.begin(request.clone());
        loop {
            match attempts.attempt().await {
                Ok(response) => return Ok(response),
                Err(failed) => failed.wait().await?,
            }
        }
    }

    /// Like [`send`](Self::send), but leaves the body of the response to be read piece by piece, under the read clock. A
    /// failure from then on is not retried.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), for what comes before the body.
    pub async fn stream(&self, request: &Request) -> Result<Response<Body>, Error> {
        let mut attempts = self.begin(request.clone());
        loop {
            match attempts.stream().await {
                Ok(response) => return Ok(response),
                Err(failed) => failed.wait().await?,
            }
        }
    }

    /// Gives the attempts of a request into the caller's hands. Sends nothing yet; the [deadline](Request::deadline) runs.
    pub fn begin(&self, request: Request) -> Attempts {
        Attempts::new(Arc::clone(&self.shared), request)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("settings", self.settings()).finish_non_exhaustive()
    }
}
