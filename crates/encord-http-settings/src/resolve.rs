//! Resolution that explains itself: for every field which layer set it, and what that shadowed.

use core::{fmt, mem};

use alloc::vec::Vec;

use crate::{
    BackoffFactor, CloudUploadSettings, EffectiveUploadSettings, PartialCloudUploadSettings, RequestsSettings,
    SettingsLayer, Timeout,
};

/// The settings that a stack of layers comes to, with the origin of every field (contract rule
/// U4). `O` is the caller's label of a layer.
///
/// [`UploadResolution::explain`] and [`RequestsResolution::explain`] make one.
///
/// ```
/// use encord_http_settings::{
///     Origin, PartialCloudUploadSettings, Section, SettingsLayer, UploadResolution,
/// };
///
/// let file = SettingsLayer {
///     upload: PartialCloudUploadSettings {
///         max_retries: Some(9),
///         ..Default::default()
///     },
///     ..Default::default()
/// };
/// let environment = SettingsLayer::from_variables([("ENCORD_MAX_RETRIES", "0")])?;
///
/// let resolution = UploadResolution::explain([("environment", environment), ("file", file)]);
/// assert_eq!(resolution.settings().requests.max_retries, 0);
///
/// let field = resolution.field("max_retries").unwrap();
/// assert_eq!(field.origin, Origin::Layer("environment", Section::Requests));
/// assert_eq!(
///     field.shadowed,
///     [
///         (Origin::Layer("file", Section::Upload), 9.into()),
///         (Origin::Default, 3.into()),
///     ],
/// );
/// # Ok::<(), encord_http_settings::InvalidSettings>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution<S, O> {
    settings: S,
    fields: Vec<ResolvedField<O>>,
}

/// The [`Resolution`] of the settings of an upload: seven fields.
pub type UploadResolution<O> = Resolution<EffectiveUploadSettings, O>;

/// The [`Resolution`] of the settings of a request: six fields.
pub type RequestsResolution<O> = Resolution<RequestsSettings, O>;

/// One field of a [`Resolution`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedField<O> {
    /// The documented name.
    pub name: &'static str,
    /// The value that holds.
    pub value: FieldValue,
    /// Where that value comes from.
    pub origin: Origin<O>,
    /// The values that it hides, from the next in precedence down to the default. Empty when the
    /// default holds.
    pub shadowed: Vec<(Origin<O>, FieldValue)>,
}

/// Where a value comes from. Shows as the label of its layer, or `default`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin<O> {
    /// A section of a layer.
    Layer(O, Section),
    /// The documented default.
    Default,
}

/// The sections of a [`SettingsLayer`]. Shows as the name of its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Section {
    /// [`SettingsLayer::requests`].
    Requests,
    /// [`SettingsLayer::upload`].
    Upload,
}

/// A value of any field. Shows as `3`, `1.5`, `180 s` or `unlimited`, `true`.
///
/// With the feature `serde` it is written as the field is: a number, a boolean, or the string
/// `"unlimited"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(untagged))]
pub enum FieldValue {
    /// A number of retries.
    Count(u32),
    /// A backoff factor.
    Factor(BackoffFactor),
    /// A time limit.
    Timeout(Timeout),
    /// A choice.
    Flag(bool),
}

impl<O: Clone> UploadResolution<O> {
    /// Resolves the settings of an upload from layers, highest precedence first, over the
    /// documented defaults.
    ///
    /// The layer counts before the section; within a layer `upload` is over `requests`. The
    /// settings are those of [`SettingsLayer::or`] over all layers and then
    /// [`SettingsLayer::resolve_upload`].
    pub fn explain(layers: impl IntoIterator<Item = (O, SettingsLayer)>) -> Self {
        let layers: Vec<_> = layers.into_iter().collect();
        let mut explained = Explained::new(&layers);
        let settings = EffectiveUploadSettings {
            requests: explained.requests(),
            allow_failures: explained.field(
                "allow_failures",
                &[(Section::Upload, |layer| layer.upload.allow_failures)],
                CloudUploadSettings::default().allow_failures,
            ),
        };
        Self { settings, fields: explained.fields }
    }
}

