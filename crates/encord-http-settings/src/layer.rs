//! The combination of two layers, and the settings that a layer gives.

use crate::{EffectiveUploadSettings, RequestsResolution, RequestsSettings, SettingsLayer, UploadResolution};

impl SettingsLayer {
    /// Takes the fields that are not set here from `lower` (rule U4). The operation is associative, and an empty layer changes
    /// nothing.
    ///
    /// The layer counts before the section: `max_retries` in this layer's `requests` also hides `max_retries` in the lower
    /// layer's `upload`. So a variable beats a settings file, whichever section the file has the field in.
    #[must_use]
    pub fn or(self, lower: Self) -> Self {
        let visible = lower.upload.hidden_by(&self.requests);
        Self { requests: self.requests.or(lower.requests), upload: self.upload.or(visible) }
    }

    /// Returns the settings of a request: the section `requests` over the documented defaults.
    pub fn resolve_requests(self) -> RequestsSettings {
        RequestsResolution::explain([((), self)]).settings()
    }

    /// Returns the settings of an upload: the section `upload` over the section `requests` over the documented defaults.
    pub fn resolve_upload(self) -> EffectiveUploadSettings {
        UploadResolution::explain([((), self)]).settings()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::option;
    use proptest::prelude::*;

    use super::*;
    use crate::{BackoffFactor, CloudUploadSettings, PartialCloudUploadSettings, PartialRequestsSettings, Timeout};

    /// There are few values of each kind, so that two layers are often equal and often differ.
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
            let upload = a.upload.over(CloudUploadSettings::default());
            prop_assert_eq!(a.resolve_upload(), upload.over(&a.resolve_requests()));
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
