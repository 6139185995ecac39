//! Storage folders.

use encord_enums::{Lossless, StorageFolderType, StorageUserRole};
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use super::lenient;
use super::time::Time;
use crate::ids::{DatasetId, FolderId};

/// A storage folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a storage folder")]
#[non_exhaustive]
pub struct StorageFolder {
    /// Its identifier.
    pub uuid: FolderId,
    /// The folder that it is in; none at the root.
    #[serde(default)]
    pub parent: Option<FolderId>,
    /// Its name.
    pub name: String,
    /// What people wrote about it.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub description: String,
    /// JSON as text.
    #[serde(default, alias = "client_metadata")]
    pub client_metadata: Option<String>,
    /// The e-mail address of who made it.
    pub owner: String,
    /// When it was made.
    #[serde(alias = "created_at")]
    pub created_at: Time,
    /// When it was changed last.
    #[serde(alias = "last_edited_at")]
    pub last_edited_at: Time,
    /// What the user of this client may do with it.
    #[serde(alias = "user_role")]
    pub user_role: Lossless<StorageUserRole>,
    /// The dataset that mirrors it.
    #[serde(default, alias = "synced_dataset_hash")]
    pub synced_dataset_hash: Option<DatasetId>,
    /// The folders above it, and itself.
    #[serde(default, alias = "path_to_root")]
    pub path_to_root: Vec<PathElement>,
    /// What kind of folder it is.
    #[serde(default = "generic", alias = "folder_type", deserialize_with = "or_generic")]
    pub folder_type: Lossless<StorageFolderType>,
    /// The integration behind a folder that mirrors a bucket.
    #[serde(default, alias = "integration_hash")]
    pub integration_hash: Option<Uuid>,
    /// The place that such a folder mirrors.
    #[serde(default, alias = "remote_url")]
    pub remote_url: Option<String>,
}

/// A folder on the way to the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PathElement {
    /// Its identifier.
    pub uuid: FolderId,
    /// The folder that it is in.
    #[serde(default, alias = "parent_uuid")]
    pub parent_uuid: Option<FolderId>,
    /// Its name.
    pub name: String,
    /// The dataset that mirrors it.
    #[serde(default, alias = "synced_dataset_hash")]
    pub synced_dataset_hash: Option<DatasetId>,
}

/// How much is in a folder.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct FolderSummary {
    /// Files.
    #[serde(deserialize_with = "lenient::whole")]
    pub files: u64,
    /// Folders.
    #[serde(deserialize_with = "lenient::whole")]
    pub folders: u64,
    /// Videos.
    #[serde(deserialize_with = "lenient::whole")]
    pub videos: u64,
    /// Single images.
    #[serde(deserialize_with = "lenient::whole")]
    pub images: u64,
    /// Groups of images.
    #[serde(deserialize_with = "lenient::whole", alias = "image_groups")]
    pub image_groups: u64,
    /// Sequences of images.
    #[serde(deserialize_with = "lenient::whole", alias = "image_sequences")]
    pub image_sequences: u64,
    /// Single DICOM files.
    #[serde(deserialize_with = "lenient::whole", alias = "dicom_files")]
    pub dicom_files: u64,
    /// DICOM series.
    #[serde(deserialize_with = "lenient::whole", alias = "dicom_series")]
    pub dicom_series: u64,
    /// NIFTI volumes.
    #[serde(deserialize_with = "lenient::whole")]
    pub niftis: u64,
    /// Audio files.
    #[serde(deserialize_with = "lenient::whole")]
    pub audios: u64,
    /// PDF documents.
    #[serde(deserialize_with = "lenient::whole")]
    pub pdfs: u64,
    /// Text files.
    #[serde(deserialize_with = "lenient::whole", alias = "plain_texts")]
    pub plain_texts: u64,
    /// What is left of deleted items.
    #[serde(deserialize_with = "lenient::whole")]
    pub tombstones: u64,
    /// Upload jobs.
    #[serde(deserialize_with = "lenient::whole", alias = "upload_jobs")]
    pub upload_jobs: u64,
    /// The size of all, in bytes. About.
    #[serde(deserialize_with = "lenient::optional", alias = "total_size")]
    pub total_size: Option<f64>,
}

impl StorageFolder {
    /// The names of the folders above it, from the root on, and its own. The order of [`path_to_root`](Self::path_to_root) is not
    /// promised, so each folder is found by the one in it.
    pub fn path(&self) -> Vec<&str> {
        let mut names = vec![self.name.as_str()];
        let mut above = self.parent;
        // No longer than the list: the platform could tell of a circle.
        while let Some(folder) = above.and_then(|id| self.path_to_root.iter().find(|element| element.uuid == id))
            && names.len() <= self.path_to_root.len()
        {
            names.push(&folder.name);
            above = folder.parent_uuid;
        }
        names.reverse();
        names
    }
}

fn or_generic<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Lossless<StorageFolderType>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_else(generic))
}

fn generic() -> Lossless<StorageFolderType> {
    StorageFolderType::Generic.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_path_of_a_folder_begins_at_the_root() {
        let [a, b, c] = [1_u8, 2, 3].map(|n| Uuid::from_bytes([n; 16]));
        let element = |uuid, parent: Option<Uuid>, name| json!({"uuid": uuid, "parentUuid": parent, "name": name});
        let root_first = [element(a, None, "a"), element(b, Some(a), "b"), element(c, Some(b), "c")];
        let circle = [element(a, Some(c), "a"), element(b, Some(a), "b"), element(c, Some(b), "c")];
        let mut leaf_first = root_first.clone();
        leaf_first.reverse();
        for (path_to_root, expected) in [
            (root_first.to_vec(), vec!["a", "b", "c"]),
            (leaf_first.to_vec(), vec!["a", "b", "c"]),
            (vec![], vec!["c"]),
            (circle.to_vec(), vec!["c", "a", "b", "c"]),
        ] {
            let folder: StorageFolder = serde_json::from_value(json!({
                "uuid": c, "parent": b, "name": "c", "owner": "o", "createdAt": "t", "lastEditedAt": "t", "userRole": "admin",
                "pathToRoot": path_to_root,
            }))
            .unwrap();
            assert_eq!(folder.path(), expected);
        }
    }
}
