//! The client: attempts, and the waits between them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use encord_http_settings::RequestsSettings;

use crate::attempts::Attempts;
use crate::body::Body;
use crate::digest::{Checksums, Digests, FileState};
use crate::error::Error;
use crate::fault::Fault;
use crate::net::exchange::Transport;
use crate::payload::digest_file;
use crate::request::Request;
use crate::response::Response;
use crate::shared::Shared;

/// An HTTP/1.1 client that follows [`RequestsSettings`].
///
/// A client is cheap to clone, and clones share their connections. Its settings never change (rule R10). Several runtimes may use
/// one client, at the same time or one after the other; each runtime has its own connections.
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
}

impl Client {
    /// The settings this client was made with.
    pub fn settings(&self) -> &RequestsSettings {
        &self.shared.options.settings
    }

    /// Sends a request, retries it as the settings say, and reads the whole response, up to
    /// [`MAX_BODY_BYTES`](crate::MAX_BODY_BYTES) bytes. It needs a tokio runtime with time and I/O enabled.
    ///
    /// Dropping the future stops everything at once and closes the connection in use.
    ///
    /// # Errors
    ///
    /// [`Error`] when the last attempt got no complete answer, or a status of 400 or above. A lower status, also that of a
    /// redirect, is a response.
    pub async fn send(&self, request: &Request) -> Result<Response, Error> {
        let mut attempts = self.begin(request.clone());
        loop {
            match attempts.attempt().await {
                Ok(response) => return Ok(response),
                Err(failed) => failed.wait().await?,
            }
        }
    }

    /// Sends a request like [`send`](Self::send), but the caller reads the body of the response piece by piece, under the read
    /// clock. A failure while the body is read is not retried.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send), until the head of the response has arrived.
    pub async fn stream(&self, request: &Request) -> Result<Response<Body>, Error> {
        let mut attempts = self.begin(request.clone());
        loop {
            match attempts.stream().await {
                Ok(response) => return Ok(response),
                Err(failed) => failed.wait().await?,
            }
        }
    }

    /// Reads a file as [`Payload::file`](crate::Payload::file) does, and returns the state that it had and its checksums. Nothing
    /// is sent. Dropping the future stops reading.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the file cannot be read, or changes while it is read.
    pub async fn digest_file(
        &self,
        path: impl Into<PathBuf>,
        digests: Digests,
    ) -> Result<(FileState, Checksums), Fault> {
        let Transport { dialer, readers } = &self.shared.transport;
        let path: Arc<Path> = path.into().into();
        dialer.with_descriptor(|| digest_file(Arc::clone(&path), digests, readers)).await
    }

    /// Lets the caller make the attempts of a request one by one. Nothing is sent yet, but the [deadline](Request::deadline)
    /// starts to run.
    pub fn begin(&self, request: Request) -> Attempts {
        Attempts::new(Arc::clone(&self.shared), request)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("settings", self.settings()).finish_non_exhaustive()
    }
}
