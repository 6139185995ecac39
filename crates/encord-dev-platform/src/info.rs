//! The facts about the state that a test can read.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::state::{Folder, Item, Job, JobStatus, Row};

/// A folder.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FolderInfo {
    /// Its id.
    pub uuid: Uuid,
    /// The folder above.
    pub parent: Option<Uuid>,
    /// Its name.
    pub name: String,
}

/// An item.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ItemInfo {
    /// Its id.
    pub uuid: Uuid,
    /// Its folder.
    pub folder: Uuid,
    /// Its type, as the protocol writes it: `image`, `dicomSeries`.
    pub item_type: String,
    /// Its name.
    pub name: String,
    /// The key of its object in the store, or its URL in a cloud.
    pub url: Option<String>,
    /// Its size in bytes.
    pub file_size: Option<u64>,
    /// The metadata that the client sent.
    pub client_metadata: Map<String, Value>,
    /// For a group or series, its child items in order.
    pub children: Vec<Uuid>,
    /// Whether it is part of a group or series.
    pub is_frame: bool,
}

/// A row of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RowInfo {
    /// Its id, the `data_hash`.
    pub uuid: Uuid,
    /// The item behind it.
    pub item: Uuid,
    /// Its title.
    pub title: String,
}

/// An upload job.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobInfo {
    /// Its id.
    pub uuid: Uuid,
    /// The folder in which it creates items.
    pub folder: Uuid,
    /// Whether it is pending.
    pub is_pending: bool,
    /// The number of units that became items.
    pub done: usize,
    /// The number of units that failed.
    pub failed: usize,
}

impl From<&Folder> for FolderInfo {
    fn from(Folder { uuid, parent, name, .. }: &Folder) -> Self {
        Self { uuid: *uuid, parent: *parent, name: name.clone() }
    }
}

impl From<&Item> for ItemInfo {
    fn from(item: &Item) -> Self {
        let Item { uuid, folder, item_type, name, url, file_size, client_metadata, children, is_frame, .. } =
            item.clone();
        let item_type = <&str>::from(item_type).to_owned();
        Self { uuid, folder, item_type, name, url, file_size, client_metadata, children, is_frame }
    }
}

impl From<&Row> for RowInfo {
    fn from(Row { uuid, item, title, .. }: &Row) -> Self {
        Self { uuid: *uuid, item: *item, title: title.clone() }
    }
}

impl From<&Job> for JobInfo {
    fn from(Job { uuid, folder, status, done, errors, .. }: &Job) -> Self {
        Self {
            uuid: *uuid,
            folder: *folder,
            is_pending: *status == JobStatus::Pending,
            done: *done,
            failed: errors.len(),
        }
    }
}
