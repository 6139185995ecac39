//! The units of an upload job: objects in the platform's storage that become items.

use encord_enums::StorageItemType;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::{Map, Value};

use crate::ids::ItemId;
use crate::records::UploadSignedUrl;

/// An uploaded object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadedObject {
    /// Its key, from [`UploadSignedUrl::object_key`].
    pub object_key: String,
    /// Its placeholder, from [`UploadSignedUrl::item_uuid`].
    pub item_uuid: Option<ItemId>,
    /// The name of the item, or of the file within its group.
    pub title: Option<String>,
}

/// A unit of a job, which becomes one item.
#[derive(Clone, Debug, PartialEq)]
pub enum UploadUnit {
    /// One file.
    File(FileUnit),
    /// Several files.
    Group(GroupUnit),
}

/// A file that becomes an item.
#[derive(Clone, Debug, PartialEq)]
pub struct FileUnit {
    /// The kind of item that it becomes.
    pub kind: FileKind,
    /// The file.
    pub object: UploadedObject,
    /// The user's metadata.
    pub client_metadata: Map<String, Value>,
    /// Facts about the file, in the platform's form (`imageMetadata`, `videoMetadata` …). The platform does not check them. For a
    /// time series they are `settings`; NIFTI has none.
    pub media_metadata: Option<Map<String, Value>>,
}

/// Files that become one item.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupUnit {
    /// The kind of item that they become.
    pub kind: GroupKind,
    /// The files, in their order.
    pub objects: Vec<UploadedObject>,
    /// The name of the item.
    pub title: Option<String>,
    /// The user's metadata.
    pub client_metadata: Map<String, Value>,
}

/// The kinds of items with one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileKind {
    /// An image.
    Image,
    /// A video.
    Video,
    /// An audio file.
    Audio,
    /// A NIFTI volume.
    Nifti,
    /// A text file.
    Text,
    /// A PDF document.
    Pdf,
    /// A time series.
    TimeSeries,
}

/// The kinds of items with several files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GroupKind {
    /// Images that belong together.
    ImageGroup,
    /// Images of one size, in an order. The platform makes a video from them.
    ImageSequence,
    /// The files of a DICOM series.
    DicomSeries,
}

/// The options of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobOptions {
    /// A failed unit does not fail the job.
    pub ignore_errors: bool,
    /// Skips units whose object is already in the same folder.
    pub skip_duplicate_urls: bool,
    /// Gives the items of skipped units the new metadata.
    pub upsert_metadata: bool,
    /// The name of the job.
    pub file_name: Option<String>,
}

/// The body of the call that starts a job.
pub(crate) struct JobRequest<'a> {
    pub(crate) units: &'a [UploadUnit],
    pub(crate) options: &'a JobOptions,
}

impl From<&UploadSignedUrl> for UploadedObject {
    fn from(signed: &UploadSignedUrl) -> Self {
        Self { object_key: signed.object_key.clone(), item_uuid: Some(signed.item_uuid), title: None }
    }
}

impl UploadUnit {
    /// A file without metadata.
    pub fn file(kind: FileKind, object: UploadedObject) -> Self {
        Self::File(FileUnit { kind, object, client_metadata: Map::new(), media_metadata: None })
    }
}

impl FileKind {
    /// Returns the item type for which URLs are signed.
    pub const fn item_type(self) -> StorageItemType {
        match self {
            Self::Image => StorageItemType::Image,
            Self::Video => StorageItemType::Video,
            Self::Audio => StorageItemType::Audio,
            Self::Nifti => StorageItemType::Nifti,
            Self::Text => StorageItemType::PlainText,
            Self::Pdf => StorageItemType::Pdf,
            Self::TimeSeries => StorageItemType::Timeseries,
        }
    }

    const fn external_file_type(self) -> &'static str {
        match self {
            Self::Image => "IMAGE",
            Self::Video => "VIDEO",
            Self::Audio => "AUDIO",
            Self::Nifti => "NIFTI",
            Self::Text => "PLAIN_TEXT",
            Self::Pdf => "PDF",
            Self::TimeSeries => "TIMESERIES",
        }
    }

    /// Returns the field of the media metadata.
    const fn metadata_field(self) -> &'static str {
        match self {
            Self::Image => "imageMetadata",
            Self::Video => "videoMetadata",
            Self::Audio => "audioMetadata",
            Self::Text => "textMetadata",
            Self::Pdf => "pdfMetadata",
            Self::Nifti | Self::TimeSeries => "settings",
        }
    }

    /// Whether the SDK writes that field before the type.
    const fn metadata_before_type(self) -> bool {
        matches!(self, Self::Audio | Self::Pdf | Self::TimeSeries)
    }
}

