//! The units of a job, read from the lists of a request.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::problem::{Kind, Problem};

/// An image, video, group, series and so on. It becomes one item, or it fails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Unit {
    pub(crate) kind: UnitKind,
    pub(crate) title: Option<String>,
    pub(crate) client_metadata: Map<String, Value>,
    /// One file, or the files of a group in order. Empty for a group of existing items.
    pub(crate) files: Vec<UnitFile>,
    /// The existing items of a group.
    pub(crate) items: Vec<Uuid>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum UnitKind {
    Image,
    Video,
    Audio,
    Nifti,
    Text,
    Pdf,
    TimeSeries,
    Scene,
    ImageGroup,
    ImageSequence,
    DicomSeries,
}

/// A file of a unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct UnitFile {
    pub(crate) url: String,
    pub(crate) title: Option<String>,
    pub(crate) placeholder: Option<Uuid>,
    /// The facts that the client states about the medium.
    pub(crate) media: Map<String, Value>,
}

/// The content of `dataItems`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct DataItems {
    pub(crate) units: Vec<Unit>,
    pub(crate) skip_duplicate_urls: bool,
    pub(crate) upsert_metadata: bool,
}

/// The lists of a request. Each may be absent.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Lists {
    videos: Vec<Single>,
    #[serde(alias = "image_groups")]
    image_groups: Vec<ImageGroup>,
    #[serde(alias = "dicom_series")]
    dicom_series: Vec<DicomSeries>,
    images: Vec<Single>,
    #[serde(alias = "image_groups_from_items")]
    image_groups_from_items: Vec<GroupFromItems>,
    audio: Vec<Single>,
    #[serde(alias = "time_series")]
    time_series: Vec<Single>,
    nifti: Vec<Single>,
    text: Vec<Single>,
    pdf: Vec<Single>,
    scenes: Vec<Scene>,
    #[serde(alias = "skip_duplicate_urls")]
    skip_duplicate_urls: bool,
    #[serde(alias = "upsert_metadata")]
    upsert_metadata: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Single {
    #[serde(alias = "object_url")]
    object_url: String,
    title: Option<String>,
    #[serde(default, alias = "client_metadata")]
    client_metadata: Map<String, Value>,
    #[serde(alias = "placeholder_item_uuid")]
    placeholder_item_uuid: Option<Uuid>,
    #[serde(
        alias = "imageMetadata",
        alias = "videoMetadata",
        alias = "audioMetadata",
        alias = "textMetadata",
        alias = "pdfMetadata",
        alias = "settings"
    )]
    media: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ImageGroup {
    images: Vec<Frame>,
    title: Option<String>,
    #[serde(default, alias = "client_metadata")]
    client_metadata: Map<String, Value>,
    #[serde(default, alias = "create_video")]
    create_video: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DicomSeries {
    #[serde(alias = "dicom_files")]
    dicom_files: Vec<Frame>,
    title: Option<String>,
    #[serde(default, alias = "client_metadata")]
    client_metadata: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Frame {
    url: String,
    title: Option<String>,
    #[serde(alias = "placeholder_item_uuid")]
    placeholder_item_uuid: Option<Uuid>,
    #[serde(alias = "imageMetadata", alias = "dicomMetadata")]
    media: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupFromItems {
    #[serde(alias = "image_items")]
    image_items: Vec<Uuid>,
    title: Option<String>,
    #[serde(default, alias = "client_metadata")]
    client_metadata: Map<String, Value>,
    #[serde(default, alias = "create_video")]
    create_video: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Scene {
    title: Option<String>,
    #[serde(rename = "scene")]
    parts: Map<String, Value>,
    #[serde(default, alias = "client_metadata")]
    client_metadata: Map<String, Value>,
    #[serde(alias = "placeholder_item_uuid")]
    placeholder_item_uuid: Option<Uuid>,
}

impl DataItems {
    pub(crate) fn read(value: &Value) -> Result<Self, Problem> {
        let lists =
            Lists::deserialize(value).map_err(|error| Problem::new(Kind::Shape, format!("dataItems: {error}")))?;
        let mut units = Vec::new();
        for (kind, singles) in [
            (UnitKind::Video, lists.videos),
            (UnitKind::Image, lists.images),
            (UnitKind::Audio, lists.audio),
            (UnitKind::TimeSeries, lists.time_series),
            (UnitKind::Nifti, lists.nifti),
            (UnitKind::Text, lists.text),
            (UnitKind::Pdf, lists.pdf),
        ] {
            units.extend(singles.into_iter().map(|single| single.unit(kind)));
        }
        units.extend(lists.image_groups.into_iter().map(ImageGroup::unit));
        units.extend(lists.dicom_series.into_iter().map(DicomSeries::unit));
        units.extend(lists.image_groups_from_items.into_iter().map(GroupFromItems::unit));
        units.extend(lists.scenes.into_iter().map(Scene::unit));
        let Lists { skip_duplicate_urls, upsert_metadata, .. } = lists;
        Ok(Self { units, skip_duplicate_urls, upsert_metadata })
    }
}

impl Unit {
    /// Makes an image without a file.
    pub(crate) fn empty(title: Option<String>) -> Self {
        Self { kind: UnitKind::Image, title, client_metadata: Map::new(), files: Vec::new(), items: Vec::new() }
    }

    /// Makes a unit of one file.
    pub(crate) fn file(kind: UnitKind, title: Option<String>, file: UnitFile) -> Self {
        Self { kind, files: vec![file], ..Self::empty(title) }
    }

    /// Returns the name of the item: the title, or otherwise the last segment of the URL.
    pub(crate) fn name(&self) -> &str {
        let url = self.files.first().map_or("", |file| file.url.as_str());
        self.title.as_deref().unwrap_or(url.rsplit('/').next().unwrap_or_default())
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        self.files.iter().map(|file| file.url.clone()).collect()
    }
}

impl UnitFile {
    pub(crate) fn new(url: String, title: Option<String>, placeholder: Option<Uuid>) -> Self {
        Self { url, title, placeholder, media: Map::new() }
    }

    /// Whether the file is in a cloud. The emulator does not look there.
    pub(crate) fn is_in_cloud(&self) -> bool {
        self.url.contains("://")
    }
}

impl Single {
    fn unit(self, kind: UnitKind) -> Unit {
        let Self { object_url, title, client_metadata, placeholder_item_uuid, media } = self;
        let media = media.unwrap_or_default();
        let file = UnitFile { url: object_url, title: None, placeholder: placeholder_item_uuid, media };
        Unit { client_metadata, ..Unit::file(kind, title, file) }
    }
}

impl Frame {
    fn file(self) -> UnitFile {
        let Self { url, title, placeholder_item_uuid, media } = self;
        UnitFile { url, title, placeholder: placeholder_item_uuid, media: media.unwrap_or_default() }
    }
}

impl ImageGroup {
    fn unit(self) -> Unit {
        let Self { images, title, client_metadata, create_video } = self;
        let kind = if create_video { UnitKind::ImageSequence } else { UnitKind::ImageGroup };
        Unit { kind, title, client_metadata, files: images.into_iter().map(Frame::file).collect(), items: Vec::new() }
    }
}

impl DicomSeries {
    fn unit(self) -> Unit {
        let Self { dicom_files, title, client_metadata } = self;
        let files = dicom_files.into_iter().map(Frame::file).collect();
        Unit { kind: UnitKind::DicomSeries, title, client_metadata, files, items: Vec::new() }
    }
}

impl GroupFromItems {
    fn unit(self) -> Unit {
        let Self { image_items, title, client_metadata, create_video } = self;
        let kind = if create_video { UnitKind::ImageSequence } else { UnitKind::ImageGroup };
        Unit { kind, title, client_metadata, files: Vec::new(), items: image_items }
    }
}

impl Scene {
    fn unit(self) -> Unit {
        let Self { title, parts, client_metadata, placeholder_item_uuid } = self;
        let mut urls = Vec::new();
        let mut rest = vec![Value::Object(parts)];
        // A scene is a JSON tree. Each `url` in it names a file.
        while let Some(value) = rest.pop() {
            match value {
                Value::Object(map) => {
                    for (name, value) in map {
                        match value {
                            Value::String(url) if name == "url" => urls.push(url),
                            value => rest.push(value),
                        }
                    }
                }
                Value::Array(values) => rest.extend(values),
                _ => {}
            }
        }
        let mut placeholder = placeholder_item_uuid;
        let files = urls.into_iter().map(|url| UnitFile::new(url, None, placeholder.take())).collect();
        Unit { kind: UnitKind::Scene, title, client_metadata, files, items: Vec::new() }
    }
}
