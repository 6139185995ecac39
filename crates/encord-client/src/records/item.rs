//! Storage items, and the URLs for their upload.

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
    /// Its folder.
    pub parent: FolderId,
    /// Its type.
    #[serde(alias = "item_type")]
    pub item_type: Lossless<StorageItemType>,
    /// Its name.
    pub name: String,
    /// Its description.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub description: String,
    /// The user's metadata, as JSON text.
    #[serde(default, alias = "client_metadata", deserialize_with = "lenient::or_default")]
    pub client_metadata: String,
    /// The e-mail address of its creator.
    pub owner: String,
    /// The time of creation.
    #[serde(alias = "created_at")]
    pub created_at: Time,
    /// The time of the last change.
    #[serde(alias = "last_edited_at")]
    pub last_edited_at: Time,
    /// Whether it was deleted while something still refers to it.
    #[serde(default, alias = "is_tombstone")]
    pub is_tombstone: bool,
    /// Whether it is a placeholder, which the platform has not processed yet.
    #[serde(default, alias = "is_placeholder")]
    pub is_placeholder: bool,
    /// The number of dataset rows that show it.
    #[serde(default, alias = "backed_data_units_count", deserialize_with = "lenient::whole")]
    pub backed_data_units_count: u64,
    /// The storage of its bytes.
    #[serde(alias = "storage_location")]
    pub storage_location: Lossless<StorageLocationName>,
    /// The cloud integration through which the platform reads it.
    #[serde(default, alias = "integration_hash")]
    pub integration_hash: Option<Uuid>,
    /// Its location in the storage: a key, or a URL without a signature.
    #[serde(default)]
    pub url: Option<String>,
    /// A signed URL to read it, if it was requested. It is a credential, so it is not serialised.
    #[serde(default, alias = "signed_url", skip_serializing, deserialize_with = "signed_url")]
    pub signed_url: Option<SignedUrl>,
    /// Its size in bytes.
    #[serde(default, alias = "file_size", deserialize_with = "lenient::optional_whole")]
    pub file_size: Option<u64>,
    /// Its media type.
    #[serde(default, alias = "mime_type")]
    pub mime_type: Option<String>,
    /// Its duration in seconds.
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
    /// The DICOM instance UID.
    #[serde(default, alias = "dicom_instance_uid")]
    pub dicom_instance_uid: Option<String>,
    /// The DICOM study UID.
    #[serde(default, alias = "dicom_study_uid")]
    pub dicom_study_uid: Option<String>,
    /// The DICOM series UID.
    #[serde(default, alias = "dicom_series_uid")]
    pub dicom_series_uid: Option<String>,
    /// The number of frames.
    #[serde(default, alias = "frame_count", deserialize_with = "lenient::optional_whole")]
    pub frame_count: Option<u64>,
    /// The sample rate of the sound, in Hertz.
    #[serde(default, alias = "audio_sample_rate", deserialize_with = "lenient::optional_whole")]
    pub audio_sample_rate: Option<u64>,
    /// The bit depth of the sound.
    #[serde(default, alias = "audio_bit_depth", deserialize_with = "lenient::optional_whole")]
    pub audio_bit_depth: Option<u64>,
    /// The codec of the sound.
    #[serde(default, alias = "audio_codec")]
    pub audio_codec: Option<String>,
    /// The number of channels of the sound.
    #[serde(default, alias = "audio_num_channels", deserialize_with = "lenient::optional_whole")]
    pub audio_num_channels: Option<u64>,
}

/// A signed URL for the upload of a new item.
///
/// The item already has its identifier. It is a placeholder until an upload job registers it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a signed URL for an upload")]
#[non_exhaustive]
pub struct UploadSignedUrl {
    /// The placeholder.
    #[serde(alias = "item_uuid")]
    pub item_uuid: ItemId,
    /// The key of the object in the platform's storage. Upload jobs name objects by it.
    #[serde(alias = "object_key")]
    pub object_key: String,
    /// The URL for the `PUT`.
    #[serde(alias = "signed_url", deserialize_with = "required_signed_url")]
    pub signed_url: SignedUrl,
    /// The headers that the `PUT` must have.
    #[serde(default, alias = "upload_headers", deserialize_with = "lenient::or_default")]
    pub upload_headers: BTreeMap<String, String>,
}

fn signed_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SignedUrl>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(SignedUrl::new))
}

fn required_signed_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SignedUrl, D::Error> {
    String::deserialize(deserializer).map(SignedUrl::new)
}
