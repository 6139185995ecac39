//! Trace ids: `X-Cloud-Trace-Context`, as the Python SDK sends it.

use std::fmt;
use std::sync::Arc;

use http::{HeaderName, HeaderValue};

/// The header that carries a trace id.
pub(crate) const TRACE_HEADER: HeaderName = HeaderName::from_static("x-cloud-trace-context");

/// The source of trace ids (`trace_id_provider` of SDK 0.1.211).
#[derive(Clone)]
pub(crate) struct TraceIds(Arc<dyn Fn() -> String + Send + Sync>);

impl TraceIds {
    pub(crate) fn new(provider: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(provider))
    }

    /// Makes random ids `<32 hex digits>/1;o=1`, as the SDK does without a provider.
    pub(crate) fn random() -> Self {
        Self::new(|| format!("{:032x}/1;o=1", fastrand::u128(..)))
    }

    /// Returns the next id. `None` if it is not a valid header value, because a trace id must not make a request fail.
    pub(crate) fn next(&self) -> Option<HeaderValue> {
        HeaderValue::try_from((self.0)()).ok()
    }
}

impl fmt::Debug for TraceIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TraceIds")
    }
}
