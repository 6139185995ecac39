//! The records that the platform returns: folders, items, jobs, datasets, projects and models.
//!
//! The platform may add to them: enums keep unknown values, unknown fields are ignored, and a field that may be null may be absent.
//! Names are in camel case. Snake case is accepted too, as in the SDK.

mod dataset;
mod folder;
mod item;
mod job;
mod lenient;
mod model;

mod project;
mod time;

pub use self::dataset::{DataRow, DatasetCreated, DatasetDetails, DatasetInfo};
pub use self::folder::{FolderSummary, PathElement, StorageFolder};
pub use self::item::{StorageItem, UploadSignedUrl};
pub use self::job::{ItemName, UnitError, UploadJobState};
pub use self::model::{ModelAttachment, ModelGroup, ModelIteration, ProjectModel};
pub use self::project::{ProjectInfo, Workflow, WorkflowStage};
pub use self::time::Time;
