//! Rows of datasets: items that are linked.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::filter::{like, time};
use super::{Answer, Api, Call};
use crate::problem::{Kind, Problem};
use crate::state::{Item, ItemType, Row};
use crate::switches::SkipReturns;

#[derive(Deserialize)]
struct Link {
    item_uuids: Vec<Uuid>,
    duplicates_behavior: Option<DuplicatesBehavior>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum DuplicatesBehavior {
    Skip,
    Fail,
    Duplicate,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct ListRows {
    title_eq: Option<String>,
    title_like: Option<String>,
    created_before: Option<String>,
    created_after: Option<String>,
    data_types: Option<Vec<String>>,
    dataset_access_settings: Option<Value>,
    data_hashes: Option<Vec<Uuid>>,
}

impl Api<'_> {
    pub(super) fn link_items(&mut self, call: &Call) -> Answer {
        let Link { item_uuids, duplicates_behavior } = call.read()?;
        let dataset = self.dataset(call.resource()?)?.uuid;
        self.check_ids_limit(item_uuids.len())?;
        let behavior = duplicates_behavior.unwrap_or(DuplicatesBehavior::Skip);
        if let Some(unknown) = item_uuids.iter().find(|item| self.state.items.get(**item).is_none()) {
            return Err(Problem::not_found(format!("There is no item {unknown}")));
        }
        let mut linked = self.linked(dataset);
        if behavior == DuplicatesBehavior::Fail {
            let mut seen = HashSet::new();
            if item_uuids.iter().any(|item| linked.contains_key(item) || !seen.insert(*item)) {
                return Err(Problem::new(Kind::Exists, "Some items are linked to the dataset already"));
            }
        }
        let mut rows = Vec::new();
        for item in item_uuids {
            match linked.get(&item) {
                Some(row) if behavior == DuplicatesBehavior::Skip => {
                    rows.extend(Some(*row).filter(|_| self.switches.skip_returns == SkipReturns::Rows));
                }
                _ => {
                    let row = self.add_row(Uuid::new_v4(), dataset, item);
                    linked.insert(item, row);
                    rows.push(row);
                }
            }
        }
        Ok(rows.iter().filter_map(|row| self.state.rows.get(*row)).map(|row| self.written_row(row, false)).collect())
    }

    /// Returns the items of a dataset, each with its first row.
    fn linked(&self, dataset: Uuid) -> HashMap<Uuid, Uuid> {
        let mut linked = HashMap::new();
        for row in self.state.rows.iter().filter(|row| row.dataset == dataset) {
            linked.entry(row.item).or_insert(row.uuid);
        }
        linked
    }

    /// Links items to a dataset, and returns their rows. Items that are already linked keep their row.
    pub(crate) fn link(&mut self, dataset: Uuid, items: &[Uuid]) -> Vec<Uuid> {
        let linked = self.linked(dataset);
        let row = |item: &Uuid| match linked.get(item) {
            Some(row) => *row,
            None => self.add_row(Uuid::new_v4(), dataset, *item),
        };
        items.iter().map(row).collect()
    }

    pub(super) fn add_row(&mut self, uuid: Uuid, dataset: Uuid, item: Uuid) -> Uuid {
        let title = self.state.items.get(item).map_or_else(String::new, |item| item.name.clone());
        self.state.rows.put(Row { uuid, dataset, item, title, created_at: self.now });
        uuid
    }

    pub(super) fn list_rows(&mut self, call: &Call) -> Answer {
        let filter: ListRows = if call.body.is_null() { ListRows::default() } else { call.read()? };
        let dataset = self.dataset(call.resource()?)?.uuid;
        let before = filter.created_before.as_deref().map(time).transpose()?;
        let after = filter.created_after.as_deref().map(time).transpose()?;
        let settings = filter.dataset_access_settings.unwrap_or_default();
        let metadata = settings.get("fetch_client_metadata").and_then(Value::as_bool).unwrap_or(false);
        let rows = self.state.rows.iter().filter(|row| {
            let data_type = self.state.items.get(row.item).map_or("", |item| item.item_type.data_type());
            row.dataset == dataset
                && filter.title_eq.as_ref().is_none_or(|title| *title == row.title)
                && filter.title_like.as_ref().is_none_or(|title| like(title, &row.title))
                && before.is_none_or(|limit| row.created_at < limit)
                && after.is_none_or(|limit| row.created_at >= limit)
                && filter.data_types.as_ref().is_none_or(|types| types.iter().any(|wanted| wanted == data_type))
                && filter.data_hashes.as_ref().is_none_or(|hashes| hashes.contains(&row.uuid))
        });
        Ok(rows.map(|row| self.written_row(row, metadata)).collect())
    }

    pub(super) fn delete_rows(&mut self, call: &Call) -> Answer {
        let dataset = self.dataset(call.resource()?)?.uuid;
        let rows = call.uids()?;
        self.check_ids_limit(rows.len())?;
        for uuid in rows {
            if self.state.rows.get(uuid).is_some_and(|row| row.dataset == dataset) {
                self.state.rows.remove(uuid);
            }
        }
        Ok(true.into())
    }

    pub(super) fn written_row(&self, row: &Row, metadata: bool) -> Value {
        let item = self.state.items.get(row.item);
        let media = |name: &str| item.and_then(|item| item.media.get(name)).cloned().unwrap_or_default();
        let is_sequence =
            item.map(|item| item.item_type).filter(|of| matches!(of, ItemType::ImageGroup | ItemType::ImageSequence));
        json!({
            "data_hash": row.uuid,
            "data_title": row.title,
            "data_type": item.map(|item| item.item_type.data_type()),
            "created_at": row.created_at.plain(),
            "last_edited_at": row.created_at.plain(),
            "width": media("width"),
            "height": media("height"),
            "file_link": item.and_then(|item| item.url.as_ref()),
            "file_size": item.and_then(|item| item.file_size),
            "file_type": item.and_then(|item| item.mime_type.as_ref()),
            "storage_location": 0,
            "frames_per_second": media("fps"),
            "duration": media("duration"),
            "client_metadata": item.filter(|_| metadata).map(|item| &item.client_metadata),
            "signed_url": null,
            "is_optimised_image_group": is_sequence.map(|of| of == ItemType::ImageSequence),
            "backing_item_uuid": row.item,
            "images_data": null,
        })
    }

    /// Returns the rows of a dataset, each with its item.
    pub(super) fn items_of(&self, dataset: Uuid) -> impl Iterator<Item = (&Row, &Item)> {
        let rows = self.state.rows.iter().filter(move |row| row.dataset == dataset);
        rows.filter_map(|row| Some((row, self.state.items.get(row.item)?)))
    }
}
