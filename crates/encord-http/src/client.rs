//! The client: attempts, waits, and the order of both as the ledger says.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use encord_http_settings::{BACKOFF_CAP, RETRY_AFTER_LIMIT, RequestsSettings};
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, USER_AGENT};
use http::{HeaderMap, HeaderValue};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tracing::{Instrument, debug, debug_span};

use crate::connector::Connector;
use crate::error::Error;
use crate::exchange::{self, End};
use crate::ledger::{Decision, Ledger, Policy};
use crate::payload::Outgoing;
use crate::request::Request;
use crate::response::Response;
use crate::retry_after::retry_after;

/// How long a connection may lie idle in the pool. Common servers hang up after 5 s (Apache, Node.js) to 75 s (nginx); a
/// connection that they are about to close costs a request more than a new one does.
pub const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// How much hyper may buffer of a request or of a response's head. Small, so that what is handed over is soon sent.
const HYPER_BUFFER: usize = 64 * 1024;

/// An HTTP/1.1 client that keeps [`RequestsSettings`].
///
/// Cheap to clone; clones share their connections. Its settings are fixed when it is made (rule R10).
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    pool: legacy::Client<Connector, Outgoing>,
    settings: RequestsSettings,
    backoff_cap: Option<Duration>,
    retry_after_limit: Duration,
    user_agent: HeaderValue,
}

/// Makes a [`Client`] with other than the default limits.
#[derive(Debug, Clone)]
pub struct ClientBuilder {
    settings: RequestsSettings,
    backoff_cap: Option<Duration>,
    retry_after_limit: Duration,
}

impl Client {
    /// A client under these settings.
    pub fn new(settings: RequestsSettings) -> Self {
        Self::builder(settings).build()
    }

    /// A client under these settings, with more to set.
    pub fn builder(settings: RequestsSettings) -> ClientBuilder {
        ClientBuilder { settings, backoff_cap: Some(BACKOFF_CAP), retry_after_limit: RETRY_AFTER_LIMIT }
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

impl ClientBuilder {
    /// The longest backoff (rule R2); `None` lifts the cap. Default: [`BACKOFF_CAP`]. It does not shorten a `Retry-After`.
    #[must_use]
    pub fn backoff_cap(mut self, cap: Option<Duration>) -> Self {
        self.backoff_cap = cap;
        self
    }

    /// The longest `Retry-After` that is waited for (rule R6). Default: [`RETRY_AFTER_LIMIT`].
    #[must_use]
    pub fn retry_after_limit(mut self, limit: Duration) -> Self {
        self.retry_after_limit = limit;
        self
    }

    /// Makes the client. No connection is opened before the first request.
    pub fn build(self) -> Client {
        let Self { settings, backoff_cap, retry_after_limit } = self;
        let pool = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .http1_max_buf_size(HYPER_BUFFER)
            // The exchange sends again by itself, because only it knows whether anything was written.
            .retry_canceled_requests(false)
            .build(Connector::new(settings.connect_timeout.as_duration()));
        let user_agent = HeaderValue::from_static(concat!("encord-http/", env!("CARGO_PKG_VERSION")));
        Client { shared: Arc::new(Shared { pool, settings, backoff_cap, retry_after_limit, user_agent }) }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("settings", &self.shared.settings).finish_non_exhaustive()
    }
}
