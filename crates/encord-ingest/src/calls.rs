//! The calls that a plan asks for, and what their answers mean to it.

use std::time::Duration;

use encord_client::http::{Fault, FaultKind};
use encord_client::{
    Dataset, DuplicatesBehavior, Effect, Error, ErrorKind, FileKind, FileUnit, Folder, GroupKind, GroupUnit,
    ItemFilter, ItemId, JobId, JobOptions, LongPollingStatus, MAX_PAGE_SIZE, StorageItem, StorageItemType,
    UploadJobState, UploadUnit, UploadedObject,
};
use encord_upload::ItemError;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::kind::Kind;
use crate::plan::{Event, ItemFacts, JobOutcome, Refusal, UnitError, name_hash};

/// How long a platform that is overloaded is left alone, unless it says for how long.
const BUSY_PAUSE: Duration = Duration::from_secs(5);

/// The plan sees so many items of a listing at once.
const PAGE: usize = MAX_PAGE_SIZE as usize;

/// The type that the URLs of a kind are signed for.
pub(crate) fn item_type(kind: Kind) -> StorageItemType {
    match shape(kind) {
        Shape::File(kind) => kind.item_type(),
        Shape::Group(kind) => kind.item_type(),
    }
}

enum Shape {
    File(FileKind),
    Group(GroupKind),
}

fn shape(kind: Kind) -> Shape {
    match kind {
        Kind::Image => Shape::File(FileKind::Image),
        Kind::Video => Shape::File(FileKind::Video),
        Kind::Audio => Shape::File(FileKind::Audio),
        Kind::Nifti => Shape::File(FileKind::Nifti),
        Kind::Text => Shape::File(FileKind::Text),
        Kind::Pdf => Shape::File(FileKind::Pdf),
        Kind::TimeSeries => Shape::File(FileKind::TimeSeries),
        Kind::DicomSeries => Shape::Group(GroupKind::DicomSeries),
        Kind::ImageGroup => Shape::Group(GroupKind::ImageGroup),
        Kind::ImageSequence => Shape::Group(GroupKind::ImageSequence),
    }
}

/// A unit as the job has it.
pub(crate) fn upload_unit(
    kind: Kind,
    title: String,
    objects: Vec<UploadedObject>,
    client_metadata: Map<String, Value>,
) -> Option<UploadUnit> {
    Some(match shape(kind) {
        Shape::File(kind) => {
            let object = UploadedObject { title: Some(title), ..objects.into_iter().next()? };
            UploadUnit::File(FileUnit { kind, object, client_metadata, media_metadata: None })
        }
        Shape::Group(kind) => UploadUnit::Group(GroupUnit { kind, objects, title: Some(title), client_metadata }),
    })
}

/// What a plan has to know of an item.
pub(crate) fn item_facts(item: &StorageItem) -> ItemFacts {
    let is_group = matches!(
        item.item_type.known(),
        StorageItemType::ImageGroup | StorageItemType::ImageSequence | StorageItemType::DicomSeries
    );
    ItemFacts {
        item: item.uuid.into(),
        name: name_hash(&item.name),
        object: item.url.clone(),
        size: item.file_size,
        is_group,
        is_registered: !item.is_placeholder && !item.is_tombstone,
    }
}

/// Posts a job.
pub(crate) async fn post(folder: Folder, job: u32, units: Vec<UploadUnit>, again: bool) -> Event {
    let options = JobOptions { ignore_errors: true, skip_duplicate_urls: again, ..JobOptions::default() };
    match folder.start_upload_job(&units, &options).await {
        Ok(posted) => Event::Posted { job, id: posted.id().into() },
        Err(error) if error.effect() == Effect::Unknown => Event::JobLost { job, error: lost(&error) },
        Err(error) => Event::NotPosted { job, refusal: refusal(&error), error: error.to_string() },
    }
}

fn lost(error: &Error) -> String {
    format!("the job had no answer that says whether it was taken ({error})")
}

/// Asks until a job has ended.
pub(crate) async fn poll(folder: Folder, job: u32, id: Uuid) -> Event {
    match folder.upload_job(JobId::from(id)).until_done().await {
        Ok(state) => Event::JobEnded { job, outcome: outcome(id, &state) },
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Authorisation) => {
            Event::JobLost { job, error: format!("the platform does not know its job {id} any more ({error})") }
        }
        Err(error) => failed(&error),
    }
}

