//! `encord datasets`.

use encord_client::{DataRow, DatasetFilter, DatasetInfo, NewDataset, RowFilter};

use super::connect::{failure, with_client};
use super::show::{self, Row};
use crate::args::platform::{DatasetsCommand, DatasetsCreateArgs, DatasetsListArgs, DatasetsShowArgs};
use crate::output::{Exit, Failure};

pub(crate) fn run(command: &DatasetsCommand) -> Result<Exit, Failure> {
    match command {
        DatasetsCommand::List(args) => list(args),
        DatasetsCommand::Create(args) => create(args),
        DatasetsCommand::Show(args) => show(args),
    }
}

fn list(DatasetsListArgs { title, platform }: &DatasetsListArgs) -> Result<Exit, Failure> {
    with_client(platform, async |client| {
        let filter = DatasetFilter { title_like: title.clone(), ..DatasetFilter::default() };
        show::records(&client.list_datasets(&filter).await.map_err(failure)?, platform.json)
    })
}

fn create(DatasetsCreateArgs { title, description, mirrored, platform }: &DatasetsCreateArgs) -> Result<Exit, Failure> {
    with_client(platform, async |client| {
        let new =
            NewDataset { title: title.clone(), description: description.clone(), create_backing_folder: *mirrored };
        let created = client.create_dataset(&new).await.map_err(failure)?;
        let folder = created.backing_folder_uuid.map_or_else(String::new, |folder| folder.to_string());
        let fields: [(&str, &dyn std::fmt::Display); 3] =
            [("uuid", &created.dataset_uuid), ("title", title), ("folder", &folder)];
        show::fields(&created, &fields, platform.json)
    })
}

fn show(DatasetsShowArgs { dataset, rows, platform }: &DatasetsShowArgs) -> Result<Exit, Failure> {
    with_client(platform, async |client| {
        let dataset = client.dataset(client.resolve_dataset(dataset).await.map_err(failure)?);
        if *rows {
            return show::records(&dataset.list_rows(&RowFilter::default()).await.map_err(failure)?, platform.json);
        }
        let details = dataset.get().await.map_err(failure)?;
        let description = details.description.clone().unwrap_or_default();
        let folder = details.backing_folder_uuid.map_or_else(String::new, |folder| folder.to_string());
        show::fields(
            &details,
            &[
                ("uuid", &details.dataset_hash),
                ("title", &details.title),
                ("description", &description),
                ("folder", &folder),
            ],
            platform.json,
        )
    })
}

impl Row for DatasetInfo {
    const HEADS: &'static [(&'static str, usize)] = &[("UUID", 36), ("CHANGED", 25), ("TITLE", 0)];

    fn cells(&self) -> Vec<String> {
        vec![self.dataset_uuid.to_string(), self.last_edited_at.to_string(), self.title.clone()]
    }
}

impl Row for DataRow {
    const HEADS: &'static [(&'static str, usize)] = &[("UID", 36), ("TYPE", 11), ("ITEM", 36), ("TITLE", 0)];

    fn cells(&self) -> Vec<String> {
        let item = self.backing_item_uuid.map_or_else(String::new, |item| item.to_string());
        vec![self.data_hash.clone(), self.data_type.to_string(), item, self.data_title.clone()]
    }
}
