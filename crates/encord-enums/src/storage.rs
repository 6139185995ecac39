//! The enums of storage: items, folders, the jobs that register uploaded files.

use crate::open_enum::open_enum;

open_enum! {
    /// The type of an item in a storage folder, as `itemType` in lists of items and in requests for upload URLs.
    ///
    /// It has the name and the values of `StorageItemType` in the Python SDK (0.1.211). The SDK fails the whole list when one
    /// item has an unknown type; here that item has the type
    /// [`MissingStorageItemType`](Self::MissingStorageItemType).
    ///
    /// ```
    /// use encord_enums::StorageItemType;
    ///
    /// assert_eq!(StorageItemType::from_value("dicomSeries"), StorageItemType::DicomSeries);
    /// assert_eq!(StorageItemType::PlainText.as_str(), "plainText");
    /// ```
    pub enum StorageItemType, "storage item type" {
        /// `video`, a video file.
        Video = "video",
        /// `image`, a single image.
        Image = "image",
        /// `group`, a group of items of any type.
        Group = "group",
        /// `imageGroup`, a group of images that is one item.
        ImageGroup = "imageGroup",
        /// `imageSequence`, images in an order, which the platform may keep as a video.
        ImageSequence = "imageSequence",
        /// `dicomFile`, a single DICOM file.
        DicomFile = "dicomFile",
        /// `dicomSeries`, a series of DICOM files.
        DicomSeries = "dicomSeries",
        /// `audio`, an audio file.
        Audio = "audio",
        /// `timeseries`, a time series.
        Timeseries = "timeseries",
        /// `nifti`, a NIFTI volume.
        Nifti = "nifti",
        /// `plainText`, a text file, also HTML, JSON and XML.
        PlainText = "plainText",
        /// `pdf`, a PDF document.
        Pdf = "pdf",
        /// `scene`, a scene, such as one of point clouds.
        Scene = "scene",
    } else {
        /// `_MISSING_STORAGE_ITEM_TYPE_`, any type that this version does not know. The SDK has no such variant.
        MissingStorageItemType = "_MISSING_STORAGE_ITEM_TYPE_",
    }
}

open_enum! {
    /// The store that holds the bytes of an item: `storageLocation` in lists of items.
    ///
    /// It has the name and the values of `StorageLocationName` in the Python SDK (0.1.211).
    pub enum StorageLocationName, "storage location" {
        /// `encord`, the storage of the platform.
        Encord = "encord",
        /// `gcp`, Google Cloud Storage.
        Gcp = "gcp",
        /// `s3`, Amazon S3.
        S3 = "s3",
        /// `azure`, Azure Blob Storage.
        Azure = "azure",
        /// `openTelekom`, Open Telekom Cloud; new items have `s3Compatible` instead.
        OpenTelekom = "openTelekom",
        /// `directAccess`, a store that the browser reads directly.
        DirectAccess = "directAccess",
        /// `s3Compatible`, any other store that speaks S3.
        S3Compatible = "s3Compatible",
    } else {
        /// `_MISSING_STORAGE_LOCATION_NAME_`, any location that this version does not know. The SDK has no such
        /// variant.
        MissingStorageLocationName = "_MISSING_STORAGE_LOCATION_NAME_",
    }
}

open_enum! {
    /// The type of a storage folder: `folderType`.
    ///
    /// It has the name and the values of `StorageFolderType` in the Python SDK (0.1.211).
    pub enum StorageFolderType, "storage folder type" {
        /// `generic`, a folder of the platform.
        Generic = "generic",
        /// `cloudLinked`, a folder that mirrors a place in a bucket.
        CloudLinked = "cloudLinked",
        /// `synthetic`, a folder that the platform has made for itself.
        Synthetic = "synthetic",
    } else {
        /// `_UNKNOWN_`, any type that this version does not know.
        Unknown = "_UNKNOWN_",
    }
}

open_enum! {
    /// The role of the user in a storage folder, or for an item: `userRole`.
    ///
    /// It has the name and the values of `StorageUserRole` in the Python SDK (0.1.211).
    pub enum StorageUserRole, "storage user role" {
        /// `user`, may use it.
        User = "user",
        /// `admin`, may also administer it.
        Admin = "admin",
    } else {
        /// `_MISSING_STORAGE_USER_ROLE_`, any role that this version does not know. The SDK has no such variant.
        MissingStorageUserRole = "_MISSING_STORAGE_USER_ROLE_",
    }
}

open_enum! {
    /// The status of a job that the platform works on, such as the registration of uploaded files.
    ///
    /// It has the name and the values of `LongPollingStatus` in the Python SDK (0.1.211).
    pub enum LongPollingStatus, "job status" {
        /// `PENDING`, the job waits or runs: poll again.
        Pending = "PENDING",
        /// `DONE`, the job has ended. If it was told to ignore errors, some of its units may have failed.
        Done = "DONE",
        /// `ERROR`, a unit failed, and the job was not told to ignore errors.
        Error = "ERROR",
        /// `CANCELLED`, a user stopped the job. Units that were done by then stay.
        Cancelled = "CANCELLED",
    } else {
        /// `_MISSING_LONG_POLLING_STATUS_`, any status that this version does not know. The SDK has no such variant.
        MissingLongPollingStatus = "_MISSING_LONG_POLLING_STATUS_",
    }
}
