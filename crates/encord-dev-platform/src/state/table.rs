//! A table: records by id, in the order of creation, with the set of changed records.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

/// A record of a table.
pub(crate) trait Record: Serialize + DeserializeOwned {
    /// Its name in the file.
    const KIND: &'static str;

    fn uuid(&self) -> Uuid;
}

#[derive(Debug)]
pub(crate) struct Table<R> {
    records: BTreeMap<u64, R>,
    places: HashMap<Uuid, u64>,
    next: u64,
    changed: BTreeSet<u64>,
    gone: Vec<Uuid>,
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self { records: BTreeMap::new(), places: HashMap::new(), next: 0, changed: BTreeSet::new(), gone: Vec::new() }
    }
}

impl<R: Record> Table<R> {
    /// Adds a record, or replaces the one of its id.
    pub(crate) fn put(&mut self, record: R) {
        let place = *self.places.entry(record.uuid()).or_insert(self.next);
        self.next = self.next.max(place + 1);
        self.changed.insert(place);
        self.records.insert(place, record);
    }

    pub(crate) fn get(&self, uuid: Uuid) -> Option<&R> {
        self.records.get(self.places.get(&uuid)?)
    }

    /// Returns a record to change, and marks it as changed.
    pub(crate) fn edit(&mut self, uuid: Uuid) -> Option<&mut R> {
        let place = self.places.get(&uuid)?;
        self.changed.insert(*place);
        self.records.get_mut(place)
    }

    pub(crate) fn remove(&mut self, uuid: Uuid) -> Option<R> {
        let place = self.places.remove(&uuid)?;
        self.changed.remove(&place);
        self.gone.push(uuid);
        self.records.remove(&place)
    }

    /// Returns the records in the order of creation.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &R> {
        self.records.values()
    }

    /// Returns the records in the order of creation, each with a number that increases.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (u64, &R)> {
        self.records.iter().map(|(place, record)| (*place, record))
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// Applies a line of the file: a record, or the id of a removed record.
    pub(super) fn replay(&mut self, value: Value) {
        if let Some(uuid) = value.as_str().and_then(|uuid| Uuid::try_parse(uuid).ok()) {
            self.remove(uuid);
        } else if let Ok(record) = serde_json::from_value(value) {
            self.put(record);
        }
    }

    /// Returns the changes since the last call, as lines of the file.
    pub(super) fn changes(&mut self) -> Vec<Value> {
        let gone = std::mem::take(&mut self.gone).into_iter().map(|uuid| json!({ R::KIND: uuid }));
        let changed = std::mem::take(&mut self.changed);
        gone.chain(changed.iter().filter_map(|place| self.records.get(place)).map(|record| json!({ R::KIND: record })))
            .collect()
    }

    pub(super) fn all(&self) -> Vec<Value> {
        self.records.values().map(|record| json!({ R::KIND: record })).collect()
    }
}
