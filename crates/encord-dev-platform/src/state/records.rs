//! The records.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use strum::{EnumString, IntoStaticStr};
use uuid::Uuid;

use super::table::Record;
use crate::units::Unit;

/// A time, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Millis(pub(crate) i64);

impl Millis {
    /// Returns the form of the newer protocol: `2024-05-01T12:00:00.000000+00:00`.
    pub(crate) fn iso(self) -> String {
        self.written("%Y-%m-%dT%H:%M:%S%.6f+00:00")
    }

    /// Returns the form of the older protocol: `2024-05-01 12:00:00`.
    pub(crate) fn plain(self) -> String {
        self.written("%Y-%m-%d %H:%M:%S")
    }

    fn written(self, form: &str) -> String {
        Timestamp::from_millisecond(self.0).unwrap_or_default().strftime(form).to_string()
    }
}

/// The type of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, EnumString, IntoStaticStr)]
#[serde(rename_all = "camelCase")]
#[strum(serialize_all = "camelCase")]
pub(crate) enum ItemType {
    Video,
    Image,
    Group,
    ImageGroup,
    ImageSequence,
    DicomFile,
    DicomSeries,
    Audio,
    Timeseries,
    Nifti,
    PlainText,
    Pdf,
    Scene,
}

impl ItemType {
    /// Returns the type of a row in the older protocol.
    pub(crate) fn data_type(self) -> &'static str {
        match self {
            Self::Video => "VIDEO",
            Self::Image => "IMAGE",
            Self::Group => "GROUP",
            Self::ImageGroup | Self::ImageSequence => "IMG_GROUP",
            Self::DicomFile | Self::DicomSeries => "DICOM",
            Self::Audio => "AUDIO",
            Self::Timeseries => "TIME_SERIES",
            Self::Nifti => "NIFTI",
            Self::PlainText => "PLAIN_TEXT",
            Self::Pdf => "PDF",
            Self::Scene => "SCENE",
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Folder {
    pub(crate) uuid: Uuid,
    pub(crate) parent: Option<Uuid>,
    pub(crate) name: String,
    pub(crate) description: String,
    /// JSON text, as the client sent it.
    pub(crate) client_metadata: Option<String>,
    pub(crate) synced_dataset: Option<Uuid>,
    pub(crate) created_at: Millis,
    pub(crate) edited_at: Millis,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "`type` is a keyword")]
pub(crate) struct Item {
    pub(crate) uuid: Uuid,
    pub(crate) folder: Uuid,
    pub(crate) item_type: ItemType,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) client_metadata: Map<String, Value>,
    /// The key of an uploaded object, or the URL of one in a cloud.
    pub(crate) url: Option<String>,
    pub(crate) file_size: Option<u64>,
    pub(crate) mime_type: Option<String>,
    /// The facts that the client stated about the medium, with the names of the answer: `width`, `fps` and so on.
    pub(crate) media: Map<String, Value>,
    /// For a group or series, its child items in order.
    pub(crate) children: Vec<Uuid>,
    /// Whether it is part of a group or series.
    pub(crate) is_frame: bool,
    pub(crate) created_at: Millis,
    pub(crate) edited_at: Millis,
}

/// An upload that was signed, and may not be registered yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Placeholder {
    pub(crate) uuid: Uuid,
    /// The name of the object.
    pub(crate) key: String,
    pub(crate) item_type: ItemType,
    /// `None` if the URL was signed without a folder.
    pub(crate) folder: Option<Uuid>,
    /// The item that was created from it.
    pub(crate) item: Option<Uuid>,
    pub(crate) created_at: Millis,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) uuid: Uuid,
    pub(crate) folder: Uuid,
    /// The dataset to which the items are linked.
    pub(crate) dataset: Option<Uuid>,
    /// The units that have not run. Empty after the end of the job.
    pub(crate) units: Vec<Unit>,
    pub(crate) ignore_errors: bool,
    pub(crate) skip_duplicate_urls: bool,
    pub(crate) upsert_metadata: bool,
    pub(crate) file_name: Option<String>,
    pub(crate) status: JobStatus,
    pub(crate) items: Vec<Uuid>,
    pub(crate) rows: Vec<Uuid>,
    pub(crate) done: usize,
    pub(crate) cancelled: usize,
    pub(crate) errors: Vec<UnitError>,
    pub(crate) created_at: Millis,
    pub(crate) ended_at: Option<Millis>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum JobStatus {
    Pending,
    Done,
    Error,
    Cancelled,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UnitError {
    pub(crate) urls: Vec<String>,
    pub(crate) error: String,
    pub(crate) subtask: Uuid,
    pub(crate) action: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Dataset {
    pub(crate) uuid: Uuid,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) backing_folder: Option<Uuid>,
    pub(crate) created_at: Millis,
    pub(crate) edited_at: Millis,
}

/// An item in a dataset.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) uuid: Uuid,
    pub(crate) dataset: Uuid,
    pub(crate) item: Uuid,
    pub(crate) title: String,
    pub(crate) created_at: Millis,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Project {
    pub(crate) uuid: Uuid,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) ontology: Uuid,
    pub(crate) datasets: Vec<Uuid>,
    /// The answer of `modelconfiguration`.
    pub(crate) model_configurations: Vec<Value>,
    /// The answer of `models-attachments`.
    pub(crate) model_attachments: Vec<Value>,
    pub(crate) created_at: Millis,
    pub(crate) edited_at: Millis,
}

macro_rules! records {
    ($($name:ident $kind:literal;)*) => {$(
        impl Record for $name {
            const KIND: &'static str = $kind;

            fn uuid(&self) -> Uuid {
                self.uuid
            }
        }
    )*};
}

records! {
    Folder "folder";
    Item "item";
    Placeholder "placeholder";
    Job "job";
    Dataset "dataset";
    Row "row";
    Project "project";
}

impl Item {
    /// Makes an item with these facts only.
    pub(crate) fn new(uuid: Uuid, folder: Uuid, item_type: ItemType, name: String, now: Millis) -> Self {
        Self {
            uuid,
            folder,
            item_type,
            name,
            description: String::new(),
            client_metadata: Map::new(),
            url: None,
            file_size: None,
            mime_type: None,
            media: Map::new(),
            children: Vec::new(),
            is_frame: false,
            created_at: now,
            edited_at: now,
        }
    }
}
