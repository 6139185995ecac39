//! What a batch is made with, and the batch as one call.

use std::fmt;
use std::future::pending;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;

use encord_http::Client;
use encord_http_settings::{CloudUploadSettings, EffectiveUploadSettings};
use futures_util::{Stream, stream};

use crate::batch::{Batch, Selection};
use crate::item::UploadItem;
use crate::journal::Journal;
use crate::open_files;
use crate::progress::Progress;
use crate::report::{ItemReport, Report, Stopped};
use crate::source::{AnySource, SignedUrlSource};
use crate::throttle::Throttle;
use crate::transfer::{BatchContext, Md5Origins};

/// How many items are under way at once unless said otherwise. The SDK uses 4 threads. With small files it is latency that sets
/// the pace, so at 20 ms a request 32 give 1,600 files a second; they stay far below any limit of open files.
pub const DEFAULT_CONCURRENCY: NonZeroUsize = NonZeroUsize::new(32).unwrap();

/// Uploads batches of items.
///
/// As one call, [`upload`](Self::upload), with the report of all items at its end, or as a stream of outcomes:
///
/// ```no_run
/// use encord_upload::{Journal, JournalError, UploadItem, Uploader};
/// use futures_util::stream;
///
/// async fn upload(uploader: Uploader, items: Vec<UploadItem>) -> Result<(), JournalError> {
///     // What an earlier run has done is skipped.
///     let journal = Journal::open("done.jsonl")?;
///     let mut batch = uploader.journal(journal.clone()).batch(stream::iter(items));
///     while let Some(item) = batch.next().await {
///         println!("{}: {}", item.path.display(), item.status);
///     }
///     journal.finish()
/// }
/// ```
#[derive(Clone)]
pub struct Uploader {
    client: Client,
    settings: EffectiveUploadSettings,
    concurrency: NonZeroUsize,
    source: Option<AnySource>,
    journal: Option<Journal>,
    select: Option<Selection>,
    content_md5: bool,
}

impl Uploader {
    /// An uploader over `client`. What `settings` leaves open is inherited from the client's settings (rules U1–U3).
    pub fn new(client: &Client, settings: CloudUploadSettings) -> Self {
        Self {
            settings: settings.over(client.settings()),
            client: client.clone(),
            concurrency: DEFAULT_CONCURRENCY,
            source: None,
            journal: None,
            select: None,
            content_md5: false,
        }
    }

    /// How many items are under way at once. Default: [`DEFAULT_CONCURRENCY`]. It is less where the process may not open so many
    /// files: three for each item, and 64 for the rest of the process.
    #[must_use]
    pub fn concurrency(mut self, concurrency: NonZeroUsize) -> Self {
        self.concurrency = concurrency;
        self
    }

    /// Asks `source` for the URLs of items that have none, and again for those whose URL has expired or is about to. A renewal is
    /// not a retry.
    #[must_use]
    pub fn source(mut self, source: impl SignedUrlSource + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Skips what `journal` has as done, and writes down what gets done.
    #[must_use]
    pub fn journal(mut self, journal: Journal) -> Self {
        self.journal = Some(journal);
        self
    }

    /// Takes only the items for which `select`, asked with place and item, is true, such as those of a [`Shard`](crate::Shard).
    /// The others have no outcome, and count in the places.
    #[must_use]
    pub fn select(mut self, select: impl Fn(usize, &UploadItem) -> bool + Send + Sync + 'static) -> Self {
        self.select = Some(Arc::new(select));
        self
    }

    /// Sends `Content-MD5` (RFC 1864), so that the server can refuse what arrives damaged. Each file is read twice for it. Default:
    /// off. It is not sent where the URL's signature does not allow it, or the item has one of its own.
    #[must_use]
    pub fn content_md5(mut self, send: bool) -> Self {
        self.content_md5 = send;
        self
    }

    /// The settings that apply to each upload.
    pub fn settings(&self) -> &EffectiveUploadSettings {
        &self.settings
    }

    /// Begins a batch: nothing happens until the outcomes are asked for. Each item has its own budgets and clocks (rule U7). Needs
    /// a tokio runtime with time and I/O enabled.
    pub fn batch<S: Stream<Item = UploadItem>>(&self, items: S) -> Batch<S> {
        let shared = BatchContext {
            client: self.client.clone(),
            settings: self.settings,
            source: self.source.clone(),
            journal: self.journal.clone(),
            content_md5: self.content_md5,
            progress: Progress::new(),
            throttle: Throttle::default(),
            md5_origins: Md5Origins::default(),
        };
        Batch::new(shared, open_files::bounded(self.concurrency), self.select.clone(), items)
    }

    /// Uploads the items, calls `observe` as each of them ends, and gives the report of all in input order. Needs a tokio runtime
    /// with time and I/O enabled.
    ///
    /// Unlike [`batch`](Self::batch) it holds an [`ItemReport`] for every item: path, title and attempts, and for each failed one
    /// the headers of the server's last answer and up to 64 KiB of its body ([`MAX_ERROR_BODY`](encord_http::MAX_ERROR_BODY)).
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
    /// [`Stopped`], as `upload`, and when an item was cancelled. Who cancels when all have ended gets the report.
    pub async fn upload_until(
        &self,
        cancel: impl Future<Output = ()> + Send + 'static,
        items: impl IntoIterator<Item = UploadItem>,
        mut observe: impl FnMut(&ItemReport),
    ) -> Result<Report, Stopped> {
        let mut batch = pin!(self.batch(stream::iter(items)).until(cancel));
        let mut report = Report::default();
        while let Some(item) = batch.next().await {
            observe(&item);
            report.items.push(item);
        }
        report.items.sort_unstable_by_key(|item| item.index);
        match batch.stopped() {
            None => Ok(report),
            Some(cause) => Err(Stopped { report, cause }),
        }
    }
}

impl fmt::Debug for Uploader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uploader")
            .field("settings", &self.settings)
            .field("concurrency", &self.concurrency)
            .field("journal", &self.journal)
            .finish_non_exhaustive()
    }
}
