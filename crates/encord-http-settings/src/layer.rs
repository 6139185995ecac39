//! Partial settings, as one source gives them, and how two such layers combine.

use crate::{BackoffFactor, CloudUploadSettings, EffectiveUploadSettings, RequestsSettings, Timeout};

/// What one source says about [`RequestsSettings`]; `None` leaves a field to the layers below.
///
/// With the feature `serde` a field that is not set is left out; a key that is missing or `null`
/// is not set. Values are checked as those of [`RequestsSettings`] are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PartialRequestsSettings {
    /// See [`RequestsSettings::max_retries`].
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub max_retries: Option<u32>,
    /// See [`RequestsSettings::backoff_factor`].
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub backoff_factor: Option<BackoffFactor>,
    /// See [`RequestsSettings::connection_retries`].
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub connection_retries: Option<u32>,
    /// See [`RequestsSettings::connect_timeout`].
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub connect_timeout: Option<Timeout>,
    /// See [`RequestsSettings::read_timeout`].
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub read_timeout: Option<Timeout>,
    /// See [`RequestsSettings::write_timeout`].
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub write_timeout: Option<Timeout>,
}

/// What one source says about [`CloudUploadSettings`]; `None` leaves a field to the layers below.
///
/// Its serde form is like that of [`PartialRequestsSettings`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PartialCloudUploadSettings {
    /// See [`CloudUploadSettings::max_retries`].
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub max_retries: Option<u32>,
    /// See [`CloudUploadSettings::backoff_factor`].
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub backoff_factor: Option<BackoffFactor>,
    /// See [`CloudUploadSettings::allow_failures`].
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub allow_failures: Option<bool>,
}

/// All that one source says: a settings file, the environment, the flags of a command.
///
/// With the feature `serde` it is a table with the sections `requests` and `upload`, either of
/// which may be missing, and all that is wrong in both is reported in one error.
///
/// ```
/// use encord_http_settings::{PartialRequestsSettings, SettingsLayer};
///
/// let file = SettingsLayer {
///     requests: PartialRequestsSettings {
///         max_retries: Some(5),
///         connection_retries: Some(1),
///         ..Default::default()
///     },
///     ..Default::default()
/// };
/// let environment = SettingsLayer::from_variables([("ENCORD_MAX_RETRIES", "0")])?;
///
/// let settings = environment.or(file).resolve_requests();
/// assert_eq!(settings.max_retries, 0); // the environment is above the file
/// assert_eq!(settings.connection_retries, 1); // only the file says
/// assert_eq!(settings.backoff_factor.get(), 1.5); // nobody says
/// # Ok::<(), encord_http_settings::InvalidSettings>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct SettingsLayer {
    /// What holds for every request.
    pub requests: PartialRequestsSettings,
    /// What holds for uploads only, over `requests`.
    pub upload: PartialCloudUploadSettings,
}

impl PartialRequestsSettings {
    /// Takes from `lower` what is not set here. Associative; the empty value changes nothing.
    #[must_use]
    pub fn or(self, lower: Self) -> Self {
        let Self { max_retries, backoff_factor, connection_retries, connect_timeout, read_timeout, write_timeout } =
            self;
        Self {
            max_retries: max_retries.or(lower.max_retries),
            backoff_factor: backoff_factor.or(lower.backoff_factor),
            connection_retries: connection_retries.or(lower.connection_retries),
            connect_timeout: connect_timeout.or(lower.connect_timeout),
            read_timeout: read_timeout.or(lower.read_timeout),
            write_timeout: write_timeout.or(lower.write_timeout),
        }
    }

    /// Lays what is set here over complete settings.
    #[must_use]
    pub fn over(self, settings: &RequestsSettings) -> RequestsSettings {
        let Self { max_retries, backoff_factor, connection_retries, connect_timeout, read_timeout, write_timeout } =
            self;
        RequestsSettings {
            max_retries: max_retries.unwrap_or(settings.max_retries),
            backoff_factor: backoff_factor.unwrap_or(settings.backoff_factor),
            connection_retries: connection_retries.unwrap_or(settings.connection_retries),
            connect_timeout: connect_timeout.unwrap_or(settings.connect_timeout),
            read_timeout: read_timeout.unwrap_or(settings.read_timeout),
            write_timeout: write_timeout.unwrap_or(settings.write_timeout),
        }
    }
}

impl PartialCloudUploadSettings {
    /// Takes from `lower` what is not set here. Associative; the empty value changes nothing.
    #[must_use]
    pub fn or(self, lower: Self) -> Self {
        let Self { max_retries, backoff_factor, allow_failures } = self;
        Self {
            max_retries: max_retries.or(lower.max_retries),
            backoff_factor: backoff_factor.or(lower.backoff_factor),
            allow_failures: allow_failures.or(lower.allow_failures),
        }
    }

    /// Lays what is set here over complete settings.
    #[must_use]
    pub fn over(self, settings: CloudUploadSettings) -> CloudUploadSettings {
        let Self { max_retries, backoff_factor, allow_failures } = self;
        CloudUploadSettings {
            max_retries: max_retries.or(settings.max_retries),
            backoff_factor: backoff_factor.or(settings.backoff_factor),
            allow_failures: allow_failures.unwrap_or(settings.allow_failures),
        }
    }
}

impl SettingsLayer {
    /// Takes from `lower` what is not set here (contract rule U4). Associative; the empty layer
    /// changes nothing.
    ///
    /// The layer counts before the section: `max_retries` in this layer's `requests` also hides
    /// `max_retries` in the lower layer's `upload`, and so for `backoff_factor`. A variable thus
    /// beats a settings file whichever section the file has the field in.
    #[must_use]
    pub fn or(self, lower: Self) -> Self {
        let Self { requests, upload } = self;
        let mut visible = lower.upload;
        if requests.max_retries.is_some() {
            visible.max_retries = None;
        }
        if requests.backoff_factor.is_some() {
            visible.backoff_factor = None;
        }
        Self { requests: requests.or(lower.requests), upload: upload.or(visible) }
    }

