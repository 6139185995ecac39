//! What of the JSON is looked at: the uids of each model.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::UidSet;

/// A list of models, whose uids go to the set as they come.
pub(super) struct Models<'a, T>(pub(super) &'a mut UidSet<T>);

/// The uids of one model.
pub(super) struct ModelUids<'de>(pub(super) Vec<Cow<'de, str>>);

impl<'de, T: AsRef<str> + From<Cow<'de, str>>> DeserializeSeed<'de> for Models<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: AsRef<str> + From<Cow<'de, str>>> Visitor<'de> for Models<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of model configurations")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut models: A) -> Result<(), A::Error> {
        let mut pending = Pending { uids: self.0, next: Vec::new() };
        while models.next_element_seed(Model::of(&mut pending))?.is_some() {}
        pending.flush();
        Ok(())
    }
}

impl<'de> Deserialize<'de> for ModelUids<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut uids = Vec::new();
        Model::of(&mut uids).deserialize(deserializer)?;
        Ok(Self(uids))
    }
}

/// Where uids go.
trait Sink<'de> {
    fn take(&mut self, uid: Cow<'de, str>);
}

impl<'de> Sink<'de> for Vec<Cow<'de, str>> {
    fn take(&mut self, uid: Cow<'de, str>) {
        self.push(uid);
    }
}

/// A set, and uids that are to go there together, because that is faster.
struct Pending<'de, 'a, T> {
    uids: &'a mut UidSet<T>,
    next: Vec<Cow<'de, str>>,
}

impl<'de, T: AsRef<str> + From<Cow<'de, str>>> Pending<'de, '_, T> {
    fn flush(&mut self) {
        self.uids.extend_from_slice(&self.next);
        self.next.clear();
    }
}

impl<'de, T: AsRef<str> + From<Cow<'de, str>>> Sink<'de> for Pending<'de, '_, T> {
    fn take(&mut self, uid: Cow<'de, str>) {
        const TOGETHER: usize = 1024;

        self.next.push(uid);
        if self.next.len() >= TOGETHER {
            self.flush();
        }
    }
}

struct Model<'de, 'a, S>(&'a mut S, PhantomData<&'de ()>);

impl<'de, 'a, S: Sink<'de>> Model<'de, 'a, S> {
    fn of(uids: &'a mut S) -> Self {
        Self(uids, PhantomData)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Field {
    ModelIterationUids,
    #[serde(other)]
    Other,
}

impl<'de, S: Sink<'de>> DeserializeSeed<'de> for Model<'de, '_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, S: Sink<'de>> Visitor<'de> for Model<'de, '_, S> {
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
                    model.next_value_seed(ModelIterationUids(&mut *self.0))?;
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

struct ModelIterationUids<'a, S>(&'a mut S);

impl<'de, S: Sink<'de>> DeserializeSeed<'de> for ModelIterationUids<'_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, S: Sink<'de>> Visitor<'de> for ModelIterationUids<'_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of model iteration uids")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut uids: A) -> Result<(), A::Error> {
        while let Some(Uid(uid)) = uids.next_element()? {
            self.0.take(uid);
        }
        Ok(())
    }
}

struct Uid<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Uid<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(UidVisitor).map(Self)
    }
}

struct UidVisitor;

impl<'de> Visitor<'de> for UidVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a model iteration uid as a string")
    }

    fn visit_borrowed_str<E: Error>(self, uid: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(uid))
    }

    fn visit_str<E: Error>(self, uid: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(uid.to_owned()))
    }
}
