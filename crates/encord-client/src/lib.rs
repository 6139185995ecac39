#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod call;
mod credentials;
mod dataset;
mod domain;
mod error;
mod folder;
mod ids;
mod item;
mod job;
mod json;
mod key;
mod list;
mod paging;
mod project;
mod query;
mod records;
mod resolve;
mod shared;
pub mod signature;
mod unit;
#[cfg(feature = "upload")]
mod urls;
mod user_client;

pub use self::builder::{BuildError, EncordUserClientBuilder};
pub use self::credentials::{BearerToken, Credentials, InvalidToken};
pub use self::dataset::{Dataset, DatasetFilter, DuplicatesBehavior, NewDataset, RowFilter};
pub use self::domain::{Domain, InvalidDomain};
pub use self::error::{Effect, Error, ErrorKind};
pub use self::folder::{Folder, FolderFilter, NewFolder};
pub use self::ids::{DatasetId, FolderId, ItemId, JobId, ProjectId};
pub use self::item::{DeletedItems, ItemFilter};
pub use self::job::{MAX_FAILED_POLLS, UploadJob};
pub use self::key::{KEY_FILE_VARIABLE, KEY_PASSWORD_VARIABLE, KEY_VARIABLE, KeyError, KeyErrorKind, SshPrivateKey};
pub use self::list::{List, Records};
pub use self::paging::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, SortBy};
pub use self::project::{Project, ProjectFilter};
pub use self::records::{
    DataRow, DatasetCreated, DatasetDetails, DatasetInfo, FolderSummary, ItemName, ModelAttachment, ModelGroup,
    ModelIteration, PathElement, ProjectInfo, ProjectModel, StorageFolder, StorageItem, Time, UnitError,
    UploadJobState, UploadSignedUrl, Workflow, WorkflowStage,
};
pub use self::unit::{FileKind, FileUnit, GroupKind, GroupUnit, JobOptions, UploadUnit, UploadedObject};
#[cfg(feature = "upload")]
pub use self::urls::FolderUrls;
pub use self::user_client::EncordUserClient;
#[doc(no_inline)]
pub use encord_enums::{
    DataType, LongPollingStatus, Lossless, StorageFolderType, StorageItemType, StorageLocationName, StorageUserRole,
};
#[doc(no_inline)]
pub use encord_http::{self as http, RequestsSettings, SignedUrl};
#[doc(no_inline)]
pub use encord_project_utils::{ModelConfiguration, ModelIterationUids, get_all_model_iteration_uids};
#[doc(no_inline)]
pub use uuid::{self, Uuid};
