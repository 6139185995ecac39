//! Datasets.

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::filter::Filter;
use super::{Answer, Api, Call};
use crate::problem::Problem;
use crate::state::Dataset;

/// The storage type of every dataset: the platform's own storage.
const STORAGE: &str = "CORD_STORAGE";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewDataset {
    title: String,
    description: Option<String>,
    #[serde(default, alias = "create_backing_folder")]
    create_backing_folder: bool,
}

impl Api<'_> {
    pub(super) fn dataset(&self, uuid: Uuid) -> Result<&Dataset, Problem> {
        self.state.datasets.get(uuid).ok_or_else(|| Problem::not_found("There is no such dataset"))
    }

    fn add_dataset(&mut self, call: &Call) -> Result<Dataset, Problem> {
        let NewDataset { title, description, create_backing_folder } = call.read()?;
        if title.trim().is_empty() {
            return Err(Problem::invalid("the title of a dataset cannot be empty"));
        }
        let folder = if create_backing_folder { Some(self.add_folder(title.clone(), None)?) } else { None };
        Ok(self.new_dataset(title, description.unwrap_or_default(), folder))
    }

    /// Adds a dataset. With a folder, the dataset gets a row for each item of the folder.
    pub(crate) fn new_dataset(&mut self, title: String, description: String, folder: Option<Uuid>) -> Dataset {
        let (created_at, edited_at) = (self.now, self.now);
        let dataset =
            Dataset { uuid: Uuid::new_v4(), title, description, backing_folder: folder, created_at, edited_at };
        if let Some(folder) = folder.and_then(|folder| self.state.folders.edit(folder)) {
            folder.synced_dataset = Some(dataset.uuid);
        }
        self.state.datasets.put(dataset.clone());
        dataset
    }

    pub(super) fn create_dataset(&mut self, call: &Call) -> Answer {
        let Dataset { uuid, backing_folder, .. } = self.add_dataset(call)?;
        Ok(json!({ "datasetUuid": uuid, "backingFolderUuid": backing_folder }))
    }

    pub(super) fn create_dataset_older(&mut self, call: &Call) -> Answer {
        let Dataset { uuid, title, backing_folder, .. } = self.add_dataset(call)?;
        Ok(json!({
            "title": title,
            "type": 0,
            "dataset_hash": uuid,
            "user_hash": "development",
            "backing_folder_uuid": backing_folder,
        }))
    }

    fn filtered_datasets(&self, filter: &Filter) -> impl Iterator<Item = &Dataset> {
        self.state
            .datasets
            .iter()
            .filter(|dataset| filter.fits(&dataset.title, &dataset.description, dataset.created_at, dataset.edited_at))
    }

    pub(super) fn list_datasets(&mut self, call: &Call) -> Answer {
        let filter = Filter::of_query(&call.query)?;
        let datasets = self.filtered_datasets(&filter).map(|dataset| {
            json!({
                "datasetUuid": dataset.uuid,
                "title": dataset.title,
                "description": dataset.description,
                "createdAt": dataset.created_at.iso(),
                "lastEditedAt": dataset.edited_at.iso(),
                "userRole": "admin",
                "storageLocation": 0,
                "backingFolderUuid": dataset.backing_folder,
            })
        });
        Ok(json!({ "result": datasets.collect::<Vec<_>>() }))
    }

    pub(super) fn list_datasets_older(&mut self, call: &Call) -> Answer {
        let filter = Filter::of_payload(call.body.get("filter").unwrap_or(&Value::Null))?;
        let datasets = self.filtered_datasets(&filter).map(|dataset| {
            json!({
                "user_role": 0,
                "dataset": {
                    "dataset_hash": dataset.uuid,
                    "user_hash": "development",
                    "title": dataset.title,
                    "description": dataset.description,
                    "type": 0,
                    "created_at": dataset.created_at.plain(),
                    "last_edited_at": dataset.edited_at.plain(),
                    "backing_folder_uuid": dataset.backing_folder,
                },
            })
        });
        Ok(datasets.collect())
    }

    pub(super) fn get_dataset(&mut self, call: &Call) -> Answer {
        let settings = call.body.get("dataset_access_settings");
        let flag = |name, default| settings.and_then(|settings| settings.get(name)?.as_bool()).unwrap_or(default);
        let dataset = self.dataset(call.resource()?)?;
        let mut written = json!({
            "title": dataset.title,
            "description": dataset.description,
            "dataset_type": STORAGE,
            "dataset_hash": dataset.uuid,
            "backing_folder_uuid": dataset.backing_folder,
        });
        if flag("fetch_rows", true) {
            let metadata = flag("fetch_client_metadata", false);
            let rows = self.state.rows.iter().filter(|row| row.dataset == dataset.uuid);
            written["data_rows"] = rows.map(|row| self.written_row(row, metadata)).collect();
        }
        Ok(written)
    }
}
