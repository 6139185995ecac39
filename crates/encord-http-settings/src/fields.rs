//! The macro that makes the settings structs, and the functions over all their fields, from one list of fields.

use core::fmt;

use crate::value::Field;

/// A section of a [`SettingsLayer`](crate::SettingsLayer). It is shown as the name of its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Section {
    /// [`SettingsLayer::requests`](crate::SettingsLayer::requests).
    Requests,
    /// [`SettingsLayer::upload`](crate::SettingsLayer::upload).
    Upload,
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Requests => "requests",
            Self::Upload => "upload",
        })
    }
}

/// Visits the fields of partial settings.
pub(crate) trait Visitor {
    /// `variable` is the environment variable of the field, if it has one in this section.
    fn field<T: Field>(&mut self, name: &'static str, variable: Option<&'static str>, value: &mut Option<T>);
}

/// Chooses the value of each field from layers of the type `L`.
pub(crate) trait Chooser<L> {
    /// `places` are the places of the field in a layer, highest precedence first.
    fn choose<T: Field>(&mut self, name: &'static str, places: &[Place<L, T>], default: T) -> T;
}

/// A section of a layer that may have a field, and a function that returns the field.
pub(crate) type Place<L, T> = (Section, fn(&L) -> Option<T>);

/// Makes the settings from three lists of fields: those of requests that an upload may overwrite (`shared`), the others of
/// requests (`requests`), and those of uploads alone (`upload`).
///
/// A field of `shared` has two doc texts: the first is that of the request's field, the one after `upload` that of the upload's
/// field.
macro_rules! settings {
    (
        shared {$(
            $(#[doc = $doc:literal])* $shared:ident: $Shared:ty = $shared_default:expr, $shared_variable:literal,
            upload { $(#[doc = $upload_doc:literal])* }
        )*}
        requests {$( $(#[doc = $own_doc:literal])* $own:ident: $Own:ty = $own_default:expr, $own_variable:literal, )*}
        upload {$( $(#[doc = $alone_doc:literal])* $alone:ident: $Alone:ty = $alone_default:expr, $alone_variable:literal, )*}
        docs {
            $(#[doc = $requests_text:literal])* RequestsSettings
            $(#[doc = $upload_text:literal])* CloudUploadSettings
        }
    ) => {
        $(#[doc = $requests_text])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize))]
        pub struct RequestsSettings {
            $($(#[doc = $doc])* pub $shared: $Shared,)*
            $($(#[doc = $own_doc])* pub $own: $Own,)*
        }

        $(#[doc = $upload_text])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize))]
        pub struct CloudUploadSettings {
            $($(#[doc = $upload_doc])* pub $shared: Option<$Shared>,)*
            $($(#[doc = $alone_doc])* pub $alone: $Alone,)*
        }

        /// The settings of one upload: [`CloudUploadSettings`] over [`RequestsSettings`].
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize))]
        pub struct EffectiveUploadSettings {
            /// The settings of each request that the upload sends.
            pub requests: RequestsSettings,
            $($(#[doc = $alone_doc])* pub $alone: $Alone,)*
        }

        /// The [`RequestsSettings`] of one source, such as a file. A field that is `None` is taken from a lower layer.
        ///
        /// With the feature `serde`, a field that is not set is not written; a key that is missing or `null` is not set. Values
        /// are checked like those of [`RequestsSettings`].
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize))]
        pub struct PartialRequestsSettings {
            $(
                #[doc = concat!("See [`RequestsSettings::", stringify!($shared), "`].")]
                #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
                pub $shared: Option<$Shared>,
            )*
            $(
                #[doc = concat!("See [`RequestsSettings::", stringify!($own), "`].")]
                #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
                pub $own: Option<$Own>,
            )*
        }

        /// The [`CloudUploadSettings`] of one source, such as a file. A field that is `None` is taken from a lower layer.
        ///
        /// Its serde form is like that of [`PartialRequestsSettings`].
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize))]
        pub struct PartialCloudUploadSettings {
            $(
                #[doc = concat!("See [`CloudUploadSettings::", stringify!($shared), "`].")]
                #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
                pub $shared: Option<$Shared>,
            )*
            $(
                #[doc = concat!("See [`CloudUploadSettings::", stringify!($alone), "`].")]
                #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
                pub $alone: Option<$Alone>,
            )*
        }

        impl RequestsSettings {
            /// The documented defaults.
            pub const DEFAULT: Self = Self { $($shared: $shared_default,)* $($own: $own_default,)* };

            /// Chooses the value of each field. For an upload, the section of uploads has precedence.
            pub(crate) fn choose(chooser: &mut impl crate::fields::Chooser<SettingsLayer>, upload: bool) -> Self {
                use crate::fields::{Place, Section::{Requests, Upload}};

                let first = usize::from(!upload);
                Self {
                    $($shared: {
                        let places: [Place<SettingsLayer, $Shared>; 2] =
                            [(Upload, |layer| layer.upload.$shared), (Requests, |layer| layer.requests.$shared)];
                        chooser.choose(stringify!($shared), &places[first..], Self::DEFAULT.$shared)
                    },)*
                    $($own: chooser.choose(
                        stringify!($own),
                        &[(Requests, |layer| layer.requests.$own)],
                        Self::DEFAULT.$own,
                    ),)*
                }
            }
        }

        impl CloudUploadSettings {
            /// The documented defaults.
            pub const DEFAULT: Self = Self { $($shared: None,)* $($alone: $alone_default,)* };

            /// Lays these settings over those of the client (rules U1 to U3). A field that is set here has precedence, also if it
            /// is 0. All other fields are those of the client.
            ///
            /// ```
            /// use encord_http_settings::{BackoffFactor, CloudUploadSettings, RequestsSettings};
            ///
            /// let client = RequestsSettings { max_retries: 8, connection_retries: 1, ..Default::default() };
            /// let upload = CloudUploadSettings { backoff_factor: Some(BackoffFactor::ZERO), ..Default::default() };
            ///
            /// let effective = upload.over(&client);
            /// assert_eq!(effective.requests.max_retries, 8); // the client's, not the default
            /// assert_eq!(effective.requests.backoff_factor, BackoffFactor::ZERO); // 0 counts as set
            /// assert_eq!(effective.requests.connection_retries, 1); // always the client's
            /// ```
            #[must_use]
            pub const fn over(self, requests: &RequestsSettings) -> EffectiveUploadSettings {
                let mut requests = *requests;
                $(if let Some(own) = self.$shared {
                    requests.$shared = own;
                })*
                EffectiveUploadSettings { requests, $($alone: self.$alone,)* }
            }
        }

        impl EffectiveUploadSettings {
            /// Chooses the value of each field.
            pub(crate) fn choose(chooser: &mut impl crate::fields::Chooser<SettingsLayer>) -> Self {
                Self {
                    requests: RequestsSettings::choose(chooser, true),
                    $($alone: chooser.choose(
                        stringify!($alone),
                        &[(crate::fields::Section::Upload, |layer| layer.upload.$alone)],
                        CloudUploadSettings::DEFAULT.$alone,
                    ),)*
                }
            }
        }

        impl PartialRequestsSettings {
            /// Takes the fields that are not set here from `lower`. The operation is associative, and an empty value changes
            /// nothing.
            #[must_use]
            pub fn or(self, lower: Self) -> Self {
                Self { $($shared: self.$shared.or(lower.$shared),)* $($own: self.$own.or(lower.$own),)* }
            }

            /// Lays the fields that are set here over complete settings.
            #[must_use]
            pub fn over(self, settings: &RequestsSettings) -> RequestsSettings {
                RequestsSettings {
                    $($shared: self.$shared.unwrap_or(settings.$shared),)*
                    $($own: self.$own.unwrap_or(settings.$own),)*
                }
            }

            pub(crate) fn visit(&mut self, visitor: &mut impl crate::fields::Visitor) {
                $(visitor.field(stringify!($shared), Some($shared_variable), &mut self.$shared);)*
                $(visitor.field(stringify!($own), Some($own_variable), &mut self.$own);)*
            }
        }

        impl PartialCloudUploadSettings {
            /// Takes the fields that are not set here from `lower`. The operation is associative, and an empty value changes
            /// nothing.
            #[must_use]
            pub fn or(self, lower: Self) -> Self {
                Self { $($shared: self.$shared.or(lower.$shared),)* $($alone: self.$alone.or(lower.$alone),)* }
            }

            /// Lays the fields that are set here over complete settings.
            #[must_use]
            pub fn over(self, settings: CloudUploadSettings) -> CloudUploadSettings {
                CloudUploadSettings {
                    $($shared: self.$shared.or(settings.$shared),)*
                    $($alone: self.$alone.unwrap_or(settings.$alone),)*
                }
            }

            /// Unsets the fields that `requests` sets.
            pub(crate) fn hidden_by(self, requests: &PartialRequestsSettings) -> Self {
                Self { $($shared: if requests.$shared.is_some() { None } else { self.$shared },)* ..self }
            }

            pub(crate) fn visit(&mut self, visitor: &mut impl crate::fields::Visitor) {
                $(visitor.field(stringify!($shared), None, &mut self.$shared);)*
                $(visitor.field(stringify!($alone), Some($alone_variable), &mut self.$alone);)*
            }
        }

        impl Default for RequestsSettings {
            fn default() -> Self {
                Self::DEFAULT
            }
        }

        impl Default for CloudUploadSettings {
            fn default() -> Self {
                Self::DEFAULT
            }
        }

        /// Sets every field.
        impl From<RequestsSettings> for PartialRequestsSettings {
            fn from(settings: RequestsSettings) -> Self {
                Self { $($shared: Some(settings.$shared),)* $($own: Some(settings.$own),)* }
            }
        }

        /// Sets `allow_failures`, also if it is `false`, and all other fields that are `Some`.
        impl From<CloudUploadSettings> for PartialCloudUploadSettings {
            fn from(settings: CloudUploadSettings) -> Self {
                Self { $($shared: settings.$shared,)* $($alone: Some(settings.$alone),)* }
            }
        }
    };
}

pub(crate) use settings;
