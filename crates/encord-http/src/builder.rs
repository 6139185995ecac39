//! What a client can be made with.

use std::sync::Arc;
use std::time::Duration;

use encord_http_settings::{BACKOFF_CAP, RETRY_AFTER_LIMIT, RequestsSettings};
use http::HeaderValue;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::client::{Client, Shared};
use crate::connector::Connector;

/// How long a connection may lie idle in the pool. Common servers hang up after 5 s (Apache, Node.js) to 75 s (nginx); a
/// connection that they are about to close costs a request more than a new one does.
pub const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// How much hyper may buffer of a request or of a response's head. Small, so that what is handed over is soon sent.
const HYPER_BUFFER: usize = 64 * 1024;

/// Makes a [`Client`] with other than the default limits.
#[derive(Debug, Clone)]
pub struct ClientBuilder {
    settings: RequestsSettings,
    backoff_cap: Option<Duration>,
    retry_after_limit: Duration,
}

impl ClientBuilder {
    pub(crate) fn new(settings: RequestsSettings) -> Self {
        Self { settings, backoff_cap: Some(BACKOFF_CAP), retry_after_limit: RETRY_AFTER_LIMIT }
    }

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
