//! The options of a batch, and the upload of a batch by one call.

use std::fmt;
use std::sync::Arc;

use encord_http::Client;
use encord_http_settings::{CloudUploadSettings, EffectiveUploadSettings};
use futures_util::{Stream, stream};

use crate::batch::{Batch, Selection};
use crate::context::{Context, Etags};
use crate::gate::Gate;
use crate::item::UploadItem;
use crate::journal::Journal;
use crate::open_files;
use crate::pace::CAP_ATTEMPTS;
use crate::progress::Progress;
use crate::report::{ItemReport, Report, Stopped};
use crate::source::{AnySource, SignedUrlSource};

/// The default of [`Uploader::concurrency`]. Up to this limit the uploader finds the best number itself.
pub const DEFAULT_CONCURRENCY: usize = CAP_ATTEMPTS;

/// Uploads batches of items.
///
/// [`upload`](Self::upload) is one call that returns the report of all items. [`batch`](Self::batch) is a stream of outcomes:
///
/// ```no_run
/// use encord_upload::{Journal, JournalError, UploadItem, Uploader};
/// use futures_util::stream;
///
/// async fn upload(uploader: Uploader, items: Vec<UploadItem>) -> Result<(), JournalError> {
///     // Items that an earlier run has uploaded are skipped.
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
    concurrency: usize,
    is_fixed: bool,
    source: Option<AnySource>,
    journal: Option<Journal>,
    select: Option<Selection>,
    content_md5: bool,
    compare_etag: bool,
    etags: Etags,
}

impl Uploader {
    /// Makes an uploader that uses `client`. Settings that are not set in `settings` are those of the client (rules U1–U3).
    pub fn new(client: &Client, settings: CloudUploadSettings) -> Self {
        Self {
            settings: settings.over(client.settings()),
            client: client.clone(),
            concurrency: DEFAULT_CONCURRENCY,
            is_fixed: false,
            source: None,
            journal: None,
            select: None,
            content_md5: false,
            compare_etag: true,
            etags: Etags::default(),
        }
    }

    /// Sets the highest number of items under way at once. Default: [`DEFAULT_CONCURRENCY`]. Up to this limit the number grows
    /// for each host while the upload gets faster, and shrinks when the host says that it is overloaded (rule U10). The limit is
    /// lowered if the process may not open enough files: it needs three for each item, and 64 for other purposes. Zero counts as
    /// one.
    #[must_use]
    pub fn concurrency(self, max: usize) -> Self {
        Self { concurrency: max, is_fixed: false, ..self }
    }

    /// Keeps this number of items under way, for benchmarks that compare it with the number that the uploader finds.
    #[doc(hidden)]
    #[must_use]
    pub fn fixed_concurrency(self, number: usize) -> Self {
        Self { concurrency: number, is_fixed: true, ..self }
    }

    /// Asks `source` for the URLs of items that have none, and again for those whose URL has expired or is about to. A renewal is
    /// not a retry.
    #[must_use]
    pub fn source(mut self, source: impl SignedUrlSource + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Skips the items that `journal` lists as done, and adds the items that are uploaded.
    #[must_use]
    pub fn journal(mut self, journal: Journal) -> Self {
        self.journal = Some(journal);
        self
    }

    /// Uploads only the items for which `select` returns true, such as those of a [`Shard`](crate::Shard). `select` gets the
    /// position and the item. The other items have no outcome, but count in the positions.
    #[must_use]
    pub fn select(mut self, select: impl Fn(usize, &UploadItem) -> bool + Send + Sync + 'static) -> Self {
        self.select = Some(Arc::new(select));
        self
    }

    /// Sends `Content-MD5` (RFC 1864), so that the server can refuse damaged files. Each file is then read twice. Default: off.
    /// The header is not sent if the URL's signature does not allow it, or if the item already has it.
    #[must_use]
    pub fn content_md5(mut self, send: bool) -> Self {
        self.content_md5 = send;
        self
    }

    /// Compares the `ETag` with the MD5 of the file if the URL is signed for S3, the `ETag` looks like an MD5, and the answer has
    /// no other hash of the object. A difference is only a warning, because not every store uses the MD5. Once an `ETag` of the
    /// same host was the MD5 of a file, a difference is a fault like any wrong hash. Default: on. Off saves the computation of
    /// the MD5.
    #[must_use]
    pub fn compare_etag(mut self, compare: bool) -> Self {
        self.compare_etag = compare;
        self
    }

    /// The settings that apply to each upload.
    pub fn settings(&self) -> &EffectiveUploadSettings {
        &self.settings
    }

    /// Makes a batch. Nothing is uploaded until its outcomes are polled. Each item has its own budgets and clocks (rule U7). It
    /// needs a tokio runtime with time and I/O enabled.
    pub fn batch<S: Stream<Item = UploadItem>>(&self, items: S) -> Batch<S> {
        let concurrency = open_files::bounded(self.concurrency.max(1));
        let context = Context {
            client: self.client.clone(),
            settings: self.settings,
            source: self.source.clone(),
            journal: self.journal.clone(),
            content_md5: self.content_md5,
            progress: Progress::new(),
            compare_etag: self.compare_etag,
            etags: self.etags.clone(),
            gate: Gate::new(concurrency, self.is_fixed),
        };
        Batch::new(context, self.select.clone(), items)
    }

    /// Uploads the items, calls `observe` when an item ends, and returns the report of all items in input order. It is
    /// [`batch`](Self::batch) and [`Batch::report`] in one call.
    ///
    /// Dropping the future aborts the items under way.
    ///
    /// # Errors
    ///
    /// [`Stopped`], with the whole report, when an item fails for good and failures are not allowed (rule U5).
    pub async fn upload(
        &self,
        items: impl IntoIterator<Item = UploadItem>,
        observe: impl FnMut(&ItemReport),
    ) -> Result<Report, Stopped> {
        self.batch(stream::iter(items)).report(observe).await
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
