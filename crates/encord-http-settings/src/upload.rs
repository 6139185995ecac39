//! The settings of an upload, and what they come to over those of the client.

use crate::{Backoff, BackoffFactor, RequestsSettings};

/// The settings for uploads to cloud storage; they apply to each upload on its own, and are laid
/// [over](CloudUploadSettings::over) the [`RequestsSettings`] of the client that runs it.
///
/// The fields and their defaults are those of `encord.http.utils.CloudUploadSettings` (encord
/// 0.1.98).
///
/// With the feature `serde` it is written with all its keys, `None` as `null`; a key that is
/// missing has its default. Values are checked as those of [`RequestsSettings`] are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CloudUploadSettings {
    /// Further attempts of one upload after the first. `None`, the default, takes the client's;
    /// `Some(0)` means none.
    pub max_retries: Option<u32>,
    /// The factor of the waits between the attempts of one upload. `None`, the default, takes the
    /// client's; `Some` of 0 retries without waiting.
    pub backoff_factor: Option<BackoffFactor>,
    /// Whether the other items of a batch are still uploaded after one has failed for good.
    /// Default `false`.
    pub allow_failures: bool,
}

/// What holds for an upload: [`CloudUploadSettings`] over [`RequestsSettings`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct EffectiveUploadSettings {
    /// The settings of each request that an upload sends.
    pub requests: RequestsSettings,
    /// Whether the other items of a batch are still uploaded after one has failed for good.
    pub allow_failures: bool,
}

impl CloudUploadSettings {
    /// Lays these settings over those of the client: what is set here wins, also when it is 0, and
    /// all else stays as the client has it (contract rules U1 to U3).
    ///
    /// ```
    /// use encord_http_settings::{BackoffFactor, CloudUploadSettings, RequestsSettings};
    ///
    /// let client = RequestsSettings {
    ///     max_retries: 8,
    ///     connection_retries: 1,
    ///     ..RequestsSettings::default()
    /// };
    /// let upload = CloudUploadSettings {
    ///     backoff_factor: Some(BackoffFactor::new(0.0)?),
    ///     ..CloudUploadSettings::default()
    /// };
    ///
    /// let effective = upload.over(&client);
    /// assert_eq!(effective.requests.max_retries, 8); // the client's, not the default
    /// assert_eq!(effective.requests.backoff_factor.get(), 0.0); // set, and 0 counts as set
    /// assert_eq!(effective.requests.connection_retries, 1); // always the client's
    /// # Ok::<(), encord_http_settings::InvalidBackoffFactor>(())
    /// ```
    #[must_use]
    pub const fn over(self, requests: &RequestsSettings) -> EffectiveUploadSettings {
        let Self { max_retries, backoff_factor, allow_failures } = self;
        let RequestsSettings {
            max_retries: client_max_retries,
            backoff_factor: client_backoff_factor,
            connection_retries,
            connect_timeout,
            read_timeout,
            write_timeout,
        } = *requests;
        EffectiveUploadSettings {
            requests: RequestsSettings {
                max_retries: match max_retries {
                    Some(own) => own,
                    None => client_max_retries,
                },
                backoff_factor: match backoff_factor {
                    Some(own) => own,
                    None => client_backoff_factor,
                },
                connection_retries,
                connect_timeout,
                read_timeout,
                write_timeout,
            },
            allow_failures,
        }
    }
}

impl EffectiveUploadSettings {
    /// The waits before retry 1 to `max_retries`, under [`BACKOFF_CAP`](crate::BACKOFF_CAP).
    pub const fn backoff_delays(&self) -> Backoff {
        self.requests.backoff_delays()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timeout;

    fn factor(value: f64) -> BackoffFactor {
        BackoffFactor::new(value).unwrap()
    }

    fn client() -> RequestsSettings {
        RequestsSettings {
            max_retries: 7,
            backoff_factor: factor(0.5),
            connection_retries: 9,
            connect_timeout: Timeout::from_secs(1).unwrap(),
            read_timeout: Timeout::from_secs(2).unwrap(),
            write_timeout: Timeout::UNLIMITED,
        }
    }

    /// `expected` are the retries and the factor that hold in the end.
    #[track_caller]
    fn check(max_retries: Option<u32>, backoff_factor: Option<f64>, expected: (u32, f64)) {
        for allow_failures in [false, true] {
            let upload =
                CloudUploadSettings { max_retries, backoff_factor: backoff_factor.map(factor), allow_failures };
            let requests = RequestsSettings { max_retries: expected.0, backoff_factor: factor(expected.1), ..client() };
            assert_eq!(upload.over(&client()), EffectiveUploadSettings { requests, allow_failures });
        }
    }

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let CloudUploadSettings { max_retries, backoff_factor, allow_failures } = CloudUploadSettings::default();
        assert_eq!(max_retries, None);
        assert_eq!(backoff_factor, None);
        assert!(!allow_failures);
    }

    #[test]
    fn u1_none_takes_the_clients_value() {
        check(None, None, (7, 0.5));
        check(Some(1), None, (1, 0.5));
        check(None, Some(3.0), (7, 3.0));
    }

    #[test]
    fn u2_some_wins_also_when_it_is_zero() {
        check(Some(0), None, (0, 0.5));
        check(None, Some(0.0), (7, 0.0));
        check(Some(0), Some(0.0), (0, 0.0));
        check(Some(11), Some(4.0), (11, 4.0));
    }

    /// What can be evaluated while compiling allocates nothing.
    #[test]
    fn u2_settings_can_be_resolved_while_compiling() {
        const fn resolve(requests: &RequestsSettings) -> EffectiveUploadSettings {
            CloudUploadSettings { max_retries: Some(0), backoff_factor: None, allow_failures: true }.over(requests)
        }
        assert_eq!(resolve(&client()).requests, RequestsSettings { max_retries: 0, ..client() });
    }

    #[test]
    fn u3_the_other_fields_stay_the_clients() {
        let upload =
            CloudUploadSettings { max_retries: Some(0), backoff_factor: Some(factor(0.0)), allow_failures: true };
        let requests = upload.over(&client()).requests;
        assert_eq!(requests.connection_retries, 9);
        assert_eq!(requests.connect_timeout, client().connect_timeout);
        assert_eq!(requests.read_timeout, client().read_timeout);
        assert_eq!(requests.write_timeout, Timeout::UNLIMITED);
    }
}
