//! The batch: items in, at most so many under way, outcomes out.

use std::future::pending;
use std::num::NonZeroUsize;
use std::pin::pin;

use encord_http::Client;
use encord_http_settings::{CloudUploadSettings, EffectiveUploadSettings};
use tokio::task::{JoinError, JoinSet};
use tracing::warn;

use crate::item::UploadItem;
use crate::report::{ItemError, ItemReport, Report, Status, Stopped};

/// How many items are under way at once unless said otherwise. The SDK uses 4 threads; 16 keeps a line of 100 ms latency busy
/// with small files and stays far below any limit of open files.
pub const DEFAULT_CONCURRENCY: NonZeroUsize = NonZeroUsize::new(16).unwrap();

/// Uploads batches of items.
#[derive(Debug, Clone)]
pub struct Uploader {
    client: Client,
    settings: EffectiveUploadSettings,
    concurrency: NonZeroUsize,
}

impl Uploader {
    /// An uploader over `client`. What `settings` leaves open is inherited from the client's settings (rules U1–U3).
    pub fn new(client: &Client, settings: CloudUploadSettings) -> Self {
        Self { settings: settings.over(client.settings()), client: client.clone(), concurrency: DEFAULT_CONCURRENCY }
    }

    /// How many items are under way at once. Default: [`DEFAULT_CONCURRENCY`].
    #[must_use]
    pub fn concurrency(mut self, concurrency: NonZeroUsize) -> Self {
        self.concurrency = concurrency;
        self
    }

    /// The settings that apply to each upload.
    pub fn settings(&self) -> &EffectiveUploadSettings {
        &self.settings
    }

    /// Uploads the items, each under its own budgets and clocks (rule U7), and calls `observe` as each of them ends. Items are
    /// taken only as they are sent. Needs a tokio runtime with time and I/O enabled.
    ///
    /// Dropping the future aborts what is under way.
    ///
    /// # Errors
    ///
    /// [`Stopped`], with the whole report, when an item fails for good and failures are not allowed (rule U5).
    pub async fn upload(
        &self,
        items: impl IntoIterator<Item = UploadItem>,
        observe: impl FnMut(&ItemReport),
    ) -> Result<Report, Stopped> {
        self.upload_until(pending(), items, observe).await
    }

    /// Like [`upload`](Self::upload), until `cancel` is ready: then nothing further is started and what is under way is
    /// aborted. The iterator is taken to its end, so that the report lists every item.
    ///
    /// # Errors
    ///
    /// [`Stopped`], as `upload`, and when the batch was cancelled before its end.
    pub async fn upload_until(
        &self,
        cancel: impl Future<Output = ()>,
        items: impl IntoIterator<Item = UploadItem>,
        mut observe: impl FnMut(&ItemReport),
    ) -> Result<Report, Stopped> {
        let mut cancel = pin!(cancel);
        let mut items = items.into_iter();
        let mut batch = Batch::default();
        let mut end = None;
        while end.is_none() {
            while batch.running.len() < self.concurrency.get()
                && let Some(item) = items.next()
            {
                batch.start(self, item);
            }
            let joined = tokio::select! {
                biased;
                () = &mut cancel => {
                    end = Some(None);
                    break;
                }
                joined = batch.running.join_next() => joined,
            };
            let Some(joined) = joined else { return Ok(batch.report) };
            let finished = batch.finish(joined);
            observe(finished);
            if finished.status == Status::Failed {
                if self.settings.allow_failures {
                    let error = finished.error.as_ref().map(tracing::field::display);
                    warn!(path = %finished.path.display(), title = finished.title, error, "upload failed");
                } else {
                    end = Some(Some(finished.index));
                }
            }
        }
        batch.running.abort_all();
        while let Some(joined) = batch.running.join_next().await {
            // Some may have ended before they could be aborted: what arrived is reported as arrived.
            if joined.as_ref().is_err_and(JoinError::is_cancelled) {
                continue;
            }
            observe(batch.finish(joined));
        }
        batch.report.items.extend(items.enumerate().map(|(i, item)| cancelled(batch.started + i, &item)));
        Err(Stopped { report: batch.report, by: end.flatten() })
    }
}

/// A batch under way. An item that was started stands in the report as cancelled until its outcome is known.
#[derive(Default)]
struct Batch {
    running: JoinSet<ItemReport>,
    report: Report,
    started: usize,
}

impl Batch {
    fn start(&mut self, uploader: &Uploader, item: UploadItem) {
        let report = cancelled(self.started, &item);
        self.started += 1;
        self.report.items.push(report.clone());
        self.running.spawn(upload(uploader.client.clone(), uploader.settings, item, report));
    }

    fn finish(&mut self, joined: Result<ItemReport, JoinError>) -> &ItemReport {
        let report = joined.unwrap_or_else(|e| std::panic::resume_unwind(e.into_panic()));
        let place = &mut self.report.items[report.index];
        *place = report;
        place
    }
}

fn cancelled(index: usize, item: &UploadItem) -> ItemReport {
    ItemReport {
        index,
        path: item.path.clone(),
        title: item.display_title(),
        status: Status::Cancelled,
        bytes: 0,
        attempts: Vec::new(),
        error: None,
    }
}

async fn upload(client: Client, settings: EffectiveUploadSettings, item: UploadItem, report: ItemReport) -> ItemReport {
    match client.send(&item.request(settings.requests)).await {
        Ok(response) if response.status().is_success() => ItemReport {
            status: Status::Uploaded,
            bytes: response.sent(),
            attempts: response.into_attempts(),
            ..report
        },
        Ok(response) => ItemReport {
            status: Status::Failed,
            error: Some(ItemError::NotStored { url: item.signed_url, status: response.status() }),
            attempts: response.into_attempts(),
            ..report
        },
        Err(error) => ItemReport {
            status: Status::Failed,
            attempts: error.attempts().to_vec(),
            error: Some(error.into()),
            ..report
        },
    }
}
