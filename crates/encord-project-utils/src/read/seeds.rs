//! Serde seeds that insert the uids of a JSON text into a set while they are read.

use std::{fmt, hash::BuildHasher};

use indexmap::IndexSet;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// Reads a list of models into the set.
pub(super) struct Models<'a, S>(pub(super) &'a mut IndexSet<String, S>);

/// Reads one model into the set.
struct Model<'a, S>(&'a mut IndexSet<String, S>);

/// Reads the list of one model's uids into the set.
struct Uids<'a, S>(&'a mut IndexSet<String, S>);

/// Reads one uid into the set.
struct Uid<'a, S>(&'a mut IndexSet<String, S>);

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Field {
    ModelIterationUids,
    #[serde(other)]
    Other,
}

/// Makes a seed of a visitor. `deserialize` is the method of the deserializer that the seed calls.
macro_rules! seed {
    ($Seed:ident, $deserialize:ident) => {
        impl<'de, S: BuildHasher> DeserializeSeed<'de> for $Seed<'_, S> {
            type Value = ();

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
                deserializer.$deserialize(self)
            }
        }
    };
}

seed!(Models, deserialize_seq);
seed!(Model, deserialize_map);
seed!(Uids, deserialize_seq);
seed!(Uid, deserialize_str);

impl<'de, S: BuildHasher> Visitor<'de> for Models<'_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of model configurations")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut models: A) -> Result<(), A::Error> {
        while models.next_element_seed(Model(self.0))?.is_some() {}
        Ok(())
    }
}

impl<'de, S: BuildHasher> Visitor<'de> for Model<'_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a model configuration")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut model: A) -> Result<(), A::Error> {
        const FIELD: &str = "model_iteration_uids";
        let mut found = false;
        while let Some(field) = model.next_key()? {
            match field {
                Field::ModelIterationUids if found => return Err(A::Error::duplicate_field(FIELD)),
                Field::ModelIterationUids => {
                    model.next_value_seed(Uids(self.0))?;
                    found = true;
                }
                Field::Other => {
                    model.next_value::<IgnoredAny>()?;
                }
            }
        }
        if found { Ok(()) } else { Err(A::Error::missing_field(FIELD)) }
    }
}

impl<'de, S: BuildHasher> Visitor<'de> for Uids<'_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of model iteration uids")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut uids: A) -> Result<(), A::Error> {
        while uids.next_element_seed(Uid(self.0))?.is_some() {}
        Ok(())
    }
}

impl<S: BuildHasher> Visitor<'_> for Uid<'_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a model iteration uid as a string")
    }

    fn visit_str<E: Error>(self, uid: &str) -> Result<(), E> {
        // Only a new uid is copied.
        if !self.0.contains(uid) {
            self.0.insert(uid.to_owned());
        }
        Ok(())
    }
}
