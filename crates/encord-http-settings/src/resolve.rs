//! Resolution with an explanation: which layer set each field, and which values of other layers it hides.

use core::fmt;

use alloc::vec::Vec;

use crate::fields::{Chooser, Place, Section};
use crate::value::{Field, FieldValue};
use crate::{EffectiveUploadSettings, RequestsSettings, SettingsLayer};

/// The settings that several layers give, with the origin of every field (rule U4). `O` is the caller's label of a layer.
///
/// [`UploadResolution::explain`] and [`RequestsResolution::explain`] make one.
///
/// ```
/// use encord_http_settings::{
///     ValueOrigin, PartialCloudUploadSettings, Section, SettingsLayer, UploadResolution,
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
/// assert_eq!(field.origin, ValueOrigin::Layer("environment", Section::Requests));
/// assert_eq!(
///     field.shadowed,
///     [
///         (ValueOrigin::Layer("file", Section::Upload), 9.into()),
///         (ValueOrigin::Default, 3.into()),
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
    /// The value that applies.
    pub value: FieldValue,
    /// The source of that value.
    pub origin: ValueOrigin<O>,
    /// The values that it hides, from the next in precedence down to the default. It is empty if the default applies.
    pub shadowed: Vec<(ValueOrigin<O>, FieldValue)>,
}

/// The source of a value. It is shown as the label of its layer, or as `default`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueOrigin<O> {
    /// A section of a layer.
    Layer(O, Section),
    /// The documented default.
    Default,
}

impl<O: Clone> UploadResolution<O> {
    /// Resolves the settings of an upload from layers, highest precedence first, over the documented defaults.
    ///
    /// The layer counts before the section; within a layer `upload` is over `requests`. The settings are the same as those
    /// of [`SettingsLayer::or`] over all layers and then [`SettingsLayer::resolve_upload`].
    pub fn explain(layers: impl IntoIterator<Item = (O, SettingsLayer)>) -> Self {
        let mut explained = Explained { layers: layers.into_iter().collect(), fields: Vec::new() };
        Self { settings: EffectiveUploadSettings::choose(&mut explained), fields: explained.fields }
    }
}

impl<O: Clone> RequestsResolution<O> {
    /// Resolves the settings of a request from the sections `requests` of layers, highest precedence first, over the
    /// documented defaults.
    pub fn explain(layers: impl IntoIterator<Item = (O, SettingsLayer)>) -> Self {
        let mut explained = Explained { layers: layers.into_iter().collect(), fields: Vec::new() };
        Self { settings: RequestsSettings::choose(&mut explained, false), fields: explained.fields }
    }
}

impl<S: Copy, O> Resolution<S, O> {
    /// Returns the settings that apply.
    pub const fn settings(&self) -> S {
        self.settings
    }

    /// Returns all fields: `max_retries`, `backoff_factor`, `connection_retries`, `connect_timeout`, `read_timeout`,
    /// `write_timeout`, and for an upload `allow_failures`.
    pub fn fields(&self) -> &[ResolvedField<O>] {
        &self.fields
    }

    /// Returns the field of this name.
    pub fn field(&self, name: &str) -> Option<&ResolvedField<O>> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl<O: fmt::Display> fmt::Display for ValueOrigin<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layer(label, _) => label.fmt(f),
            Self::Default => f.pad("default"),
        }
    }
}

/// The layers, and the fields that are resolved so far.
struct Explained<O> {
    layers: Vec<(O, SettingsLayer)>,
    fields: Vec<ResolvedField<O>>,
}

/// The only code that computes precedence: the layers in order, within each layer the sections in order, then the default.
impl<O: Clone> Chooser<SettingsLayer> for Explained<O> {
    fn choose<T: Field>(&mut self, name: &'static str, places: &[Place<SettingsLayer, T>], default: T) -> T {
        let set = self.layers.iter().flat_map(|(label, layer)| {
            places.iter().filter_map(move |(section, value_in)| {
                Some((ValueOrigin::Layer(label.clone(), *section), value_in(layer)?))
            })
        });
        let mut ranked = set.chain([(ValueOrigin::Default, default)]);
        let (origin, value) = ranked.next().unwrap_or((ValueOrigin::Default, default));
        let shadowed = ranked.map(|(origin, value)| (origin, value.into())).collect();
        self.fields.push(ResolvedField { name, value: value.into(), origin, shadowed });
        value
    }
}

#[cfg(test)]
mod tests;