impl GroupKind {
    /// Returns the item type for which URLs are signed.
    pub const fn item_type(self) -> StorageItemType {
        match self {
            Self::ImageGroup | Self::ImageSequence => StorageItemType::Image,
            Self::DicomSeries => StorageItemType::DicomFile,
        }
    }
}

impl Serialize for JobRequest<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let JobOptions { ignore_errors, skip_duplicate_urls: _, upsert_metadata: _, file_name } = self.options;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("dataItems", &DataItems(self))?;
        map.serialize_entry("ignoreErrors", ignore_errors)?;
        if let Some(name) = file_name {
            map.serialize_entry("fileName", name)?;
        }
        map.end()
    }
}

/// Serialises all eleven lists, even if they are empty, as the SDK does.
struct DataItems<'a>(&'a JobRequest<'a>);

impl Serialize for DataItems<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let JobRequest { units, options } = self.0;
        let files =
            |kind| Chosen(units, move |unit: &UploadUnit| matches!(unit, UploadUnit::File(file) if file.kind == kind));
        let groups = |dicom| {
            Chosen(
                units,
                move |unit: &UploadUnit| matches!(unit, UploadUnit::Group(group) if (group.kind == GroupKind::DicomSeries) == dicom),
            )
        };
        let none: [(); 0] = [];
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("videos", &files(FileKind::Video))?;
        map.serialize_entry("imageGroups", &groups(false))?;
        map.serialize_entry("dicomSeries", &groups(true))?;
        map.serialize_entry("images", &files(FileKind::Image))?;
        map.serialize_entry("imageGroupsFromItems", &none)?;
        map.serialize_entry("audio", &files(FileKind::Audio))?;
        map.serialize_entry("timeSeries", &files(FileKind::TimeSeries))?;
        map.serialize_entry("nifti", &files(FileKind::Nifti))?;
        map.serialize_entry("text", &files(FileKind::Text))?;
        map.serialize_entry("pdf", &files(FileKind::Pdf))?;
        map.serialize_entry("scenes", &none)?;
        map.serialize_entry("skipDuplicateUrls", &options.skip_duplicate_urls)?;
        map.serialize_entry("upsertMetadata", &options.upsert_metadata)?;
        map.end()
    }
}

/// Serialises the units that the filter selects.
struct Chosen<'a, F>(&'a [UploadUnit], F);

impl<F: Fn(&UploadUnit) -> bool> Serialize for Chosen<'_, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(None)?;
        for unit in self.0.iter().filter(|unit| (self.1)(unit)) {
            seq.serialize_element(unit)?;
        }
        seq.end()
    }
}

impl Serialize for UploadUnit {
    /// Writes the unit in the platform's form.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::File(file) => file.serialize(serializer),
            Self::Group(group) => group.serialize(serializer),
        }
    }
}

impl Serialize for FileUnit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { kind, object: UploadedObject { object_key, item_uuid, title }, client_metadata, media_metadata } =
            self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("objectUrl", object_key)?;
        if let Some(title) = title {
            map.serialize_entry("title", title)?;
        }
        map.serialize_entry("clientMetadata", client_metadata)?;
        if let Some(metadata) = media_metadata.as_ref().filter(|_| kind.metadata_before_type()) {
            map.serialize_entry(kind.metadata_field(), metadata)?;
        }
        map.serialize_entry("externalFileType", kind.external_file_type())?;
        if let Some(metadata) = media_metadata.as_ref().filter(|_| !kind.metadata_before_type()) {
            map.serialize_entry(kind.metadata_field(), metadata)?;
        }
        // The form of a time series has no field for a placeholder.
        if let Some(item) = item_uuid.filter(|_| *kind != FileKind::TimeSeries) {
            map.serialize_entry("placeholderItemUuid", &item)?;
        }
        map.end()
    }
}

impl Serialize for GroupUnit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { kind, objects, title, client_metadata } = self;
        let dicom = *kind == GroupKind::DicomSeries;
        let files: Vec<_> = objects.iter().map(GroupFile).collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(if dicom { "dicomFiles" } else { "images" }, &files)?;
        if let Some(title) = title {
            map.serialize_entry("title", title)?;
        }
        map.serialize_entry("clientMetadata", client_metadata)?;
        if !dicom {
            map.serialize_entry("createVideo", &(*kind == GroupKind::ImageSequence))?;
        }
        map.serialize_entry("externalFileType", if dicom { "DICOM" } else { "IMG_GROUP" })?;
        map.end()
    }
}

struct GroupFile<'a>(&'a UploadedObject);

impl Serialize for GroupFile<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let UploadedObject { object_key, item_uuid, title } = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("url", object_key)?;
        if let Some(title) = title {
            map.serialize_entry("title", title)?;
        }
        if let Some(item) = item_uuid {
            map.serialize_entry("placeholderItemUuid", item)?;
        }
        map.end()
    }
}