    /// The settings of a request: the section `requests` over the documented defaults.
    pub fn resolve_requests(self) -> RequestsSettings {
        self.requests.over(&RequestsSettings::default())
    }

    /// The settings of an upload: the section `upload` over the section `requests` over the
    /// documented defaults.
    pub fn resolve_upload(self) -> EffectiveUploadSettings {
        self.upload.over(CloudUploadSettings::default()).over(&self.resolve_requests())
    }
}

/// Sets every field.
impl From<RequestsSettings> for PartialRequestsSettings {
    fn from(settings: RequestsSettings) -> Self {
        let RequestsSettings {
            max_retries,
            backoff_factor,
            connection_retries,
            connect_timeout,
            read_timeout,
            write_timeout,
        } = settings;
        Self {
            max_retries: Some(max_retries),
            backoff_factor: Some(backoff_factor),
            connection_retries: Some(connection_retries),
            connect_timeout: Some(connect_timeout),
            read_timeout: Some(read_timeout),
            write_timeout: Some(write_timeout),
        }
    }
}

/// Sets `allow_failures`, also when it is `false`, and the other fields as they are set.
impl From<CloudUploadSettings> for PartialCloudUploadSettings {
    fn from(settings: CloudUploadSettings) -> Self {
        let CloudUploadSettings { max_retries, backoff_factor, allow_failures } = settings;
        Self { max_retries, backoff_factor, allow_failures: Some(allow_failures) }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    /// Few values of each kind, so that layers often agree and often differ.
    pub(crate) fn layers() -> impl Strategy<Value = SettingsLayer> {
        (requests(), upload()).prop_map(|(requests, upload)| SettingsLayer { requests, upload })
    }

    fn requests() -> impl Strategy<Value = PartialRequestsSettings> {
        let timeout = || option::of((0u64..4).prop_map(|n| Timeout::from_secs(n).unwrap_or(Timeout::UNLIMITED)));
        let count = || option::of(0u32..4);
        (count(), factor(), count(), timeout(), timeout(), timeout()).prop_map(
            |(max_retries, backoff_factor, connection_retries, connect_timeout, read_timeout, write_timeout)| {
                PartialRequestsSettings {
                    max_retries,
                    backoff_factor,
                    connection_retries,
                    connect_timeout,
                    read_timeout,
                    write_timeout,
                }
            },
        )
    }

    fn upload() -> impl Strategy<Value = PartialCloudUploadSettings> {
        (option::of(0u32..4), factor(), any::<Option<bool>>()).prop_map(
            |(max_retries, backoff_factor, allow_failures)| PartialCloudUploadSettings {
                max_retries,
                backoff_factor,
                allow_failures,
            },
        )
    }

    fn factor() -> impl Strategy<Value = Option<BackoffFactor>> {
        option::of((0u8..4).prop_map(|n| BackoffFactor::new(f64::from(n) / 2.0).unwrap()))
    }

    proptest! {
        #[test]
        fn u4_layers_are_a_monoid(a in layers(), b in layers(), c in layers()) {
            prop_assert_eq!(a.or(b).or(c), a.or(b.or(c)));
            prop_assert_eq!(a.or(SettingsLayer::default()), a);
            prop_assert_eq!(SettingsLayer::default().or(a), a);
        }

        #[test]
        fn u4_sections_are_monoids(a in layers(), b in layers(), c in layers()) {
            let (a, b, c) = (a.requests, b.requests, c.requests);
            prop_assert_eq!(a.or(b).or(c), a.or(b.or(c)));
            prop_assert_eq!(a.or(PartialRequestsSettings::default()), a);
            prop_assert_eq!(PartialRequestsSettings::default().or(a), a);
        }

        #[test]
        fn u4_upload_sections_are_monoids(a in layers(), b in layers(), c in layers()) {
            let (a, b, c) = (a.upload, b.upload, c.upload);
            prop_assert_eq!(a.or(b).or(c), a.or(b.or(c)));
            prop_assert_eq!(a.or(PartialCloudUploadSettings::default()), a);
            prop_assert_eq!(PartialCloudUploadSettings::default().or(a), a);
        }

        #[test]
        fn u4_or_is_over_and_over(a in layers(), b in layers()) {
            let lower = b.resolve_requests();
            prop_assert_eq!(a.or(b).resolve_requests(), a.requests.over(&lower));
            prop_assert_eq!(PartialRequestsSettings::from(lower).over(&RequestsSettings::default()), lower);
            let lower = b.upload.over(CloudUploadSettings::default());
            prop_assert_eq!(a.upload.or(b.upload).over(CloudUploadSettings::default()), a.upload.over(lower));
            prop_assert_eq!(PartialCloudUploadSettings::from(lower).over(CloudUploadSettings::default()), lower);
        }
    }

    #[test]
    fn u4_the_layer_counts_before_the_section() {
        let environment = SettingsLayer {
            requests: PartialRequestsSettings { max_retries: Some(4), ..Default::default() },
            ..Default::default()
        };
        let file = SettingsLayer {
            upload: PartialCloudUploadSettings { max_retries: Some(9), ..Default::default() },
            ..Default::default()
        };
        assert_eq!(environment.or(file).resolve_upload().requests.max_retries, 4);
        assert_eq!(file.or(environment).resolve_upload().requests.max_retries, 9);
        assert_eq!(file.or(environment).resolve_requests().max_retries, 4);
    }
}
