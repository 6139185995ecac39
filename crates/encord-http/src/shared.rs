//! The parts that all clones of a client share.

use std::sync::Arc;
use std::time::Duration;

use encord_http_settings::RequestsSettings;
use http::HeaderValue;

use crate::net::exchange::Transport;
use crate::proxy::Proxies;
use crate::rules::ledger::Jitter;
use crate::trace::TraceIds;

pub(crate) struct Shared {
    pub(crate) transport: Transport,
    pub(crate) options: Options,
    pub(crate) proxies: Arc<Proxies>,
}

/// The options of a client.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) settings: RequestsSettings,
    pub(crate) backoff_cap: Option<Duration>,
    pub(crate) retry_after_limit: Duration,
    pub(crate) jitter: Jitter,
    pub(crate) user_agent: HeaderValue,
    pub(crate) trace_ids: Option<TraceIds>,
}
