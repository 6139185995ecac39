//! Runs jobs: each unit becomes an item, or fails.

use serde_json::Map;
use uuid::Uuid;

use super::Api;
use crate::problem::Problem;
use crate::state::{Item, ItemType, JobStatus, Placeholder, UnitError};
use crate::switches::{DuplicateUrls, FailedJobKeeps, ItemId, SecondJob};
use crate::units::{Unit, UnitFile, UnitKind};

/// The result of a unit that did not fail.
enum Registered {
    /// An item, which is new or from an earlier job.
    Item(Uuid),
    /// The folder already has an item with this URL.
    Skipped,
}

/// A file of a unit that was found, in the store or in a cloud.
struct Stored {
    key: String,
    placeholder: Option<Placeholder>,
    size: Option<u64>,
    mime_type: Option<String>,
}

/// A job that is being run.
struct Run {
    folder: Uuid,
    skip_duplicate_urls: bool,
    upsert_metadata: bool,
    created: Vec<Uuid>,
}

impl Run {
    fn new(folder: Uuid) -> Self {
        Self { folder, skip_duplicate_urls: false, upsert_metadata: false, created: Vec::new() }
    }
}

impl Api<'_> {
    /// Runs a job if it is pending. `planned` returns the planned failure, if any, for the name of a unit.
    pub(crate) fn run_job(&mut self, uuid: Uuid, mut planned: impl FnMut(&str) -> Option<String>) {
        let Some(job) = self.state.jobs.edit(uuid).filter(|job| job.status == JobStatus::Pending) else { return };
        let mut units = std::mem::take(&mut job.units);
        let mut run = Run {
            skip_duplicate_urls: job.skip_duplicate_urls,
            upsert_metadata: job.upsert_metadata,
            ..Run::new(job.folder)
        };
        let (dataset, ignore_errors) = (job.dataset, job.ignore_errors);
        let mut items = Vec::new();
        let mut errors = Vec::new();
        let mut done = 0;
        for unit in units.drain(..) {
            let failure = planned(unit.name());
            match failure.map_or_else(|| self.register(&unit, &mut run), Err) {
                Ok(Registered::Item(item)) => items.push(item),
                Ok(Registered::Skipped) => {}
                Err(error) => {
                    errors.push(UnitError {
                        urls: unit.urls(),
                        error,
                        subtask: Uuid::new_v4(),
                        action: action(unit.kind).to_owned(),
                    });
                    continue;
                }
            }
            done += 1;
        }
        let failed = !errors.is_empty() && !ignore_errors;
        if failed && self.switches.failed_job_keeps == FailedJobKeeps::Nothing {
            self.take_back(&run.created);
            items.clear();
        }
        let dataset = dataset.or_else(|| self.state.folders.get(run.folder).and_then(|folder| folder.synced_dataset));
        let rows = match dataset {
            Some(dataset) => self.link(dataset, &items),
            None => Vec::new(),
        };
        let now = self.now;
        if let Some(job) = self.state.jobs.edit(uuid) {
            job.status = if failed { JobStatus::Error } else { JobStatus::Done };
            (job.items, job.rows, job.done, job.errors, job.ended_at) = (items, rows, done, errors, Some(now));
        }
    }

    fn register(&mut self, unit: &Unit, run: &mut Run) -> Result<Registered, String> {
        for item in &unit.items {
            self.state.items.get(*item).ok_or("An image of the group was not found")?;
        }
        let mut files = Vec::new();
        for file in &unit.files {
            files.push(self.stored(file)?);
        }
        if files.is_empty() && unit.items.is_empty() {
            return Err("The unit has no files".to_owned());
        }
        if run.skip_duplicate_urls
            && let Some(item) = self.same_urls(&files, run.folder)
        {
            if run.upsert_metadata
                && let Some(item) = self.state.items.edit(item)
            {
                item.client_metadata.extend(unit.client_metadata.clone());
            }
            return Ok(Registered::Skipped);
        }
        let used = files.iter().find_map(|file| file.placeholder.as_ref()?.item);
        match (used, self.switches.second_job) {
            (None, _) | (Some(_), SecondJob::Duplicate) => Ok(Registered::Item(self.make(unit, files, run))),
            (Some(_), SecondJob::Error) => Err("The placeholder has been registered before".to_owned()),
            (Some(item), SecondJob::NoOp) => {
                let group = self.state.items.iter().find(|group| group.children.contains(&item));
                Ok(Registered::Item(group.map_or(item, |group| group.uuid)))
            }
        }
    }

    /// Finds a file of a unit, by its placeholder or otherwise by its URL.
    fn stored(&self, file: &UnitFile) -> Result<Stored, String> {
        if file.placeholder.is_none() && file.is_in_cloud() {
            return Ok(Stored { key: file.url.clone(), placeholder: None, size: None, mime_type: None });
        }
        let named = || Uuid::try_parse(file.url.rsplit('/').next()?).ok();
        let placeholder = file.placeholder.or_else(named).and_then(|uuid| self.state.placeholders.get(uuid)).cloned();
        let life = i64::try_from(self.switches.placeholder_life.as_millis()).unwrap_or(i64::MAX);
        let expired = |one: &Placeholder| one.item.is_none() && self.now.0.saturating_sub(one.created_at.0) > life;
        if file.placeholder.is_some() && placeholder.as_ref().is_none_or(expired) {
            return Err("The placeholder does not exist".to_owned());
        }
        let key = placeholder.as_ref().map_or(&file.url, |placeholder| &placeholder.key).clone();
        let object = self.store.object(&key).ok_or("The file was not found in storage")?;
        Ok(Stored { key, placeholder, size: Some(object.size), mime_type: object.content_type })
    }

    fn same_urls(&self, files: &[Stored], folder: Uuid) -> Option<Uuid> {
        let [file] = files else { return None };
        let is_compared = file.key.contains("://") || self.switches.duplicate_urls == DuplicateUrls::All;
        let mut items = self.state.items.iter().filter(|item| is_compared && item.folder == folder && !item.is_frame);
        items.find(|item| item.url.as_deref() == Some(&file.key)).map(|item| item.uuid)
    }

    fn make(&mut self, unit: &Unit, files: Vec<Stored>, run: &mut Run) -> Uuid {
        let item_type = item_type(unit.kind);
        let is_group = matches!(unit.kind, UnitKind::ImageGroup | UnitKind::ImageSequence | UnitKind::DicomSeries);
        let mut children = unit.items.clone();
        let mut single = None;
        // A scene of several files is one item, with the facts of its first file.
        let kept = if is_group { files.len() } else { 1 };
        for (file, stored) in unit.files.iter().zip(files).take(kept) {
            let name = if is_group {
                file.title.clone().unwrap_or_else(|| file.url.rsplit('/').next().unwrap_or_default().to_owned())
            } else {
                unit.name().to_owned()
            };
            let frame_type = match unit.kind {
                UnitKind::DicomSeries => ItemType::DicomFile,
                _ if is_group => ItemType::Image,
                _ => item_type,
            };
            let mut item = Item::new(self.item_id(&stored), run.folder, frame_type, name, self.now);
            item.is_frame = is_group;
            fill(&mut item, file, stored.size, stored.mime_type);
            item.url = Some(stored.key);
            if let Some(placeholder) = stored.placeholder
                && let Some(placeholder) = self.state.placeholders.edit(placeholder.uuid)
            {
                placeholder.item.get_or_insert(item.uuid);
            }
            run.created.push(item.uuid);
            if is_group {
                children.push(item.uuid);
            } else {
                item.client_metadata.clone_from(&unit.client_metadata);
                single = Some(item.uuid);
            }
            self.state.items.put(item);
        }
        single.unwrap_or_else(|| {
            let mut group = Item::new(Uuid::new_v4(), run.folder, item_type, unit.name().to_owned(), self.now);
            group.client_metadata.clone_from(&unit.client_metadata);
            group.children = children;
            let uuid = group.uuid;
            run.created.push(uuid);
            self.state.items.put(group);
            uuid
        })
    }

    fn item_id(&self, stored: &Stored) -> Uuid {
        match &stored.placeholder {
            Some(placeholder) if self.switches.item_id == ItemId::Placeholder && placeholder.item.is_none() => {
                placeholder.uuid
            }
            _ => Uuid::new_v4(),
        }
    }

    /// Registers a unit at once, without a job.
    pub(super) fn register_now(&mut self, unit: &Unit, folder: Uuid) -> Result<Uuid, Problem> {
        match self.register(unit, &mut Run::new(folder)).map_err(Problem::invalid)? {
            Registered::Item(item) => Ok(item),
            Registered::Skipped => Err(Problem::invalid("The unit was skipped")),
        }
    }

    /// Removes these items, and frees their placeholders.
    fn take_back(&mut self, created: &[Uuid]) {
        for item in created {
            self.state.items.remove(*item);
        }
        let used = self.state.placeholders.iter().filter(|one| one.item.is_some_and(|item| created.contains(&item)));
        for placeholder in used.map(|placeholder| placeholder.uuid).collect::<Vec<_>>() {
            if let Some(placeholder) = self.state.placeholders.edit(placeholder) {
                placeholder.item = None;
            }
        }
    }
}

