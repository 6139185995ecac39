//! The client: attempts, and the waits between them.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use encord_http_settings::RequestsSettings;
use hyper_util::client::legacy;

use crate::attempts::{Attempts, Next, Run};
use crate::body::Body;
use crate::builder::{ClientBuilder, Options};
use crate::connector::Connector;
use crate::error::Error;
use crate::exchange::Content;
use crate::hosts::Hosts;
use crate::ledger::StopReason;
use crate::payload::{Outgoing, Readers};
use crate::proxy::Proxies;
use crate::request::Request;
use crate::response::Response;

/// An HTTP/1.1 client that keeps [`RequestsSettings`].
///
/// Cheap to clone; clones share their connections. Its settings are fixed when it is made (rule R10).
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
}

/// What all clones of a client share.
pub(crate) struct Shared {
    pub(crate) pool: legacy::Client<Connector, Outgoing>,
    pub(crate) readers: Readers,
    pub(crate) hosts: Hosts,
    pub(crate) options: Options,
    pub(crate) proxies: Arc<Proxies>,
}

impl Client {
    /// A client under these settings.
    pub fn new(settings: RequestsSettings) -> Self {
        Self::builder(settings).build()
    }

    /// A client under these settings, with more to set.
    pub fn builder(settings: RequestsSettings) -> ClientBuilder {
        ClientBuilder::new(settings)
    }

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
        let (response, content) = run(&mut Run::new(self.clone(), Cow::Borrowed(request)), false).await?;
        Ok(response.with_body(content.whole()))
    }

    /// Like [`send`](Self::send), but leaves the body of the response to be read piece by piece, under the read clock. A
    /// failure from then on is not retried.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), for what comes before the body.
    pub async fn stream(&self, request: &Request) -> Result<Response<Body>, Error> {
        let mut attempts = Run::new(self.clone(), Cow::Borrowed(request));
        let (response, content) = run(&mut attempts, true).await?;
        match content {
            Content::Stream(body) => Ok(response.with_body(*body)),
            // A success is streamed when that is what was asked for.
            Content::Whole(body) => Err(attempts.error(StopReason::Final, response.headers, body)),
        }
    }

    /// Gives the attempts of a request into the caller's hands. Sends nothing yet; the [deadline](Request::deadline) runs.
    pub fn begin(&self, request: Request) -> Attempts {
        Attempts::new(self.clone(), request)
    }
}

async fn run(run: &mut Run<'_>, stream: bool) -> Result<(Response<()>, Content), Error> {
    loop {
        match run.attempt(stream).await {
            Next::Done(response, content) => return Ok((response, content)),
            Next::Retry { after, .. } => wait(after).await,
            Next::Stop(error) => return Err(error),
        }
    }
}

/// A wait of zero is none: a timer would round it up to a millisecond.
async fn wait(after: Duration) {
    if !after.is_zero() {
        tokio::time::sleep(after).await;
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("settings", self.settings()).finish_non_exhaustive()
    }
}
