//! What the platform tells of folders, items, jobs, datasets, projects and models.
//!
//! Everything here may grow: enums keep values that they do not know, fields that are not listed are ignored, and what may be null
//! may be absent. Names come in camel case; the platform's snake case is read too, as in the SDK.

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
