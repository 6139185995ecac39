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
    /// Its parent folder; `None` at the root.
    #[serde(default)]
    pub parent: Option<FolderId>,
    /// Its name.
    pub name: String,
    /// Its description.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub description: String,
    /// The user's metadata, as JSON text.
    #[serde(default, alias = "client_metadata")]
    pub client_metadata: Option<String>,
    /// The e-mail address of its creator.
    pub owner: String,
    /// The time of creation.
    #[serde(alias = "created_at")]
    pub created_at: Time,
    /// The time of the last change.
    #[serde(alias = "last_edited_at")]
    pub last_edited_at: Time,
    /// The role of this client's user.
    #[serde(alias = "user_role")]
    pub user_role: Lossless<StorageUserRole>,
    /// The dataset that it backs.
    #[serde(default, alias = "synced_dataset_hash")]
    pub synced_dataset_hash: Option<DatasetId>,
    /// The folders above it, and the folder itself.
    #[serde(default, alias = "path_to_root")]
    pub path_to_root: Vec<PathElement>,
    /// Its kind.
    #[serde(default = "generic", alias = "folder_type", deserialize_with = "or_generic")]
    pub folder_type: Lossless<StorageFolderType>,
    /// The cloud integration, if the folder mirrors a bucket.
    #[serde(default, alias = "integration_hash")]
    pub integration_hash: Option<Uuid>,
    /// The URL of the bucket, if the folder mirrors one.
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
    /// Its parent folder.
    #[serde(default, alias = "parent_uuid")]
    pub parent_uuid: Option<FolderId>,
    /// Its name.
    pub name: String,
    /// The dataset that it backs.
    #[serde(default, alias = "synced_dataset_hash")]
    pub synced_dataset_hash: Option<DatasetId>,
}

/// The counts of a folder's content.
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
    /// Tombstones of deleted items.
    #[serde(deserialize_with = "lenient::whole")]
    pub tombstones: u64,
    /// Upload jobs.
    #[serde(deserialize_with = "lenient::whole", alias = "upload_jobs")]
    pub upload_jobs: u64,
    /// The approximate size of everything, in bytes.
    #[serde(deserialize_with = "lenient::optional", alias = "total_size")]
    pub total_size: Option<f64>,
}

impl StorageFolder {
    /// Returns the names of the folders from the root to this folder. The order of [`path_to_root`](Self::path_to_root) is not
    /// guaranteed, so the method follows the parents.
    pub fn path(&self) -> Vec<&str> {
        let mut names = vec![self.name.as_str()];
        let mut above = self.parent;
        // Stops at the length of the list, in case the platform sends a cycle.
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
