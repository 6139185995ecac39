//! `encord folders`.

use encord_client::{FolderFilter, ItemFilter, MAX_PAGE_SIZE, NewFolder, StorageFolder, StorageItem};
use serde_json::json;

use super::connect::{failure, with_client};
use super::show::{self, Row};
use crate::args::platform::{FoldersCommand, FoldersCreateArgs, FoldersListArgs, FoldersShowArgs};
use crate::output::{Exit, Failure};

pub(crate) fn run(command: &FoldersCommand) -> Result<Exit, Failure> {
    match command {
        FoldersCommand::List(args) => list(args),
        FoldersCommand::Create(args) => create(args),
        FoldersCommand::Show(args) => show(args),
    }
}

fn list(FoldersListArgs { folder, search, recursive, platform }: &FoldersListArgs) -> Result<Exit, Failure> {
    with_client(platform, async |client| {
        let filter = FolderFilter { search: search.clone(), page_size: MAX_PAGE_SIZE, ..FolderFilter::default() };
        let folders = match folder {
            Some(name) => {
                let folder = client.folder(client.resolve_folder(name).await.map_err(failure)?);
                if *recursive { folder.find_subfolders(&filter) } else { folder.list_subfolders(&filter) }
            }
            None if *recursive => client.find_storage_folders(&filter),
            None => client.list_storage_folders(&filter),
        };
        show::list(folders, platform.json).await
    })
}

fn create(FoldersCreateArgs { name, parent, description, platform }: &FoldersCreateArgs) -> Result<Exit, Failure> {
    with_client(platform, async |client| {
        let parent = match parent {
            Some(parent) => Some(client.resolve_folder(parent).await.map_err(failure)?),
            None => None,
        };
        let new = NewFolder { description: description.clone(), parent, ..NewFolder::new(name) };
        let folder = client.create_storage_folder(&new).await.map_err(failure)?;
        show::fields(&folder, &[("uuid", &folder.uuid), ("name", &folder.name)], platform.json)
    })
}

fn show(FoldersShowArgs { folder, items, platform }: &FoldersShowArgs) -> Result<Exit, Failure> {
    with_client(platform, async |client| {
        let folder = client.folder(client.resolve_folder(folder).await.map_err(failure)?);
        if *items {
            let filter = ItemFilter { page_size: MAX_PAGE_SIZE, ..ItemFilter::default() };
            return show::list(folder.list_items(&filter), platform.json).await;
        }
        let record = folder.get().await.map_err(failure)?;
        let summary = folder.summary().await.map_err(failure)?;
        let size = summary.total_size.map_or_else(String::new, |size| format!("{size:.0} bytes"));
        show::fields(
            &json!({"folder": record, "summary": summary}),
            &[
                ("uuid", &record.uuid),
                ("name", &record.name),
                ("path", &record.path().join("/")),
                ("description", &record.description),
                ("owner", &record.owner),
                ("your role", &record.user_role),
                ("made", &record.created_at),
                ("changed", &record.last_edited_at),
                ("files", &summary.files),
                ("folders", &summary.folders),
                ("images", &summary.images),
                ("videos", &summary.videos),
                ("image groups", &summary.image_groups),
                ("DICOM series", &summary.dicom_series),
                ("upload jobs", &summary.upload_jobs),
                ("size", &size),
            ],
            platform.json,
        )
    })
}

impl Row for StorageFolder {
    const HEADS: &'static [(&'static str, usize)] = &[("UUID", 36), ("ROLE", 5), ("CHANGED", 25), ("NAME", 0)];

    fn cells(&self) -> Vec<String> {
        let path = self.path().join("/");
        vec![self.uuid.to_string(), self.user_role.to_string(), self.last_edited_at.to_string(), path]
    }
}

impl Row for StorageItem {
    const HEADS: &'static [(&'static str, usize)] = &[("UUID", 36), ("TYPE", 13), ("BYTES", 12), ("NAME", 0)];

    fn cells(&self) -> Vec<String> {
        let size = self.file_size.map_or_else(String::new, |size| size.to_string());
        vec![self.uuid.to_string(), self.item_type.to_string(), size, self.name.clone()]
    }
}