/// Sets the facts of an item: what the client stated, or otherwise what the store knows.
fn fill(item: &mut Item, file: &UnitFile, size: Option<u64>, mime_type: Option<String>) {
    let said = |name: &str| file.media.get(name);
    item.file_size = said("fileSize").and_then(serde_json::Value::as_u64).or(size);
    item.mime_type = said("mimeType").and_then(|value| value.as_str()).map(str::to_owned).or(mime_type);
    item.media = if item.item_type == ItemType::Timeseries {
        let settings = file.media.clone();
        let mut media = Map::new();
        if !settings.is_empty() {
            media.insert("timeseriesSettings".to_owned(), settings.into());
        }
        media
    } else {
        file.media.clone()
    };
}

fn item_type(kind: UnitKind) -> ItemType {
    match kind {
        UnitKind::Image => ItemType::Image,
        UnitKind::Video => ItemType::Video,
        UnitKind::Audio => ItemType::Audio,
        UnitKind::Nifti => ItemType::Nifti,
        UnitKind::Text => ItemType::PlainText,
        UnitKind::Pdf => ItemType::Pdf,
        UnitKind::TimeSeries => ItemType::Timeseries,
        UnitKind::Scene => ItemType::Scene,
        UnitKind::ImageGroup => ItemType::ImageGroup,
        UnitKind::ImageSequence => ItemType::ImageSequence,
        UnitKind::DicomSeries => ItemType::DicomSeries,
    }
}

fn action(kind: UnitKind) -> &'static str {
    match kind {
        UnitKind::Image => "Uploading image",
        UnitKind::Video => "Uploading video",
        UnitKind::Audio => "Uploading audio",
        UnitKind::Nifti => "Uploading NIfTI",
        UnitKind::Text => "Uploading text",
        UnitKind::Pdf => "Uploading PDF",
        UnitKind::TimeSeries => "Uploading time series",
        UnitKind::Scene => "Uploading scene",
        UnitKind::ImageGroup | UnitKind::ImageSequence => "Uploading image group",
        UnitKind::DicomSeries => "Uploading DICOM series",
    }
}
