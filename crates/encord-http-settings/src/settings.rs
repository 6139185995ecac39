//! The settings of requests and uploads: the list of their fields.

use crate::fields::settings;
use crate::{Backoff, BackoffFactor, Timeout};

settings! {
    shared {
        /// The number of further attempts after the first, for a retryable failure of an idempotent request. Default 3; 0 means
        /// none.
        max_retries: u32 = 3, "ENCORD_MAX_RETRIES",
        upload {
            /// The number of further attempts of one upload after the first. `None`, the default, takes the client's number;
            /// `Some(0)` means none.
        }
        /// The factor of the waits: before retry k, counted from 1 over all retries of a request, the wait is
        /// `backoff_factor * 2^(k-1)` seconds. Default 1.5.
        backoff_factor: BackoffFactor = BackoffFactor::of(1.5), "ENCORD_BACKOFF_FACTOR",
        upload {
            /// The factor of the waits between the attempts of one upload. `None`, the default, takes the client's factor;
            /// `Some(BackoffFactor::ZERO)` retries without waiting.
        }
    }
    requests {
        /// The number of further tries to get a connection, for every method. This budget does not draw on `max_retries`.
        /// Default 3; 0 means none.
        connection_retries: u32 = 3, "ENCORD_CONNECTION_RETRIES",
        /// The limit of each try to get a connection, and then of the time from the connection (for an upload: from the last
        /// byte of the payload) to the first byte of the response. Default 180 s.
        connect_timeout: Timeout = Timeout::secs(180), "ENCORD_CONNECT_TIMEOUT",
        /// The limit of the time from the last byte of the payload to the last byte of the response. Default 180 s.
        read_timeout: Timeout = Timeout::secs(180), "ENCORD_READ_TIMEOUT",
        /// The limit of the time in which the payload is sent; for an upload, of each period in which no byte of the payload is
        /// sent. Default 180 s.
        write_timeout: Timeout = Timeout::secs(180), "ENCORD_WRITE_TIMEOUT",
    }
    upload {
        /// Whether the other items of a batch are still uploaded after one has failed for good. Default `false`.
        allow_failures: bool = false, "ENCORD_ALLOW_FAILURES",
    }
    docs {
        /// The settings of all requests of a client. They apply to each request on its own.
        ///
        /// Fields and defaults are those of `encord.http.constants.RequestsSettings` (encord 0.1.98).
        ///
        /// ```
        /// use encord_http_settings::{RequestsSettings, Timeout};
        ///
        /// const PATIENT: RequestsSettings =
        ///     RequestsSettings { max_retries: 5, read_timeout: Timeout::secs(600), ..RequestsSettings::DEFAULT };
        /// assert_eq!(PATIENT.connection_retries, 3);
        /// ```
        ///
        /// With the feature `serde`, all keys are written. On reading, a missing key has its default. `null` and invalid values
        /// are refused, all in one error. A count may be a decimal without a fraction (`3.0`), because JSON does not distinguish
        /// the two. `dataclasses.asdict(RequestsSettings())` of both SDK versions can be read; the key
        /// `trace_id_provider` of the newer one holds a function in Python, so here it can only be `null`.
        RequestsSettings
        /// The settings of uploads to cloud storage. They apply to each upload on its own, and are laid
        /// [over](CloudUploadSettings::over) the [`RequestsSettings`] of the client that uploads.
        ///
        /// Fields and defaults are those of `encord.http.utils.CloudUploadSettings` (encord 0.1.98).
        ///
        /// With the feature `serde`, all keys are written, `None` as `null`; a missing key has its default. Values are checked
        /// like those of [`RequestsSettings`].
        CloudUploadSettings
    }
}

/// The settings of one source: a settings file, the environment, or the flags of a command.
///
/// With the feature `serde` it is read from a table with the sections `requests` and `upload`. Either may be missing, and one
/// error names all bad fields of both.
///
/// ```
/// use encord_http_settings::{PartialRequestsSettings, SettingsLayer};
///
/// let file = SettingsLayer {
///     requests: PartialRequestsSettings { max_retries: Some(5), connection_retries: Some(1), ..Default::default() },
///     ..Default::default()
/// };
/// let environment = SettingsLayer::from_variables([("ENCORD_MAX_RETRIES", "0")])?;
///
/// let settings = environment.or(file).resolve_requests();
/// assert_eq!(settings.max_retries, 0); // the environment is above the file
/// assert_eq!(settings.connection_retries, 1); // only the file sets it
/// assert_eq!(settings.backoff_factor.get(), 1.5); // the default
/// # Ok::<(), encord_http_settings::InvalidSettings>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct SettingsLayer {
    /// The settings of every request.
    pub requests: PartialRequestsSettings,
    /// The settings of uploads. They have precedence over `requests`.
    pub upload: PartialCloudUploadSettings,
}

impl RequestsSettings {
    /// Returns the waits before retry 1 to `max_retries`, capped at [`BACKOFF_CAP`](crate::BACKOFF_CAP). By default these are
    /// 1.5 s, 3 s and 6 s.
    pub const fn backoff_delays(&self) -> Backoff {
        Backoff::new(self.backoff_factor).with_retries(self.max_retries)
    }
}

impl EffectiveUploadSettings {
    /// Returns the waits before retry 1 to `max_retries`, capped at [`BACKOFF_CAP`](crate::BACKOFF_CAP).
    pub const fn backoff_delays(&self) -> Backoff {
        self.requests.backoff_delays()
    }
}

#[cfg(test)]
mod tests;