impl<O: Clone> RequestsResolution<O> {
    /// Resolves the settings of a request from the `requests` sections of layers, highest
    /// precedence first, over the documented defaults.
    pub fn explain(layers: impl IntoIterator<Item = (O, SettingsLayer)>) -> Self {
        let layers: Vec<_> = layers
            .into_iter()
            .map(|(label, SettingsLayer { requests, upload: _ })| {
                let upload = PartialCloudUploadSettings::default();
                (label, SettingsLayer { requests, upload })
            })
            .collect();
        let mut explained = Explained::new(&layers);
        Self { settings: explained.requests(), fields: explained.fields }
    }
}

impl<S: Copy, O> Resolution<S, O> {
    /// The settings that hold.
    pub const fn settings(&self) -> S {
        self.settings
    }

    /// All fields: `max_retries`, `backoff_factor`, `connection_retries`, `connect_timeout`,
    /// `read_timeout`, `write_timeout`, and for an upload `allow_failures`.
    pub fn fields(&self) -> &[ResolvedField<O>] {
        &self.fields
    }

    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&ResolvedField<O>> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl<O: fmt::Display> fmt::Display for Origin<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layer(label, _) => label.fmt(f),
            Self::Default => f.pad("default"),
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Requests => "requests",
            Self::Upload => "upload",
        })
    }
}

impl fmt::Display for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(value) => value.fmt(f),
            Self::Factor(value) => value.fmt(f),
            Self::Timeout(value) => value.fmt(f),
            Self::Flag(value) => value.fmt(f),
        }
    }
}

impl From<u32> for FieldValue {
    fn from(value: u32) -> Self {
        Self::Count(value)
    }
}

impl From<BackoffFactor> for FieldValue {
    fn from(value: BackoffFactor) -> Self {
        Self::Factor(value)
    }
}

impl From<Timeout> for FieldValue {
    fn from(value: Timeout) -> Self {
        Self::Timeout(value)
    }
}

impl From<bool> for FieldValue {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

/// Takes one field after another out of the layers and remembers how each was found.
struct Explained<'a, O> {
    layers: &'a [(O, SettingsLayer)],
    fields: Vec<ResolvedField<O>>,
}

/// Where a layer may have a field, highest precedence first.
type Places<T> = [(Section, fn(&SettingsLayer) -> Option<T>)];

impl<'a, O: Clone> Explained<'a, O> {
    fn new(layers: &'a [(O, SettingsLayer)]) -> Self {
        Self { layers, fields: Vec::new() }
    }

    fn requests(&mut self) -> RequestsSettings {
        use Section::{Requests, Upload};

        let RequestsSettings {
            max_retries,
            backoff_factor,
            connection_retries,
            connect_timeout,
            read_timeout,
            write_timeout,
        } = RequestsSettings::default();
        RequestsSettings {
            max_retries: self.field(
                "max_retries",
                &[(Upload, |layer| layer.upload.max_retries), (Requests, |layer| layer.requests.max_retries)],
                max_retries,
            ),
            backoff_factor: self.field(
                "backoff_factor",
                &[(Upload, |layer| layer.upload.backoff_factor), (Requests, |layer| layer.requests.backoff_factor)],
                backoff_factor,
            ),
            connection_retries: self.field(
                "connection_retries",
                &[(Requests, |layer| layer.requests.connection_retries)],
                connection_retries,
            ),
            connect_timeout: self.field(
                "connect_timeout",
                &[(Requests, |layer| layer.requests.connect_timeout)],
                connect_timeout,
            ),
            read_timeout: self.field("read_timeout", &[(Requests, |layer| layer.requests.read_timeout)], read_timeout),
            write_timeout: self.field(
                "write_timeout",
                &[(Requests, |layer| layer.requests.write_timeout)],
                write_timeout,
            ),
        }
    }

    fn field<T>(&mut self, name: &'static str, places: &Places<T>, default: T) -> T
    where
        T: Copy + Into<FieldValue>,
    {
        let mut winner = (Origin::Default, default);
        let mut shadowed = Vec::new();
        for (label, layer) in self.layers.iter().rev() {
            for (section, value_in) in places.iter().rev() {
                if let Some(value) = value_in(layer) {
                    let origin = Origin::Layer(label.clone(), *section);
                    let (origin, value) = mem::replace(&mut winner, (origin, value));
                    shadowed.push((origin, value.into()));
                }
            }
        }
        shadowed.reverse();
        let (origin, value) = winner;
        self.fields.push(ResolvedField { name, value: value.into(), origin, shadowed });
        value
    }
}

#[cfg(test)]
mod tests;
