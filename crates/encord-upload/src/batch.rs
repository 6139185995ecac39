//! The batch: items in, at most so many under way, outcomes out.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::Stream;
use tokio::task::{self, JoinError, JoinSet};
use tracing::warn;

use crate::item::UploadItem;
use crate::progress::Progress;
use crate::report::{ItemError, ItemReport, Status};
use crate::signing::{Signed, Signing};
use crate::transfer::{BatchContext, transfer};

/// How many items that are not selected are passed over before others get their turn.
const PASSED_OVER: usize = 256;

/// Says which items are taken, by place and item.
pub(crate) type Selection = Arc<dyn Fn(usize, &UploadItem) -> bool + Send + Sync>;

/// A batch under way: a stream of outcomes, in the order in which the items end. Made by [`Uploader::batch`].
///
/// Items are taken from the input only as they are sent, and nothing is held of one that has ended, so memory follows the number
/// of items under way. After a stop the rest of the input is still taken, to report each item as cancelled.
///
/// Dropping it aborts what is under way; what was given out until then, and the journal, remain true.
///
/// [`Uploader::batch`]: crate::Uploader::batch
pub struct Batch<S> {
    shared: Arc<BatchContext>,
    input: Input<S>,
    concurrency: NonZeroUsize,
    signing: Signing,
    ready: VecDeque<Numbered>,
    running: JoinSet<ItemReport>,
    /// What is reported of a running item if it is aborted.
    under_way: HashMap<task::Id, ItemReport>,
    /// Outcomes of items that were never started.
    unstarted: VecDeque<ItemReport>,
    cancel: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    stopped: Option<StopCause>,
}

/// Why a batch ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopCause {
    /// The item at this place failed, and failures are not allowed (rule U5).
    Failure {
        /// Its place in the input, from 0.
        index: usize,
    },
    /// It was cancelled.
    Cancelled,
}

/// An item, and its place in the input.
pub(crate) struct Numbered {
    pub(crate) index: usize,
    pub(crate) item: UploadItem,
}

struct Input<S> {
    items: Pin<Box<S>>,
    select: Option<Selection>,
    next: usize,
    at_end: bool,
}

impl<S: Stream<Item = UploadItem>> Batch<S> {
    pub(crate) fn new(shared: BatchContext, concurrency: NonZeroUsize, select: Option<Selection>, items: S) -> Self {
        let shared = Arc::new(shared);
        Self {
            signing: Signing::new(Arc::clone(&shared), concurrency),
            shared,
            input: Input { items: Box::pin(items), select, next: 0, at_end: false },
            concurrency,
            ready: VecDeque::new(),
            running: JoinSet::new(),
            under_way: HashMap::new(),
            unstarted: VecDeque::new(),
            cancel: None,
            stopped: None,
        }
    }

    /// Cancels the batch when `cancel` is ready: nothing further is started, and what is under way is aborted. A
    /// `CancellationToken` of tokio-util will do, by its `cancelled_owned`.
    #[must_use]
    pub fn until(mut self, cancel: impl Future<Output = ()> + Send + 'static) -> Self {
        self.cancel = Some(Box::pin(cancel));
        self
    }

    /// The next outcome; `None` when every item has one.
    pub async fn next(&mut self) -> Option<ItemReport> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Why the batch was stopped, if it was.
    pub fn stopped(&self) -> Option<StopCause> {
        self.stopped
    }

    /// A view of how far the batch is.
    pub fn progress(&self) -> Progress {
        self.shared.progress.clone()
    }

    /// Takes items from the input, has them signed, and starts them, as far as there is room.
    fn start(&mut self, cx: &mut Context<'_>) {
        let mut passed_over = 0;
        loop {
            while self.running.len() < self.concurrency.get()
                && let Some(numbered) = self.ready.pop_front()
            {
                self.spawn(numbered);
            }
            let ahead = self.ready.len() + self.signing.len();
            let room = if self.signing.is_possible() {
                ahead < self.concurrency.get()
            } else {
                ahead + self.running.len() < self.concurrency.get()
            };
            if !room {
                break;
            }
            match self.input.poll(cx) {
                Poll::Ready(Some(Ok(numbered))) if numbered.item.signed_url.is_some() => self.ready.push_back(numbered),
                Poll::Ready(Some(Ok(numbered))) if self.signing.is_possible() => self.signing.push(numbered),
                Poll::Ready(Some(Ok(numbered))) => self.unstarted.push_back(numbered.failed(ItemError::NoUrl)),
                Poll::Ready(Some(Err(NotSelected))) if passed_over < PASSED_OVER => passed_over += 1,
                Poll::Ready(Some(Err(NotSelected))) => {
                    cx.waker().wake_by_ref();
                    break;
                }
                Poll::Ready(None) | Poll::Pending => break,
            }
        }
        let pressing = self.ready.is_empty() || self.input.at_end;
        while let Poll::Ready(Some(signed)) = self.signing.poll(cx, pressing) {
            for signed in signed {
                match signed {
                    Signed::Ready(numbered) if self.running.len() < self.concurrency.get() => self.spawn(numbered),
                    Signed::Ready(numbered) => self.ready.push_back(numbered),
                    Signed::Ended(report) => self.unstarted.push_back(report),
                }
            }
        }
    }

