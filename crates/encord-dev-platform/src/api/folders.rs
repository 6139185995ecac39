//! Folders.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::filter::Search;
use super::page::{Paging, whole};
use super::{Answer, Api, Call, OWNER, forbidden};
use crate::operation::Operation;
use crate::problem::Problem;
use crate::state::{Folder, ItemType};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewFolder {
    name: String,
    description: Option<String>,
    parent: Option<Uuid>,
    #[serde(alias = "client_metadata")]
    client_metadata: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Patch {
    name: Option<String>,
    description: Option<String>,
    #[serde(alias = "client_metadata")]
    client_metadata: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Patches {
    #[serde(alias = "folder_patches")]
    folder_patches: BTreeMap<Uuid, Patch>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Move {
    #[serde(alias = "folder_uuids")]
    folder_uuids: Vec<Uuid>,
    #[serde(alias = "new_parent_uuid")]
    new_parent_uuid: Option<Uuid>,
}

impl Api<'_> {
    pub(super) fn folder(&self, uuid: Uuid) -> Result<&Folder, Problem> {
        self.state.folders.get(uuid).ok_or_else(|| forbidden("folder"))
    }

    pub(super) fn create_folder(&mut self, call: &Call) -> Answer {
        let NewFolder { name, description, parent, client_metadata } = call.read()?;
        if let Some(text) = &client_metadata
            && serde_json::from_str::<Value>(text).is_err()
        {
            return Err(Problem::invalid("clientMetadata is not JSON"));
        }
        let folder = self.add_folder(name, parent)?;
        if let Some(folder) = self.state.folders.edit(folder) {
            folder.description = description.unwrap_or_default();
            folder.client_metadata = client_metadata;
        }
        self.written_folder(folder)
    }

    pub(crate) fn add_folder(&mut self, name: String, parent: Option<Uuid>) -> Result<Uuid, Problem> {
        if name.trim().is_empty() {
            return Err(Problem::invalid("the name of a folder cannot be empty"));
        }
        if let Some(parent) = parent {
            self.folder(parent)?;
        }
        let folder = Folder {
            uuid: Uuid::new_v4(),
            parent,
            name,
            description: String::new(),
            client_metadata: None,
            synced_dataset: None,
            created_at: self.now,
            edited_at: self.now,
        };
        let uuid = folder.uuid;
        self.state.folders.put(folder);
        Ok(uuid)
    }

    pub(super) fn get_folder(&mut self, call: &Call) -> Answer {
        self.written_folder(call.id(0)?)
    }

    /// Lists the folders at the root, all folders, or the folders below a folder.
    pub(super) fn list_folders(&mut self, call: &Call) -> Answer {
        let query = &call.query;
        let paging = Paging::read(query, self.switches)?;
        let recursive = query.flag("isRecursive")?.unwrap_or(false);
        let synced = query.flag("datasetSynced")?;
        let search = Search::read(query);
        let below = match call.ids.first() {
            Some(parent) => {
                self.folder(*parent)?;
                if recursive { self.state.folders_below(*parent) } else { vec![*parent] }
            }
            None => Vec::new(),
        };
        let all = call.operation == Operation::SearchFolders || (call.ids.is_empty() && recursive);
        let folders = self.state.folders.numbered().filter(|(_, folder)| {
            let is_below = match folder.parent {
                _ if all => true,
                Some(parent) => below.contains(&parent),
                None => call.ids.is_empty(),
            };
            is_below
                && synced.is_none_or(|synced| folder.synced_dataset.is_some() == synced)
                && search.fits(&folder.name)
        });
        let folders = folders.map(|(number, folder)| (number, folder.name.as_str(), folder));
        Ok(paging.page(folders, |folder| self.written_folder(folder.uuid).unwrap_or_default()))
    }

    pub(super) fn patch_folder(&mut self, call: &Call) -> Answer {
        let uuid = call.id(0)?;
        self.apply(uuid, call.read()?)?;
        self.written_folder(uuid)
    }

    pub(super) fn patch_folders(&mut self, call: &Call) -> Answer {
        let Patches { folder_patches } = call.read()?;
        for folder in folder_patches.keys() {
            self.folder(*folder)?;
        }
        let mut patched = Vec::new();
        for (folder, patch) in folder_patches {
            self.apply(folder, patch)?;
            patched.push(self.written_folder(folder)?);
        }
        Ok(whole(&patched))
    }

    fn apply(&mut self, folder: Uuid, Patch { name, description, client_metadata }: Patch) -> Result<(), Problem> {
        let now = self.now;
        let folder = self.state.folders.edit(folder).ok_or_else(|| forbidden("folder"))?;
        if let Some(name) = name {
            folder.name = name;
        }
        if let Some(description) = description {
            folder.description = description;
        }
        if let Some(metadata) = client_metadata {
            folder.client_metadata = Some(metadata.to_string());
        }
        folder.edited_at = now;
        Ok(())
    }

    /// Deletes a folder, if it is empty.
    pub(super) fn delete_folder(&mut self, call: &Call) -> Answer {
        let uuid = call.id(0)?;
        self.folder(uuid)?;
        let is_empty = !self.state.items.iter().any(|item| item.folder == uuid)
            && !self.state.folders.iter().any(|folder| folder.parent == Some(uuid));
        if !is_empty {
            return Err(Problem::invalid("the folder is not empty"));
        }
        self.state.folders.remove(uuid);
        Ok(Value::Null)
    }

    pub(super) fn move_folders(&mut self, call: &Call) -> Answer {
        let Move { folder_uuids, new_parent_uuid } = call.read()?;
        for folder in &folder_uuids {
            self.folder(*folder)?;
            if let Some(parent) = new_parent_uuid
                && self.state.folders_below(*folder).contains(&parent)
            {
                return Err(Problem::invalid("a folder cannot be moved into itself"));
            }
        }
        if let Some(parent) = new_parent_uuid {
            self.folder(parent)?;
        }
        for folder in folder_uuids {
            if let Some(folder) = self.state.folders.edit(folder) {
                folder.parent = new_parent_uuid;
            }
        }
        Ok(Value::Null)
    }

    pub(super) fn folder_summary(&mut self, call: &Call) -> Answer {
        let uuid = call.id(0)?;
        self.folder(uuid)?;
        let items: Vec<_> = self.state.items.iter().filter(|item| item.folder == uuid && !item.is_frame).collect();
        let count = |of| items.iter().filter(|item| item.item_type == of).count();
        let folders = self.state.folders.iter().filter(|folder| folder.parent == Some(uuid)).count();
        let jobs = self.state.jobs.iter().filter(|job| job.folder == uuid).count();
        Ok(json!({
            "files": items.len(),
            "folders": folders,
            "videos": count(ItemType::Video),
            "images": count(ItemType::Image),
            "imageGroups": count(ItemType::ImageGroup),
            "imageSequences": count(ItemType::ImageSequence),
            "dicomFiles": count(ItemType::DicomFile),
            "dicomSeries": count(ItemType::DicomSeries),
            "niftis": count(ItemType::Nifti),
            "audios": count(ItemType::Audio),
            "pdfs": count(ItemType::Pdf),
            "plainTexts": count(ItemType::PlainText),
            "tombstones": 0,
            "uploadJobs": jobs,
            "totalSize": self.state.items.iter().filter(|item| item.folder == uuid).filter_map(|item| item.file_size).sum::<u64>(),
        }))
    }

    fn written_folder(&self, uuid: Uuid) -> Answer {
        let folder = self.folder(uuid)?;
        let mut path = Vec::new();
        let mut next = Some(folder);
        while let Some(folder) = next {
            path.push(json!({
                "uuid": folder.uuid,
                "parentUuid": folder.parent,
                "name": folder.name,
                "syncedDatasetHash": folder.synced_dataset,
            }));
            next = folder.parent.and_then(|parent| self.state.folders.get(parent));
        }
        Ok(json!({
            "uuid": folder.uuid,
            "parent": folder.parent,
            "name": folder.name,
            "description": folder.description,
            "clientMetadata": folder.client_metadata,
            "owner": OWNER,
            "createdAt": folder.created_at.iso(),
            "lastEditedAt": folder.edited_at.iso(),
            "userRole": "admin",
            "syncedDatasetHash": folder.synced_dataset,
            "pathToRoot": path,
            "folderType": "generic",
            "integrationHash": null,
            "remoteUrl": null,
        }))
    }
}
