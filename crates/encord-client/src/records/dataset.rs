//! Datasets and their rows.

use encord_enums::{DataType, Lossless};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lenient;
use super::time::Time;
use crate::ids::{DatasetId, FolderId, ItemId};

/// A dataset in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a dataset")]
#[non_exhaustive]
pub struct DatasetInfo {
    /// Its identifier.
    #[serde(alias = "dataset_uuid")]
    pub dataset_uuid: DatasetId,
    /// Its title.
    pub title: String,
    /// Its description.
    #[serde(default)]
    pub description: Option<String>,
    /// The time of creation.
    #[serde(alias = "created_at")]
    pub created_at: Time,
    /// The time of the last change.
    #[serde(alias = "last_edited_at")]
    pub last_edited_at: Time,
    /// The role of this client's user, in the platform's words.
    #[serde(default, alias = "user_role")]
    pub user_role: Option<Value>,
    /// Its backing folder.
    #[serde(default, alias = "backing_folder_uuid")]
    pub backing_folder_uuid: Option<FolderId>,
}

/// A new dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a new dataset")]
#[non_exhaustive]
pub struct DatasetCreated {
    /// Its identifier. In 2024 the platform called it `datasetHash`.
    #[serde(alias = "dataset_uuid", alias = "datasetHash", alias = "dataset_hash")]
    pub dataset_uuid: DatasetId,
    /// Its backing folder.
    #[serde(default, alias = "backing_folder_uuid")]
    pub backing_folder_uuid: Option<FolderId>,
}

/// The facts of one dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(expecting = "a dataset")]
#[non_exhaustive]
pub struct DatasetDetails {
    /// Its identifier.
    #[serde(alias = "datasetHash")]
    pub dataset_hash: DatasetId,
    /// Its title.
    pub title: String,
    /// Its description.
    #[serde(default)]
    pub description: Option<String>,
    /// The place of its data, such as `CORD_STORAGE`.
    #[serde(default, alias = "datasetType")]
    pub dataset_type: Option<Value>,
    /// Its backing folder.
    #[serde(default, alias = "backingFolderUuid")]
    pub backing_folder_uuid: Option<FolderId>,
}

/// A row of a dataset. Rows are what people label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(expecting = "a row of a dataset")]
#[non_exhaustive]
pub struct DataRow {
    /// Its identifier (`uid` of the SDK).
    #[serde(alias = "dataHash")]
    pub data_hash: String,
    /// Its title.
    #[serde(alias = "dataTitle")]
    pub data_title: String,
    /// Its type. The protocol writes it in upper case.
    #[serde(alias = "dataType", with = "encord_enums::upper_case")]
    pub data_type: Lossless<DataType>,
    /// The time of creation.
    #[serde(default, alias = "createdAt")]
    pub created_at: Option<Time>,
    /// The time of the last change.
    #[serde(default, alias = "lastEditedAt")]
    pub last_edited_at: Option<Time>,
    /// The item of the row.
    #[serde(default, alias = "backingItemUuid")]
    pub backing_item_uuid: Option<ItemId>,
    /// In pixels.
    #[serde(default, deserialize_with = "lenient::optional_whole")]
    pub width: Option<u64>,
    /// In pixels.
    #[serde(default, deserialize_with = "lenient::optional_whole")]
    pub height: Option<u64>,
    /// In bytes.
    #[serde(default, alias = "fileSize", deserialize_with = "lenient::optional_whole")]
    pub file_size: Option<u64>,
    /// Its media type.
    #[serde(default, alias = "fileType")]
    pub file_type: Option<String>,
    /// The link to its file in the storage.
    #[serde(default, alias = "fileLink")]
    pub file_link: Option<String>,
    /// Frames per second.
    #[serde(default, alias = "framesPerSecond", deserialize_with = "lenient::optional")]
    pub frames_per_second: Option<f64>,
    /// In seconds.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub duration: Option<f64>,
    /// The user's metadata, if it was requested.
    #[serde(default, alias = "clientMetadata")]
    pub client_metadata: Option<Value>,
}
