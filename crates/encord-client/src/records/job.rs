//! How an upload job goes.

use encord_enums::{LongPollingStatus, Lossless};
use serde::{Deserialize, Serialize};

use super::lenient;
use crate::ids::ItemId;

/// How an upload job goes. A unit is an image, a video, a group, a series: what becomes one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "the state of an upload job")]
#[non_exhaustive]
pub struct UploadJobState {
    /// Whether it has ended, and how.
    pub status: Lossless<LongPollingStatus>,
    /// The items that are done, in no promised order.
    #[serde(default, alias = "items_with_names")]
    pub items_with_names: Vec<ItemName>,
    /// What went wrong, in the platform's words.
    #[serde(default)]
    pub errors: Vec<String>,
    /// How many units wait or run.
    #[serde(default, alias = "units_pending_count", deserialize_with = "lenient::whole")]
    pub units_pending_count: u64,
    /// How many units are done.
    #[serde(default, alias = "units_done_count", deserialize_with = "lenient::whole")]
    pub units_done_count: u64,
    /// How many units have failed.
    #[serde(default, alias = "units_error_count", deserialize_with = "lenient::whole")]
    pub units_error_count: u64,
    /// How many units were cancelled.
    #[serde(default, alias = "units_cancelled_count", deserialize_with = "lenient::whole")]
    pub units_cancelled_count: u64,
    /// Which units have failed, and why.
    #[serde(default, alias = "unit_errors")]
    pub unit_errors: Vec<UnitError>,
    /// What the job was called.
    #[serde(default, alias = "file_name")]
    pub file_name: Option<String>,
}

/// An item that a job has made.
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

/// A unit that has failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct UnitError {
    /// The objects that it was to be made of: neither title nor placeholder is told.
    #[serde(default, alias = "object_urls")]
    pub object_urls: Vec<String>,
    /// What went wrong, in the platform's words.
    #[serde(default)]
    pub error: String,
    /// For the people who run the platform.
    #[serde(default, alias = "subtask_uuid")]
    pub subtask_uuid: Option<String>,
    /// What the platform was doing.
    #[serde(default, alias = "action_description")]
    pub action_description: Option<String>,
}

impl UploadJobState {
    /// Whether the job has ended. A status that this version does not know is taken for one that has not.
    pub fn has_ended(&self) -> bool {
        matches!(self.status.known(), LongPollingStatus::Done | LongPollingStatus::Error | LongPollingStatus::Cancelled)
    }
}
