//! The state of an upload job.

use encord_enums::{LongPollingStatus, Lossless};
use serde::{Deserialize, Serialize};

use super::lenient;
use crate::ids::ItemId;

/// The state of an upload job. A unit becomes one item: an image, a video, a group, a series and so on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "the state of an upload job")]
#[non_exhaustive]
pub struct UploadJobState {
    /// The status.
    pub status: Lossless<LongPollingStatus>,
    /// The created items. The order is not guaranteed.
    #[serde(default, alias = "items_with_names")]
    pub items_with_names: Vec<ItemName>,
    /// The errors, in the platform's words.
    #[serde(default)]
    pub errors: Vec<String>,
    /// The number of units that wait or run.
    #[serde(default, alias = "units_pending_count", deserialize_with = "lenient::whole")]
    pub units_pending_count: u64,
    /// The number of units that are done.
    #[serde(default, alias = "units_done_count", deserialize_with = "lenient::whole")]
    pub units_done_count: u64,
    /// The number of units that failed.
    #[serde(default, alias = "units_error_count", deserialize_with = "lenient::whole")]
    pub units_error_count: u64,
    /// The number of units that were cancelled.
    #[serde(default, alias = "units_cancelled_count", deserialize_with = "lenient::whole")]
    pub units_cancelled_count: u64,
    /// The failed units, with the reasons.
    #[serde(default, alias = "unit_errors")]
    pub unit_errors: Vec<UnitError>,
    /// The name of the job.
    #[serde(default, alias = "file_name")]
    pub file_name: Option<String>,
}

/// An item that a job created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ItemName {
    /// The item.
    #[serde(alias = "item_uuid")]
    pub item_uuid: ItemId,
    /// Its name.
    pub name: String,
}

/// A failed unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct UnitError {
    /// The objects of the unit. The platform returns neither its title nor its placeholder.
    #[serde(default, alias = "object_urls")]
    pub object_urls: Vec<String>,
    /// The errors, in the platform's words.
    #[serde(default)]
    pub error: String,
    /// An identifier for the support of the platform.
    #[serde(default, alias = "subtask_uuid")]
    pub subtask_uuid: Option<String>,
    /// The step in which it failed.
    #[serde(default, alias = "action_description")]
    pub action_description: Option<String>,
}

impl UploadJobState {
    /// Returns whether the job has ended. An unknown status counts as not ended.
    pub fn has_ended(&self) -> bool {
        matches!(self.status.known(), LongPollingStatus::Done | LongPollingStatus::Error | LongPollingStatus::Cancelled)
    }
}
