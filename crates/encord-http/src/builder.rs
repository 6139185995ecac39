//! The builder of a client.

use std::sync::Arc;
use std::time::Duration;

use encord_http_settings::{BACKOFF_CAP, RETRY_AFTER_LIMIT, RequestsSettings};
use http::HeaderValue;
use http::header::InvalidHeaderValue;
use rustls::ClientConfig;
use thiserror::Error;

use crate::client::Client;
use crate::net::dial::Dialer;
use crate::net::exchange::Transport;
use crate::net::pool::Pool;
use crate::net::tls::{Tls, TlsOptions};
use crate::payload::Readers;
use crate::proxy::Proxies;
use crate::rules::ledger::Jitter;
use crate::shared::{Options, Shared};
use crate::tls::{Identity, RootCertificates};
use crate::trace::TraceIds;

/// How long a connection may stay idle in the pool. Common servers close idle connections after 5 s (Apache, Node.js) to 75 s
/// (nginx). A connection that the server is about to close costs a request more than a new connection.
pub const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(4);

const USER_AGENT: &str = concat!("encord-http/", env!("CARGO_PKG_VERSION"));

/// Builds a [`Client`] with limits other than the defaults.
#[derive(Debug, Clone)]
pub struct ClientBuilder {
    options: Options,
    user_agent_suffix: Option<String>,
    pool_idle_timeout: Duration,
    tls: TlsOptions,
    proxies: Option<Proxies>,
}

/// Why a client cannot be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The suffix of the user agent has control characters, which a header cannot contain.
    #[error("the suffix of the user agent has characters that cannot stand in a header")]
    UserAgent(#[from] InvalidHeaderValue),
}

impl Client {
    /// Makes a client with these settings.
    pub fn new(settings: RequestsSettings) -> Self {
        ClientBuilder::new(settings).client(HeaderValue::from_static(USER_AGENT))
    }

    /// Returns a builder of a client with these settings.
    pub fn builder(settings: RequestsSettings) -> ClientBuilder {
        ClientBuilder::new(settings)
    }
}

impl ClientBuilder {
    pub(crate) fn new(settings: RequestsSettings) -> Self {
        Self {
            options: Options {
                settings,
                backoff_cap: Some(BACKOFF_CAP),
                retry_after_limit: RETRY_AFTER_LIMIT,
                jitter: Jitter::None,
                user_agent: HeaderValue::from_static(USER_AGENT),
                trace_ids: None,
            },
            user_agent_suffix: None,
            pool_idle_timeout: POOL_IDLE_TIMEOUT,
            tls: TlsOptions::default(),
            proxies: None,
        }
    }

    /// Sets the longest backoff (rule R2); `None` removes the cap. Default: [`BACKOFF_CAP`]. It does not shorten a `Retry-After`.
    #[must_use]
    pub fn backoff_cap(mut self, cap: Option<Duration>) -> Self {
        self.options.backoff_cap = cap;
        self
    }

    /// Sets the longest `Retry-After` that the client waits for (rule R6). Default: [`RETRY_AFTER_LIMIT`].
    #[must_use]
    pub fn retry_after_limit(mut self, limit: Duration) -> Self {
        self.options.retry_after_limit = limit;
        self
    }

    /// Randomises the backoff. Default: [`Jitter::None`], the exact schedule (rule R2).
    #[must_use]
    pub fn jitter(mut self, jitter: Jitter) -> Self {
        self.options.jitter = jitter;
        self
    }

    /// Adds the name of the program that uses this crate to the `User-Agent`, as in `encord-http/0.1.0 my-tool/2.3`.
    #[must_use]
    pub fn user_agent_suffix(mut self, suffix: &str) -> Self {
        self.user_agent_suffix = Some(suffix.to_owned());
        self
    }

    /// Sends a trace id with each request, in `X-Cloud-Trace-Context` (`trace_id_provider` of the SDK). All attempts of a request
    /// have the same trace id. A trace id that is not a valid header value is not sent.
    #[must_use]
    pub fn trace_id_provider(mut self, provider: impl Fn() -> String + Send + Sync + 'static) -> Self {
        self.options.trace_ids = Some(TraceIds::new(provider));
        self
    }

    /// Sends a random trace id with each request, as the SDK does. Default: none is sent.
    #[must_use]
    pub fn random_trace_ids(mut self) -> Self {
        self.options.trace_ids = Some(TraceIds::random());
        self
    }

    /// Sets how long a connection may stay idle in the pool before it is closed. Default: [`POOL_IDLE_TIMEOUT`]. Choose less than
    /// the server's own timeout. With zero no connection is used twice, for servers that close connections without notice.
    #[must_use]
    pub fn pool_idle_timeout(mut self, limit: Duration) -> Self {
        self.pool_idle_timeout = limit;
        self
    }

    /// Trusts these authorities in addition to those of the platform. May be called more than once.
    #[must_use]
    pub fn root_certificates(mut self, roots: RootCertificates) -> Self {
        self.tls.trust(roots);
        self
    }

    /// Presents this identity when a server or an `https` proxy asks for a client certificate.
    #[must_use]
    pub fn client_identity(mut self, identity: Identity) -> Self {
        self.tls.identify(identity);
        self
    }

    /// Uses this TLS configuration instead of all other TLS options of this builder. Its protocols (ALPN) are replaced by
    /// `http/1.1`, the only protocol of this client.
    #[must_use]
    pub fn rustls_config(mut self, config: Arc<ClientConfig>) -> Self {
        self.tls.replace(config);
        self
    }

    /// Sends requests through this [`Proxy`](crate::Proxy), or through these [`Proxies`], and ignores the environment. Default:
    /// [`Proxies::from_env`], read when the client is built.
    #[must_use]
    pub fn proxy(mut self, proxies: impl Into<Proxies>) -> Self {
        self.proxies = Some(proxies.into());
        self
    }

    /// Sends requests through no proxy, and ignores the environment.
    #[must_use]
    pub fn no_proxy(self) -> Self {
        self.proxy(Proxies::none())
    }

    /// Makes the client. No connection is opened before the first request.
    ///
    /// # Errors
    ///
    /// [`BuildError`] when one of the options cannot be used.
    pub fn build(self) -> Result<Client, BuildError> {
        let user_agent = match &self.user_agent_suffix {
            Some(suffix) => HeaderValue::try_from(format!("{USER_AGENT} {suffix}"))?,
            None => HeaderValue::from_static(USER_AGENT),
        };
        Ok(self.client(user_agent))
    }

    fn client(self, user_agent: HeaderValue) -> Client {
        let Self { options, user_agent_suffix: _, pool_idle_timeout, tls, proxies } = self;
        let options = Options { user_agent, ..options };
        let proxies = Arc::new(proxies.unwrap_or_else(Proxies::from_env));
        let pool = Arc::new(Pool::new(pool_idle_timeout));
        let dialer = Dialer { tls: Tls::new(tls), proxies: Arc::clone(&proxies), pool };
        let transport = Transport { dialer, readers: Readers::new() };
        Client { shared: Arc::new(Shared { transport, options, proxies }) }
    }
}
