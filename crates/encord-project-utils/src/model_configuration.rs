//! `ModelConfiguration` and its wire form.

use encord_enums::{AutomationModel, Lossless};

use crate::ModelIterationUids;

/// A model of a project, as the platform lists it: `ModelConfiguration` of the Python SDK (0.1.98).
///
/// # Wire form
///
/// It needs the feature `serde`. All six fields are required, other fields are ignored, and an unknown `model` is kept as it is
/// (the SDK raises an exception).
///
/// On the wire `feature_node_hashes` is an object. Its keys are the hashes, in their order and each once; its values are
/// dropped, as in the SDK. A list of strings can be read too, and a list is written, because every JSON library keeps the
/// order of a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "serde", serde(expecting = "a model configuration"))]
pub struct ModelConfiguration {
    /// The identifier of the model.
    pub model_uid: String,
    /// The title that people gave it.
    pub title: String,
    /// The description that people gave it.
    pub description: String,
    /// The hashes of the nodes in the ontology of the project that the model is for.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "feature_node_hashes::deserialize"))]
    pub feature_node_hashes: Vec<String>,
    /// The kind of the model.
    pub model: Lossless<AutomationModel>,
    /// The identifiers of its trainings.
    pub model_iteration_uids: Vec<String>,
}

impl ModelIterationUids for ModelConfiguration {
    fn model_iteration_uids(&self) -> impl Iterator<Item = &str> {
        self.model_iteration_uids.iter().map(String::as_str)
    }
}

#[cfg(feature = "serde")]
mod feature_node_hashes {
    use std::fmt;

    use indexmap::IndexSet;
    use serde::{
        Deserialize, Deserializer,
        de::{IgnoredAny, MapAccess, SeqAccess, Visitor, value::SeqAccessDeserializer},
    };

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
        // Formats that are not human-readable often do not store the type of a value. They have the list, which is what we write.
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(Hashes)
        } else {
            deserializer.deserialize_seq(Hashes)
        }
    }

    struct Hashes;

    impl<'de> Visitor<'de> for Hashes {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object whose keys are feature node hashes, or a list of them")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<String>, A::Error> {
            let mut hashes = IndexSet::<String, crate::UidHasher>::default();
            while let Some((hash, IgnoredAny)) = map.next_entry()? {
                hashes.insert(hash);
            }
            Ok(hashes.into_iter().collect())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Vec<String>, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(seq))
        }
    }
}
