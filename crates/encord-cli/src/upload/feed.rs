//! Passes the items of a manifest to the batch.

use std::io;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use encord_upload::UploadItem;
use encord_upload::formats::Items;
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::mpsc;

use super::lines::{SharedReporter, lock};
use crate::manifest::Source;
use crate::output::Failure;
use crate::runtime::Threads;
use crate::selection::{Choice, Selection};

/// How many items are read at once from the copy of the manifest.
const FED_AT_ONCE: usize = 64;

/// How many such groups are read ahead.
const FED_AHEAD: usize = 4;

/// The items, read by a thread or by the batch.
type Fed = Pin<Box<dyn Stream<Item = UploadItem> + Send>>;

/// The reader of the items.
pub(super) enum Input {
    Thread(JoinHandle<io::Result<()>>),
    /// The batch itself, because no thread is allowed.
    Batch,
}

/// Returns the items to upload. Items that an earlier report lists as uploaded are added to the report.
///
/// A separate thread reads them, so that a disk that hangs does not block the uploads under way.
///
/// # Errors
///
/// The thread cannot be started.
pub(super) fn items(
    manifest: &Source,
    selection: &Arc<Selection>,
    reporter: &SharedReporter,
    threads: Threads,
) -> Result<(Fed, Input), Failure> {
    let (selection, reporter) = (Arc::clone(selection), Arc::clone(reporter));
    let report_skipped = move |index: usize, item: &UploadItem| {
        if selection.of(item) == Choice::Uploaded
            && let Some(reporter) = &mut *lock(&reporter)
        {
            reporter.add_skipped(index, item);
        }
    };
    let items = manifest.items();
    if threads == Threads::Few {
        let items = items.map_while(Result::ok).enumerate();
        let items = items.map(move |(index, item)| {
            report_skipped(index, &item);
            item
        });
        return Ok((Box::pin(stream::iter(items)), Input::Batch));
    }
    let (sender, mut receiver) = mpsc::channel(FED_AHEAD);
    let read = move || feed(items, report_skipped, &sender);
    let thread = thread::Builder::new().name("manifest".to_owned()).spawn(read);
    let thread = thread.map_err(|error| Failure::failed(format_args!("cannot start a thread: {error}")))?;
    let fed = stream::poll_fn(move |cx| receiver.poll_recv(cx)).flat_map(stream::iter);
    Ok((Box::pin(fed), Input::Thread(thread)))
}

/// Returns the positions of the items of the run, and the current lengths of their files.
pub(super) fn lengths(
    manifest: &Source,
    selection: &Arc<Selection>,
) -> impl Iterator<Item = (usize, u64)> + Send + 'static {
    let selection = Arc::clone(selection);
    let items = manifest.items().map_while(Result::ok).enumerate();
    let taken = items.filter(move |(_, item)| selection.of(item) == Choice::Taken);
    taken.map(|(index, item)| (index, item.path.metadata().map_or(0, |file| file.len())))
}

impl Input {
    /// Returns an error if an item could not be read.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let Self::Thread(thread) = self else { return Ok(()) };
        let read = thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        read.map_err(|error| Failure::failed(format_args!("cannot read the copy of the manifest: {error}")))
    }
}

fn feed(
    items: Items,
    report_skipped: impl Fn(usize, &UploadItem),
    sender: &mpsc::Sender<Vec<UploadItem>>,
) -> io::Result<()> {
    let mut items = items.enumerate().peekable();
    while items.peek().is_some() {
        let mut some = Vec::with_capacity(FED_AT_ONCE);
        for (index, item) in items.by_ref().take(FED_AT_ONCE) {
            let item = item?;
            report_skipped(index, &item);
            some.push(item);
        }
        if sender.blocking_send(some).is_err() {
            break;
        }
    }
    Ok(())
}
