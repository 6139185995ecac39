//! What a batch is made with, and the batch as one call.

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

/// The most items under way at once unless [`Uploader::concurrency`] says otherwise. How many there are below it is found out.
pub const DEFAULT_CONCURRENCY: usize = CAP_ATTEMPTS;

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
    /// An uploader over `client`. What `settings` leaves open is inherited from the client's settings (rules U1–U3).
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

    /// The most items under way at once. Default: [`DEFAULT_CONCURRENCY`]. Below it, for each host, the number grows while that makes
    /// the whole faster, and shrinks when the host says that it is overloaded (rule U10). It is less where the process may not open
    /// so many files: three for each item, and 64 for the rest of the process. Zero counts as one.
    #[must_use]
    pub fn concurrency(self, most: usize) -> Self {
        Self { concurrency: most, is_fixed: false, ..self }
    }

    /// Always this many items under way: for benchmarks, which compare it with what is found out.
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

    /// Compares the `ETag` of an answer to a URL signed for S3, where it looks like an MD5 and no other hash speaks for the object.
    /// A difference is a warning, as not every store has an MD5 there; once an `ETag` of the same host has been the MD5 of a file,
    /// it is a fault like another wrong hash. Default: on. Off saves the computing of the MD5.
    #[must_use]
    pub fn compare_etag(mut self, compare: bool) -> Self {
        self.compare_etag = compare;
        self
    }

    /// The settings that apply to each upload.
    pub fn settings(&self) -> &EffectiveUploadSettings {
        &self.settings
    }

    /// Begins a batch: nothing happens until the outcomes are asked for. Each item has its own budgets and clocks (rule U7). Needs
    /// a tokio runtime with time and I/O enabled.
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

    /// Uploads the items, calls `observe` as each of them ends, and gives the report of all in input order: a
    /// [batch](Self::batch), and its [report](Batch::report).
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
