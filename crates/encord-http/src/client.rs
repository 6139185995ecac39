//! The client: attempts, waits, and the order of both as the ledger says.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use encord_http_settings::RequestsSettings;
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, USER_AGENT};
use http::{HeaderMap, HeaderValue};
use hyper_util::client::legacy;
use tracing::{Instrument, debug, debug_span};

use crate::builder::ClientBuilder;
use crate::connector::Connector;
use crate::error::Error;
use crate::exchange::{self, End};
use crate::ledger::{Decision, Ledger, Policy};
use crate::payload::Outgoing;
use crate::request::Request;
use crate::response::Response;
use crate::retry_after::retry_after;

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
    pub(crate) settings: RequestsSettings,
    pub(crate) backoff_cap: Option<Duration>,
    pub(crate) retry_after_limit: Duration,
    pub(crate) user_agent: HeaderValue,
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
        &self.shared.settings
    }

    /// Sends a request, again if need be, and reads the whole response. Needs a tokio runtime with time and I/O enabled.
    ///
    /// Dropping the future stops everything at once and closes the connection in use.
    ///
    /// # Errors
    ///
    /// [`Error`] when the last attempt brought no whole answer or a status of 400 and above. Lower ones, redirects among them,
    /// are responses.
    pub async fn send(&self, request: &Request) -> Result<Response, Error> {
        let span = debug_span!("request", method = %request.method, url = %request.url);
        self.run(request).instrument(span).await
    }

    async fn run(&self, request: &Request) -> Result<Response, Error> {
        let settings = request.settings.unwrap_or(self.shared.settings);
        let mut ledger = Ledger::new(Policy {
            settings,
            backoff_cap: self.shared.backoff_cap,
            retry_after_limit: self.shared.retry_after_limit,
            idempotent: request.idempotent,
        });
        let headers = self.headers(request);
        loop {
            let End { outcome, phase, answer, length } =
                exchange::attempt(&self.shared.pool, request, &headers, &settings).await;
            debug!(%outcome, %phase, "attempt");
            let asked = answer.as_ref().and_then(|(parts, _)| retry_after(&parts.headers, SystemTime::now()));
            match (ledger.record(outcome, phase, asked), answer) {
                (Decision::Retry { after, charged_to }, _) => {
                    debug!(?after, charged_to = charged_to.field(), "wait");
                    tokio::time::sleep(after).await;
                }
                (Decision::Done, Some((parts, body))) => {
                    return Ok(Response {
                        status: parts.status,
                        headers: parts.headers,
                        body,
                        attempts: ledger.into_attempts(),
                        sent: length,
                    });
                }
                (decision, answer) => {
                    let reason = match decision {
                        Decision::Stop(reason) => reason,
                        // Only an answer is ever done, so this is a fault after all.
                        _ => crate::StopReason::Final,
                    };
                    let body = answer.map_or_else(Bytes::new, |(_, body)| body);
                    return Err(Error::new(
                        request.method.clone(),
                        request.url.clone(),
                        reason,
                        ledger.into_attempts(),
                        body,
                    ));
                }
            }
        }
    }

    fn headers(&self, request: &Request) -> HeaderMap {
        let mut headers = request.headers.clone();
        for ours in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            headers.remove(ours);
        }
        headers.entry(USER_AGENT).or_insert_with(|| self.shared.user_agent.clone());
        headers
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("settings", &self.shared.settings).finish_non_exhaustive()
    }
}
