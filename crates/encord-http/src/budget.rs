//! The two budgets of retries.

/// The budget of the settings that a retry is charged to (rule R3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Budget {
    /// `max_retries`: the request may have been sent.
    MaxRetries,
    /// `connection_retries`: there was no connection, so nothing was sent.
    ConnectionRetries,
}

impl Budget {
    /// The field of [`RequestsSettings`](encord_http_settings::RequestsSettings) that sets this budget.
    pub const fn field(self) -> &'static str {
        match self {
            Self::MaxRetries => "max_retries",
            Self::ConnectionRetries => "connection_retries",
        }
    }
}