fn outcome(id: Uuid, state: &UploadJobState) -> JobOutcome {
    let items = state.items_with_names.iter().map(|item| (item.item_uuid.into(), name_hash(&item.name)));
    let error = |error: &encord_client::UnitError| {
        let error_text = if error.error.is_empty() { "the platform gave no reason" } else { &error.error };
        UnitError { objects: error.object_urls.clone(), error: error_text.escape_debug().to_string() }
    };
    let how = match state.status.known() {
        LongPollingStatus::Done => "is done",
        LongPollingStatus::Cancelled => "was cancelled",
        _ => "failed",
    };
    JobOutcome {
        items: items.collect(),
        errors: state.unit_errors.iter().map(error).collect(),
        reason: format!("its job {id} {how}, without a word of it"),
    }
}

/// Looks items up.
pub(crate) async fn get_items(client: encord_client::EncordUserClient, items: Vec<Uuid>) -> Event {
    let ids: Vec<ItemId> = items.into_iter().map(ItemId::from).collect();
    match client.get_storage_items(&ids, false).await {
        Ok(items) => Event::Items(items.iter().map(item_facts).collect()),
        Err(error) if error.effect() != Effect::Unknown && is_about_content(&error) => Event::ItemsRefused,
        // Unknown items are reported like what may not be seen.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Authorisation) => Event::ItemsRefused,
        Err(error) => failed(&error),
    }
}

/// Lists all items of a folder, and tells of each page. `false` from `tell` means that nobody listens any more.
pub(crate) async fn list_items<F: Future<Output = bool> + Send>(
    folder: Folder,
    mut tell: impl FnMut(Event) -> F + Send,
) -> Event {
    let filter = ItemFilter { page_size: MAX_PAGE_SIZE, include_client_metadata: false, ..ItemFilter::default() };
    let mut items = folder.list_items(&filter);
    let mut page = Vec::new();
    loop {
        let next = items.next().await;
        let is_last = next.is_none();
        match next {
            Some(Ok(item)) => page.push(item_facts(&item)),
            Some(Err(error)) if error.kind() == ErrorKind::Record => {}
            Some(Err(error)) => return failed(&error),
            None => {}
        }
        let is_full = page.len() == PAGE;
        let is_heard = if is_last || is_full { tell(Event::Listed(std::mem::take(&mut page))).await } else { true };
        if is_last || !is_heard {
            return Event::ListEnded;
        }
    }
}

/// Links items to a dataset.
pub(crate) async fn link(dataset: Option<Dataset>, items: Vec<Uuid>) -> Event {
    let Some(dataset) = dataset else { return Event::Linked };
    let ids: Vec<ItemId> = items.into_iter().map(ItemId::from).collect();
    match dataset.link_items(&ids, DuplicatesBehavior::Skip).await {
        Ok(_) => Event::Linked,
        Err(error) => Event::NotLinked { refusal: refusal(&error), error: error.to_string() },
    }
}

pub(crate) fn failed(error: &Error) -> Event {
    Event::PlatformFailed { error: error.to_string() }
}

/// Whether a file could not be sent because of its store, whatever the file.
pub(crate) fn is_outage(error: &ItemError) -> bool {
    match error {
        ItemError::Expired(_) => true,
        ItemError::Request(error) => match error.status() {
            Some(status) => matches!(status.as_u16(), 401 | 403 | 404 | 408 | 429 | 500..),
            None => {
                error.is_connect()
                    || error.is_timeout()
                    || matches!(error.fault().map(Fault::kind), Some(FaultKind::Reset | FaultKind::Closed))
            }
        },
        _ => false,
    }
}

fn refusal(error: &Error) -> Refusal {
    match error.kind() {
        ErrorKind::RateLimited => Refusal::Busy(error.retry_after().unwrap_or(BUSY_PAUSE)),
        _ if is_about_content(error) => Refusal::Content,
        _ => Refusal::Everything,
    }
}

/// Whether it is about what was sent, and something else might be taken.
fn is_about_content(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::PayloadTooLarge
            | ErrorKind::InvalidArguments
            | ErrorKind::AlreadyExists
            | ErrorKind::FileTypeNotSupported
            | ErrorKind::FileSizeNotSupported
    ) || error.status() == Some(422)
}
