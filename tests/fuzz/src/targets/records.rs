//! Records of the platform: folders, items, jobs, datasets, projects and models.

use std::fmt::Debug;

use encord_client::{
    DataRow, DatasetDetails, DatasetInfo, FolderSummary, ModelAttachment, ProjectInfo, StorageFolder, StorageItem,
    UploadJobState, UploadSignedUrl,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A record that is read, written and read again is the same. No output shows a signed URL.
pub(super) fn check(data: &[u8]) {
    written::<DataRow>(data);
    written::<DatasetDetails>(data);
    written::<DatasetInfo>(data);
    written::<FolderSummary>(data);
    written::<ModelAttachment>(data);
    written::<ProjectInfo>(data);
    written::<StorageFolder>(data);
    written::<UploadJobState>(data);
    if let Ok(folder) = serde_json::from_slice::<StorageFolder>(data) {
        assert!(folder.path().len() <= folder.path_to_root.len() + 1);
    }
    if let Ok(item) = serde_json::from_slice::<StorageItem>(data) {
        let again = serde_json::to_string(&item).expect("JSON");
        assert!(serde_json::from_str::<StorageItem>(&again).expect("the same").signed_url.is_none());
        let Some(url) = &item.signed_url else { return };
        assert!(!url.to_string().contains(crate::SECRET), "{url}");
    }
    if let Ok(signed) = serde_json::from_slice::<UploadSignedUrl>(data) {
        assert!(!signed.signed_url.to_string().contains(crate::SECRET), "{}", signed.signed_url);
    }
}

fn written<T: DeserializeOwned + Serialize + PartialEq + Debug>(data: &[u8]) {
    if let Ok(record) = serde_json::from_slice::<T>(data) {
        let again = serde_json::to_string(&record).expect("JSON");
        assert_eq!(serde_json::from_str::<T>(&again).expect("the same"), record);
    }
}
