//! Items: listed, looked up, changed, deleted.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::filter::Search;
use super::page::{Paging, whole};
use super::{Answer, Api, Call, OWNER, forbidden};
use crate::problem::Problem;
use crate::state::{Item, ItemType, Placeholder};
use crate::switches::{Placeholders, UnknownIds};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetItems {
    #[serde(alias = "item_uuids")]
    item_uuids: Vec<Uuid>,
    #[serde(default, alias = "sign_urls")]
    sign_urls: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Patch {
    name: Option<String>,
    description: Option<String>,
    #[serde(alias = "client_metadata")]
    client_metadata: Option<Map<String, Value>>,
    #[serde(alias = "timeseries_settings")]
    timeseries_settings: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Patches {
    #[serde(alias = "item_patches")]
    item_patches: BTreeMap<Uuid, Patch>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delete {
    #[serde(alias = "child_uuids")]
    child_uuids: Vec<Uuid>,
    #[serde(default, alias = "remove_unused_frames")]
    remove_unused_frames: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Move {
    #[serde(alias = "item_uuids")]
    item_uuids: Vec<Uuid>,
    #[serde(alias = "new_parent_uuid")]
    new_parent_uuid: Uuid,
    #[serde(default, rename = "allowSyncedDatasetMove", alias = "allow_synced_dataset_move")]
    also_synced: bool,
}

/// An entry of a listing or a lookup.
enum Found<'a> {
    Item(&'a Item),
    Placeholder(&'a Placeholder, Uuid),
}

impl Api<'_> {
    pub(super) fn item(&self, uuid: Uuid) -> Result<&Item, Problem> {
        self.state.items.get(uuid).ok_or_else(|| forbidden("item"))
    }

    /// Adds images of 0 bytes without an object.
    pub(crate) fn add_items(&mut self, folder: Uuid, count: usize) {
        for at in 0..count {
            let mut item = Item::new(Uuid::new_v4(), folder, ItemType::Image, format!("item {at}"), self.now);
            item.file_size = Some(0);
            self.state.items.put(item);
        }
    }

    /// Lists the items of a folder, or of all folders.
    pub(super) fn list_items(&mut self, call: &Call) -> Answer {
        let query = &call.query;
        let paging = Paging::read(query, self.switches)?;
        let recursive = query.flag("isRecursive")?.unwrap_or(false);
        let folders: HashSet<_> = match call.ids.first() {
            None => self.state.folders.iter().map(|folder| folder.uuid).collect(),
            Some(folder) => {
                let folder = self.folder(*folder)?.uuid;
                if recursive { self.state.folders_below(folder).into_iter().collect() } else { [folder].into() }
            }
        };
        let search = Search::read(query);
        let mut types = Vec::new();
        for name in query.all("itemTypes") {
            types.push(name.parse::<ItemType>().map_err(|_| Problem::invalid(format!("`{name}` is no item type")))?);
        }
        let in_dataset = query.flag("isInDataset")?;
        let sign = query.flag("signUrls")?.unwrap_or(false);
        let rows = self.state.rows_of_items();
        let fits = |name: &str, item_type: ItemType, rows: usize| {
            (types.is_empty() || types.contains(&item_type))
                && search.fits(name)
                && in_dataset.is_none_or(|wanted| wanted == (rows > 0))
        };
        let rows_of = |uuid| rows.get(&uuid).copied().unwrap_or_default();

        let mut found = Vec::new();
        for (number, item) in self.state.items.numbered() {
            if folders.contains(&item.folder)
                && (!item.is_frame || self.switches.frames_listed)
                && fits(&item.name, item.item_type, rows_of(item.uuid))
            {
                found.push((number, item.name.as_str(), Found::Item(item)));
            }
        }
        if self.switches.placeholders == Placeholders::Listed {
            for (number, placeholder) in self.state.placeholders.numbered() {
                if let (Some(folder), None) = (placeholder.folder, placeholder.item)
                    && folders.contains(&folder)
                    && fits(&placeholder.key, placeholder.item_type, 0)
                {
                    found.push((number, placeholder.key.as_str(), Found::Placeholder(placeholder, folder)));
                }
            }
        }
        let found = found.iter().map(|(number, name, found)| (*number, *name, found));
        Ok(paging.page(found, |found| match found {
            Found::Item(item) => self.written_item(item, rows_of(item.uuid), sign),
            Found::Placeholder(placeholder, folder) => self.written_placeholder(placeholder, *folder),
        }))
    }

    pub(super) fn get_item(&mut self, call: &Call) -> Answer {
        let sign = call.query.flag("signUrl")?.unwrap_or(false);
        self.written(call.id(0)?, sign).ok_or_else(|| forbidden("item"))
    }

    pub(super) fn get_items(&mut self, call: &Call) -> Answer {
        let GetItems { item_uuids, sign_urls } = call.read()?;
        self.check_ids_limit(item_uuids.len())?;
        let mut results = Vec::new();
        for uuid in item_uuids {
            match self.written(uuid, sign_urls) {
                Some(item) => results.push(item),
                None if self.switches.unknown_ids == UnknownIds::Skip => {}
                None => return Err(forbidden("item")),
            }
        }
        Ok(whole(&results))
    }

    fn written(&self, uuid: Uuid, sign: bool) -> Option<Value> {
        if let Some(item) = self.state.items.get(uuid) {
            let rows = self.state.rows.iter().filter(|row| row.item == uuid).count();
            return Some(self.written_item(item, rows, sign));
        }
        let placeholder = self.state.placeholders.get(uuid)?;
        let shows = self.switches.placeholders != Placeholders::Hidden && placeholder.item.is_none();
        shows.then(|| self.written_placeholder(placeholder, placeholder.folder.unwrap_or_default()))
    }

    pub(super) fn item_summary(&mut self, call: &Call) -> Answer {
        let uuid = call.id(1)?;
        self.item(uuid)?;
        let groups: Vec<_> = self.state.items.iter().filter(|item| item.children.contains(&uuid)).collect();
        let short = |group: &&Item| {
            let parent = self.state.folders.get(group.folder).map_or("", |folder| &folder.name);
            json!({
                "uuid": group.uuid,
                "name": group.name,
                "parentUuid": group.folder,
                "parentName": parent,
                "itemType": group.item_type,
            })
        };
        let datasets = self.state.datasets.iter().filter_map(|dataset| {
            let rows = self.state.rows.iter().filter(|row| row.dataset == dataset.uuid && row.item == uuid);
            let rows: Vec<_> = rows.collect();
            let first = rows.first()?;
            Some(json!({
                "datasetHash": dataset.uuid,
                "backingFolderUuid": dataset.backing_folder,
                "title": dataset.title,
                "dataHashes": rows.iter().map(|row| row.uuid).collect::<Vec<_>>(),
                "dataUnitsCreatedAt": first.created_at.iso(),
            }))
        });
        let datasets: Vec<_> = datasets.collect();
        Ok(json!({
            "frameInGroups": groups.len(),
            "accessibleGroupItems": groups.iter().map(short).collect::<Vec<_>>(),
            "usedInDatasets": datasets.len(),
            "accessibleDatasets": datasets,
            "groupLayout": null,
        }))
    }

    pub(super) fn child_items(&mut self, call: &Call) -> Answer {
        let sign = call.query.flag("signUrls")?.unwrap_or(false);
        let children = &self.item(call.id(1)?)?.children;
        let children: Vec<_> = children.iter().filter_map(|child| self.written(*child, sign)).collect();
        Ok(whole(&children))
    }

    pub(super) fn patch_item(&mut self, call: &Call) -> Answer {
        let uuid = call.id(1)?;
        self.apply_to_item(uuid, call.read()?)?;
        self.written(uuid, false).ok_or_else(|| forbidden("item"))
    }

    pub(super) fn patch_items(&mut self, call: &Call) -> Answer {
        let Patches { item_patches } = call.read()?;
        self.check_ids_limit(item_patches.len())?;
        for uuid in item_patches.keys() {
            self.item(*uuid)?;
        }
        let mut patched = Vec::new();
        for (uuid, patch) in item_patches {
            self.apply_to_item(uuid, patch)?;
            patched.extend(self.written(uuid, false));
        }
        Ok(whole(&patched))
    }

    fn apply_to_item(&mut self, uuid: Uuid, patch: Patch) -> Result<(), Problem> {
        let now = self.now;
        let item = self.state.items.edit(uuid).ok_or_else(|| forbidden("item"))?;
        if let Some(name) = patch.name {
            item.name = name;
        }
        if let Some(description) = patch.description {
            item.description = description;
        }
        if let Some(metadata) = patch.client_metadata {
            item.client_metadata = metadata;
        }
        if let Some(settings) = patch.timeseries_settings {
            item.media.insert("timeseriesSettings".to_owned(), settings);
        }
        item.edited_at = now;
        Ok(())
    }

    /// Deletes items and their rows.
    pub(super) fn delete_items(&mut self, call: &Call) -> Answer {
        let Delete { child_uuids, remove_unused_frames } = call.read()?;
        self.check_ids_limit(child_uuids.len())?;
        for uuid in &child_uuids {
            self.item(*uuid)?;
        }
        let mut gone: HashSet<Uuid> = child_uuids.into_iter().collect();
        if remove_unused_frames {
            let frames: Vec<_> =
                gone.iter().filter_map(|uuid| self.state.items.get(*uuid)).flat_map(|item| &item.children).collect();
            let in_use = |frame: &Uuid| {
                self.state.items.iter().any(|item| !gone.contains(&item.uuid) && item.children.contains(frame))
            };
            let unused: Vec<_> = frames.into_iter().filter(|frame| !in_use(frame)).copied().collect();
            gone.extend(unused);
        }
        for uuid in &gone {
            self.state.items.remove(*uuid);
        }
        let rows: Vec<_> = self.state.rows.iter().filter(|row| gone.contains(&row.item)).map(|row| row.uuid).collect();
        for row in rows {
            self.state.rows.remove(row);
        }
        Ok(json!({ "removedItemsCount": gone.len(), "removedFoldersCount": 0 }))
    }

    /// Moves items. If one of the two folders backs a dataset, the rows of that dataset change too.
    pub(super) fn move_items(&mut self, call: &Call) -> Answer {
        let Move { item_uuids, new_parent_uuid, also_synced } = call.read()?;
        self.check_ids_limit(item_uuids.len())?;
        let joined = self.folder(new_parent_uuid)?.synced_dataset;
        let left = self.folder(call.id(0)?)?.synced_dataset;
        if left.is_some() && !also_synced {
            return Err(Problem::invalid("the items are in a dataset that follows the folder"));
        }
        for uuid in &item_uuids {
            self.item(*uuid)?;
        }
        let gone: Vec<_> = self.state.rows.iter().filter(|row| Some(row.dataset) == left).collect();
        let gone: Vec<_> = gone.into_iter().filter(|row| item_uuids.contains(&row.item)).map(|row| row.uuid).collect();
        for row in gone {
            self.state.rows.remove(row);
        }
        if let Some(dataset) = joined {
            self.link(dataset, &item_uuids);
        }
        for uuid in item_uuids {
            if let Some(item) = self.state.items.edit(uuid) {
                item.folder = new_parent_uuid;
            }
        }
        Ok(Value::Null)
    }

    fn written_item(&self, item: &Item, rows: usize, sign: bool) -> Value {
        let signed = item.url.as_ref().filter(|_| sign).and_then(|key| self.sign_get(key));
        let media = |name: &str| item.media.get(name).cloned().unwrap_or_default();
        let frames = (!item.children.is_empty()).then_some(item.children.len());
        let mut written = json!({
            "uuid": item.uuid,
            "parent": item.folder,
            "itemType": item.item_type,
            "name": item.name,
            "description": item.description,
            "clientMetadata": Value::from(item.client_metadata.clone()).to_string(),
            "owner": OWNER,
            "createdAt": item.created_at.iso(),
            "lastEditedAt": item.edited_at.iso(),
            "isTombstone": false,
            "isPlaceholder": false,
            "backedDataUnitsCount": rows,
            "storageLocation": location(item.url.as_deref().unwrap_or_default()),
            "integrationHash": null,
            "url": item.url,
            "signedUrl": signed,
            "fileSize": item.file_size,
            "mimeType": item.mime_type,
            "dicomInstanceUid": null,
            "dicomStudyUid": null,
            "dicomSeriesUid": null,
            "frameCount": frames,
        });
        for (name, of) in [
            ("duration", "duration"),
            ("fps", "fps"),
            ("height", "height"),
            ("width", "width"),
            ("audioSampleRate", "sampleRate"),
            ("audioBitDepth", "bitDepth"),
            ("audioCodec", "codec"),
            ("audioNumChannels", "numChannels"),
            ("timeseriesSettings", "timeseriesSettings"),
        ] {
            written[name] = media(of);
        }
        written
    }

    /// Writes a placeholder as an item.
    fn written_placeholder(&self, placeholder: &Placeholder, folder: Uuid) -> Value {
        let Placeholder { uuid, key, item_type, created_at, .. } = placeholder;
        let mut item = Item::new(*uuid, folder, *item_type, key.clone(), *created_at);
        item.url = Some(key.clone());
        let mut written = self.written_item(&item, 0, false);
        written["isPlaceholder"] = true.into();
        written
    }
}

fn location(url: &str) -> &'static str {
    match url.split_once("://") {
        None => "encord",
        Some(("gs", _)) => "gcp",
        Some(("s3", _)) => "s3",
        Some((_, rest)) if rest.contains(".blob.core.windows.net") => "azure",
        Some((_, rest)) if rest.starts_with("storage.googleapis.com") => "gcp",
        Some((_, rest)) if rest.contains(".amazonaws.com") => "s3",
        Some(_) => "directAccess",
    }
}
