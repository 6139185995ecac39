//! The settings of every request.

use crate::{
    Backoff, BackoffFactor, DEFAULT_BACKOFF_FACTOR, DEFAULT_CONNECT_TIMEOUT, DEFAULT_CONNECTION_RETRIES,
    DEFAULT_MAX_RETRIES, DEFAULT_READ_TIMEOUT, DEFAULT_WRITE_TIMEOUT, Timeout,
};

/// The settings for all outgoing requests; they apply to each request on its own.
///
/// The fields and their defaults are those of `encord.http.constants.RequestsSettings` (encord
/// 0.1.98).
///
/// ```
/// use encord_http_settings::RequestsSettings;
///
/// let settings = RequestsSettings {
///     max_retries: 5,
///     ..RequestsSettings::default()
/// };
/// assert_eq!(settings.connection_retries, 3);
/// ```
///
/// With the feature `serde` it is written with all its keys, and read so: a key that is missing
/// has its default, `null` is refused, and so is every value that cannot be meant, all of them in
/// one error. A count may be written as a decimal without a fraction (`3.0`), since JSON does not
/// tell the two apart. `dataclasses.asdict(RequestsSettings())` of both SDK versions is read; the
/// key `trace_id_provider` that the newer one adds holds a function in Python, so here it can only
/// be `null`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RequestsSettings {
    /// Further attempts after the first, for a retryable failure of an idempotent request.
    /// Default 3; 0 means none.
    pub max_retries: u32,
    /// The wait before retry k, counted from 1 over all retries of a request, is
    /// `backoff_factor * 2^(k-1)` seconds. Default 1.5.
    pub backoff_factor: BackoffFactor,
    /// Further tries to get a connection: a budget of its own, beside `max_retries`, for every
    /// method. Default 3; 0 means none.
    pub connection_retries: u32,
    /// Bounds each try to get a connection, and then the time from the connection being there (for
    /// an upload: from the payload sent) to the first byte of the response. Default 180 s.
    pub connect_timeout: Timeout,
    /// Bounds obtaining the full response, from the payload sent to the last byte. Default 180 s.
    pub read_timeout: Timeout,
    /// Bounds sending the payload; for an upload, every period in which the payload makes no
    /// progress. Default 180 s.
    pub write_timeout: Timeout,
}

impl RequestsSettings {
    /// The waits before retry 1 to `max_retries`, under [`BACKOFF_CAP`](crate::BACKOFF_CAP):
    /// 1.5 s, 3 s, 6 s by default.
    pub const fn backoff_delays(&self) -> Backoff {
        Backoff::new(self.backoff_factor).with_retries(self.max_retries)
    }
}

impl Default for RequestsSettings {
    fn default() -> Self {
        Self {
            max_retries: DEFAULT_MAX_RETRIES,
            backoff_factor: DEFAULT_BACKOFF_FACTOR,
            connection_retries: DEFAULT_CONNECTION_RETRIES,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            read_timeout: DEFAULT_READ_TIMEOUT,
            write_timeout: DEFAULT_WRITE_TIMEOUT,
        }
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let RequestsSettings {
            max_retries,
            backoff_factor,
            connection_retries,
            connect_timeout,
            read_timeout,
            write_timeout,
        } = RequestsSettings::default();
        assert_eq!(max_retries, 3);
        assert_eq!(backoff_factor, BackoffFactor::new(1.5).unwrap());
        assert_eq!(connection_retries, 3);
        let timeout = Some(Duration::from_secs(180));
        assert_eq!(connect_timeout.as_duration(), timeout);
        assert_eq!(read_timeout.as_duration(), timeout);
        assert_eq!(write_timeout.as_duration(), timeout);
    }

    #[test]
    fn r2_the_default_delays_are_1_5_and_3_and_6_seconds() {
        let delays: Vec<Duration> = RequestsSettings::default().backoff_delays().collect();
        assert_eq!(delays, [1500, 3000, 6000].map(Duration::from_millis));
    }
}
