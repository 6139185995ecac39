//! The upload of the SDK of 2023: each file separately, into a dataset, without a job.

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::signing::written_legacy;
use super::{Answer, Api, Call};
use crate::operation::Operation;
use crate::problem::{Kind, Problem};
use crate::state::ItemType;
use crate::units::{Unit, UnitFile, UnitKind};

/// The answer of the signing request, which the client sends back after the upload.
#[derive(Deserialize)]
struct Uploaded {
    data_hash: Uuid,
    title: String,
    file_link: String,
    video_title: Option<String>,
}

#[derive(Deserialize)]
struct DicomFile {
    id: Uuid,
    uri: String,
    title: String,
}

#[derive(Deserialize)]
struct Group {
    image_group_title: Option<String>,
    #[serde(default)]
    create_video: bool,
}

#[derive(Deserialize)]
struct Series {
    title: Option<String>,
}

impl Api<'_> {
    /// Signs one URL for a name, or a list of URLs for a list of names.
    pub(super) fn sign_legacy(&mut self, call: &Call) -> Answer {
        self.dataset(call.resource()?)?;
        let item_type = match call.operation {
            Operation::SignVideo => ItemType::Video,
            Operation::SignDicom => ItemType::DicomFile,
            _ => ItemType::Image,
        };
        let mut sign = |name: &Value| {
            let title = name.as_str().ok_or_else(|| Problem::invalid("uid has no file name"))?;
            let (placeholder, key) = self.placeholder(item_type, None);
            Ok(written_legacy(&self.sign_put(&key, None)?, placeholder, title, &key))
        };
        match &call.uid {
            Value::Array(names) => names.iter().map(sign).collect(),
            name => sign(name),
        }
    }

    pub(super) fn add_image(&mut self, call: &Call) -> Answer {
        let Uploaded { data_hash, title, file_link, .. } = call.read()?;
        let file = UnitFile::new(file_link, None, None);
        self.add_legacy(call, data_hash, &Unit::file(UnitKind::Image, Some(title), file))?;
        Ok(json!({ "success": true }))
    }

    pub(super) fn add_video(&mut self, call: &Call) -> Answer {
        let Uploaded { data_hash, title, file_link, video_title } = call.read()?;
        let title = video_title.unwrap_or(title);
        let file = UnitFile::new(file_link.clone(), None, None);
        let item = self.add_legacy(call, data_hash, &Unit::file(UnitKind::Video, Some(title.clone()), file))?;
        Ok(json!({ "data_hash": data_hash, "title": title, "file_link": file_link, "backing_item_uuid": item }))
    }

    pub(super) fn add_image_group(&mut self, call: &Call) -> Answer {
        let Group { image_group_title, create_video } = call.read()?;
        let mut files = Vec::new();
        for uuid in call.uids()? {
            let placeholder = self.state.placeholders.get(uuid);
            let key = &placeholder.ok_or_else(|| Problem::not_found("There is no such image"))?.key;
            files.push(UnitFile::new(key.clone(), None, None));
        }
        let kind = if create_video { UnitKind::ImageSequence } else { UnitKind::ImageGroup };
        let title = image_group_title.unwrap_or_else(|| "image group".to_owned());
        let hash = Uuid::new_v4();
        self.add_legacy(call, hash, &Unit { kind, files, ..Unit::empty(Some(title.clone())) })?;
        Ok(json!([{ "data_hash": hash, "title": title, "file_link": "" }]))
    }

    pub(super) fn add_dicom_series(&mut self, call: &Call) -> Answer {
        let Series { title } = call.read()?;
        let files: Vec<DicomFile> =
            Vec::deserialize(&call.uid).map_err(|error| Problem::new(Kind::Shape, error.to_string()))?;
        let files = files.into_iter().map(|DicomFile { id, uri, title }| UnitFile::new(uri, Some(title), Some(id)));
        let title = title.unwrap_or_else(|| "DICOM series".to_owned());
        let unit = Unit { kind: UnitKind::DicomSeries, files: files.collect(), ..Unit::empty(Some(title.clone())) };
        let hash = Uuid::new_v4();
        self.add_legacy(call, hash, &unit)?;
        Ok(json!({ "data_hash": hash, "title": title }))
    }

    /// Creates an item, and its row with this id.
    fn add_legacy(&mut self, call: &Call, row: Uuid, unit: &Unit) -> Result<Uuid, Problem> {
        let dataset = self.dataset(call.resource()?)?.clone();
        let folder = match dataset.backing_folder {
            Some(folder) => folder,
            None => self.add_folder(dataset.title, None)?,
        };
        let item = self.register_now(unit, folder)?;
        self.add_row(row, dataset.uuid, item);
        Ok(item)
    }
}
