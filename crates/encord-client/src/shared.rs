//! The state that all clones of a client share.

use std::sync::Arc;
use std::time::SystemTime;

use encord_http::{Client, HeaderValue};

use crate::credentials::Credentials;
use crate::domain::Domain;

/// The state that all clones of a client share.
pub(crate) struct Shared {
    pub(crate) credentials: Credentials,
    pub(crate) domain: Domain,
    pub(crate) http: Client,
    pub(crate) user_agent: HeaderValue,
    pub(crate) trace_ids: TraceIds,
    pub(crate) clock: Clock,
}

pub(crate) type TraceIds = Arc<dyn Fn() -> String + Send + Sync>;
pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;
