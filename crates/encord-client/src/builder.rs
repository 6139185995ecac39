//! The builder of a client.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use encord_http::{Client, HeaderValue, RequestsSettings};
use thiserror::Error;

use crate::credentials::Credentials;
use crate::domain::Domain;
use crate::shared::{Clock, Shared, TraceIds};
use crate::user_client::EncordUserClient;

const USER_AGENT: &str = concat!("encord-client-rust/", env!("CARGO_PKG_VERSION"));

/// Makes an [`EncordUserClient`].
#[must_use]
pub struct EncordUserClientBuilder {
    credentials: Credentials,
    domain: Domain,
    transport: Transport,
    user_agent_suffix: Option<String>,
    trace_ids: TraceIds,
    clock: Clock,
}

enum Transport {
    Settings(RequestsSettings),
    Client(Client),
}

/// The error when a client cannot be built.
#[derive(Debug, Error)]
#[error("user_agent_suffix has characters that cannot stand in a header")]
pub struct BuildError(());

impl EncordUserClient {
    /// Starts a client with this private key or token.
    pub fn builder(credentials: impl Into<Credentials>) -> EncordUserClientBuilder {
        EncordUserClientBuilder::new(credentials.into())
    }
}

impl EncordUserClientBuilder {
    fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            domain: Domain::EU,
            transport: Transport::Settings(RequestsSettings::default()),
            user_agent_suffix: None,
            // The form of the SDK: 32 hexadecimal digits, the span, and the flag for tracing.
            trace_ids: Arc::new(|| format!("{:032x}/1;o=1", fastrand::u128(..))),
            clock: Arc::new(SystemTime::now),
        }
    }

    /// Sets the installation of the platform. Default: [`Domain::EU`].
    pub fn domain(mut self, domain: Domain) -> Self {
        self.domain = domain;
        self
    }

    /// Sets the settings of all requests of this client (rule C7). Default: the settings of the SDK.
    pub fn settings(mut self, settings: RequestsSettings) -> Self {
        self.transport = Transport::Settings(settings);
        self
    }

    /// Sends requests with this HTTP client, with its settings, proxies and certificates.
    pub fn http_client(mut self, client: Client) -> Self {
        self.transport = Transport::Client(client);
        self
    }

    /// Adds the name of the program to the `User-Agent`, such as `my-tool/2.3`.
    pub fn user_agent_suffix(mut self, suffix: impl Into<String>) -> Self {
        self.user_agent_suffix = Some(suffix.into());
        self
    }

    /// Sets the function that makes the trace id of a call (`trace_id_provider` of the SDK), such as `<32 hex digits>/1;o=1`. All
    /// attempts of a call have the same id. Default: random ids.
    pub fn trace_id_provider(mut self, provider: impl Fn() -> String + Send + Sync + 'static) -> Self {
        self.trace_ids = Arc::new(provider);
        self
    }

    /// Sets the clock for the time in signatures, for machines with a wrong clock. Default: the system's clock.
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Builds the client. This sends nothing.
    ///
    /// # Errors
    ///
    /// If a given value cannot be sent.
    pub fn build(self) -> Result<EncordUserClient, BuildError> {
        let Self { credentials, domain, transport, user_agent_suffix, trace_ids, clock } = self;
        let user_agent = match user_agent_suffix {
            Some(suffix) => HeaderValue::try_from(format!("{USER_AGENT} {suffix}")).map_err(|_| BuildError(()))?,
            None => HeaderValue::from_static(USER_AGENT),
        };
        let http = match transport {
            Transport::Settings(settings) => Client::new(settings),
            Transport::Client(client) => client,
        };
        Ok(EncordUserClient::new(Shared { credentials, domain, http, user_agent, trace_ids, clock }))
    }
}

impl fmt::Debug for EncordUserClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncordUserClientBuilder")
            .field("credentials", &self.credentials)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}
