//! Storage items, and where their bytes go.

use std::collections::BTreeMap;

use encord_enums::{Lossless, StorageItemType, StorageLocationName};
use encord_http::SignedUrl;
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use super::lenient;
use super::time::Time;
use crate::ids::{FolderId, ItemId};

/// A storage item.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a storage item")]
#[non_exhaustive]
pub struct StorageItem {
    /// Its identifier.
    pub uuid: ItemId,
    /// The folder that it is in.
    pub parent: FolderId,
    /// What kind of item it is.
    #[serde(alias = "item_type")]
    pub item_type: Lossless<StorageItemType>,
    /// Its name.
    pub name: String,
    /// What people wrote about it.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub description: String,
    /// JSON as text.
    #[serde(default, alias = "client_metadata", deserialize_with = "lenient::or_default")]
    pub client_metadata: String,
    /// The e-mail address of who made it.
    pub owner: String,
    /// When it was made.
    #[serde(alias = "created_at")]
    pub created_at: Time,
    /// When it was changed last.
    #[serde(alias = "last_edited_at")]
    pub last_edited_at: Time,
    /// It was deleted, and something still refers to it.
    #[serde(default, alias = "is_tombstone")]
    pub is_tombstone: bool,
    /// It is in the folder, but not processed yet.
    #[serde(default, alias = "is_placeholder")]
    pub is_placeholder: bool,
    /// How many rows of datasets it is in.
    #[serde(default, alias = "backed_data_units_count", deserialize_with = "lenient::whole")]
    pub backed_data_units_count: u64,
    /// Where its bytes are.
    #[serde(alias = "storage_location")]
    pub storage_location: Lossless<StorageLocationName>,
    /// The integration by which it is read.
    #[serde(default, alias = "integration_hash")]
    pub integration_hash: Option<Uuid>,
    /// Its place in the storage: a key, or a URL without a signature.
    #[serde(default)]
    pub url: Option<String>,
    /// A URL to read it from, if that was asked for. A credential, so it is not written back.
    #[serde(default, alias = "signed_url", skip_serializing, deserialize_with = "signed_url")]
    pub signed_url: Option<SignedUrl>,
    /// In bytes.
    #[serde(default, alias = "file_size", deserialize_with = "lenient::optional_whole")]
    pub file_size: Option<u64>,
    /// Its media type.
    #[serde(default, alias = "mime_type")]
    pub mime_type: Option<String>,
    /// In seconds.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub duration: Option<f64>,
    /// Frames per second.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub fps: Option<f64>,
    /// In pixels.
    #[serde(default, deserialize_with = "lenient::optional_whole")]
    pub height: Option<u64>,
    /// In pixels.
    #[serde(default, deserialize_with = "lenient::optional_whole")]
    pub width: Option<u64>,
    /// Of a DICOM file.
    #[serde(default, alias = "dicom_instance_uid")]
    pub dicom_instance_uid: Option<String>,
    /// Of DICOM.
    #[serde(default, alias = "dicom_study_uid")]
    pub dicom_study_uid: Option<String>,
    /// Of DICOM.
    #[serde(default, alias = "dicom_series_uid")]
    pub dicom_series_uid: Option<String>,
    /// How many frames it has.
    #[serde(default, alias = "frame_count", deserialize_with = "lenient::optional_whole")]
    pub frame_count: Option<u64>,
    /// In Hertz.
    #[serde(default, alias = "audio_sample_rate", deserialize_with = "lenient::optional_whole")]
    pub audio_sample_rate: Option<u64>,
    /// In bits.
    #[serde(default, alias = "audio_bit_depth", deserialize_with = "lenient::optional_whole")]
    pub audio_bit_depth: Option<u64>,
    /// The name of the codec.
    #[serde(default, alias = "audio_codec")]
    pub audio_codec: Option<String>,
    /// How many channels the sound has.
    #[serde(default, alias = "audio_num_channels", deserialize_with = "lenient::optional_whole")]
    pub audio_num_channels: Option<u64>,
}

/// Where the bytes of an item that does not exist yet go.
///
/// The item gets its identifier now: it is a placeholder until an upload job has registered it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a signed URL for an upload")]
#[non_exhaustive]
pub struct UploadSignedUrl {
    /// The placeholder.
    #[serde(alias = "item_uuid")]
    pub item_uuid: ItemId,
    /// The key of the object in the platform's storage, by which a job names it.
    #[serde(alias = "object_key")]
    pub object_key: String,
    /// Where the bytes are `PUT` to.
    #[serde(alias = "signed_url", deserialize_with = "required_signed_url")]
    pub signed_url: SignedUrl,
    /// Headers that the `PUT` must have.
    #[serde(default, alias = "upload_headers", deserialize_with = "lenient::or_default")]
    pub upload_headers: BTreeMap<String, String>,
}

fn signed_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SignedUrl>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(SignedUrl::new))
}

fn required_signed_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SignedUrl, D::Error> {
    String::deserialize(deserializer).map(SignedUrl::new)
}