    fn spawn(&mut self, Numbered { index, item }: Numbered) {
        let report = ItemReport::cancelled(index, &item);
        self.shared.progress.start();
        let handle = self.running.spawn(transfer(Arc::clone(&self.shared), item, report.clone()));
        self.under_way.insert(handle.id(), report);
    }

    fn stop(&mut self, cause: StopCause) {
        self.stopped = Some(cause);
        self.running.abort_all();
        let waiting = self.ready.drain(..).chain(self.signing.abort());
        self.unstarted.extend(waiting.map(|Numbered { index, item }| ItemReport::cancelled(index, &item)));
    }

    fn joined(&mut self, joined: Result<(task::Id, ItemReport), JoinError>) -> Option<ItemReport> {
        match joined {
            Ok((id, report)) => {
                self.under_way.remove(&id);
                Some(report)
            }
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(error) => self.under_way.remove(&error.id()),
        }
    }

    /// Enters an outcome, and stops the batch if it has to be.
    fn enter(&mut self, report: ItemReport, was_started: bool) -> ItemReport {
        self.shared.progress.end(&report, was_started);
        if report.status == Status::Failed {
            if self.shared.settings.allow_failures {
                let error = report.error.as_ref().map(tracing::field::display);
                warn!(path = %report.path.display(), title = report.title, error, "upload failed");
            } else if self.stopped.is_none() {
                self.stop(StopCause::Failure { index: report.index });
            }
        }
        report
    }
}

impl<S: Stream<Item = UploadItem>> Stream for Batch<S> {
    type Item = ItemReport;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ItemReport>> {
        let this = self.get_mut();
        if this.stopped.is_none() && this.cancel.as_mut().is_some_and(|cancel| cancel.as_mut().poll(cx).is_ready()) {
            this.stop(StopCause::Cancelled);
        }
        if this.stopped.is_none() {
            this.start(cx);
        }
        while let Poll::Ready(Some(joined)) = this.running.poll_join_next_with_id(cx) {
            if let Some(report) = this.joined(joined) {
                return Poll::Ready(Some(this.enter(report, true)));
            }
        }
        if let Some(report) = this.unstarted.pop_front() {
            return Poll::Ready(Some(this.enter(report, false)));
        }
        while this.stopped.is_some() && this.running.is_empty() {
            match this.input.poll(cx) {
                Poll::Ready(Some(Ok(Numbered { index, item }))) => {
                    let report = ItemReport::cancelled(index, &item);
                    return Poll::Ready(Some(this.enter(report, false)));
                }
                Poll::Ready(Some(Err(NotSelected))) => {}
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
        let idle = this.running.is_empty() && this.ready.is_empty() && this.signing.len() == 0;
        if idle && this.input.at_end { Poll::Ready(None) } else { Poll::Pending }
    }
}

/// The item belongs to another run.
struct NotSelected;

impl<S: Stream<Item = UploadItem>> Input<S> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Numbered, NotSelected>>> {
        if self.at_end {
            return Poll::Ready(None);
        }
        self.items.as_mut().poll_next(cx).map(|item| {
            let Some(item) = item else {
                self.at_end = true;
                return None;
            };
            let index = self.next;
            self.next += 1;
            let selected = self.select.as_ref().is_none_or(|select| select(index, &item));
            Some(if selected { Ok(Numbered { index, item }) } else { Err(NotSelected) })
        })
    }
}

impl Numbered {
    pub(crate) fn failed(&self, error: ItemError) -> ItemReport {
        ItemReport::cancelled(self.index, &self.item).failed(error)
    }
}

impl<S> fmt::Debug for Batch<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("running", &self.running.len())
            .field("stopped", &self.stopped)
            .finish_non_exhaustive()
    }
}
