//! The batch: items in, at most so many under way, outcomes out.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::mem::take;
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::Stream;
use tokio::task::{self, JoinError, JoinSet, coop};
use tracing::warn;

use crate::item::UploadItem;
use crate::progress::Progress;
use crate::report::{ItemError, ItemReport, Status, StopCause};
use crate::signing::{Signed, Signing};
use crate::transfer::{BatchContext, transfer};

/// How many items that are not selected are passed over before others get their turn.
const PASSED_OVER: usize = 256;

/// Says which items are taken, by place and item.
pub(crate) type Selection = Arc<dyn Fn(usize, &UploadItem) -> bool + Send + Sync>;

/// A batch under way: a stream of outcomes, in the order in which the items end. Made by [`Uploader::batch`].
///
/// Items are taken from the input only as they are sent, with a [source](crate::SignedUrlSource) up to as many more as may be
/// under way at once; nothing is held of one whose outcome was given out. So memory follows the number of items under way. No
/// item is started while nobody asks for outcomes. After a stop the rest of the input is still taken, to report each item as
/// cancelled.
///
/// Dropping it aborts what is under way; what was given out until then, and the journal, remain true.
///
/// [`Uploader::batch`]: crate::Uploader::batch
#[must_use = "nothing is uploaded until the outcomes are asked for"]
pub struct Batch<S> {
    shared: Arc<BatchContext>,
    input: Input<S>,
    concurrency: NonZeroUsize,
    signing: Signing,
    ready: VecDeque<Numbered>,
    running: JoinSet<ItemReport>,
    /// What is reported of a running item if it is aborted.
    under_way: HashMap<task::Id, ItemReport>,
    /// Outcomes that have been entered and not been given out.
    ended: VecDeque<ItemReport>,
    cancel: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// Nothing more is started.
    stopping: bool,
    stopped: Option<StopCause>,
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
            ended: VecDeque::new(),
            cancel: None,
            stopping: false,
            stopped: None,
        }
    }

    /// Cancels the batch when `cancel` is ready: nothing further is started, and what is under way is aborted. A
    /// `CancellationToken` of tokio-util will do, by its `cancelled_owned`.
    pub fn until(mut self, cancel: impl Future<Output = ()> + Send + 'static) -> Self {
        self.cancel = Some(Box::pin(cancel));
        self
    }

    /// The next outcome; `None` when every item has one. Cancel safe: a call that is dropped takes no outcome with it.
    pub async fn next(&mut self) -> Option<ItemReport> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Why the batch was stopped, if it was. It is not [`Cancelled`](StopCause::Cancelled) before an item has been.
    pub fn stopped(&self) -> Option<StopCause> {
        self.stopped
    }

    /// A view of how far the batch is.
    pub fn progress(&self) -> Progress {
        self.shared.progress.clone()
    }

    /// Takes items from the input, has them signed, and starts them, as far as there is room.
    fn start(&mut self, cx: &mut Context<'_>) {
        self.gather(cx);
        self.sign(cx);
        while self.room() > 0
            && let Some(numbered) = self.ready.pop_front()
        {
            self.spawn(numbered);
        }
    }

    /// How many items may be started now. An outcome takes up the room of its item until it is given out.
    fn room(&self) -> usize {
        self.concurrency.get().saturating_sub(self.running.len() + self.ended.len())
    }

    /// How many items may be taken now: with a source as many as may be under way at once are prepared ahead of them.
    fn room_ahead(&self) -> usize {
        let room = if self.signing.is_possible() {
            self.concurrency.get().saturating_sub(self.ended.len())
        } else {
            self.room()
        };
        room.saturating_sub(self.ready.len() + self.signing.len())
    }

    fn gather(&mut self, cx: &mut Context<'_>) {
        let mut passed_over = 0;
        while !self.stopping && self.room_ahead() > 0 {
            match self.input.poll(cx) {
                Poll::Ready(Some(Ok(numbered))) if numbered.item.signed_url.is_some() => self.ready.push_back(numbered),
                Poll::Ready(Some(Ok(numbered))) if self.signing.is_possible() => self.signing.push(numbered),
                // It may have been done before.
                Poll::Ready(Some(Ok(numbered))) if self.shared.journal.is_some() => self.ready.push_back(numbered),
                Poll::Ready(Some(Ok(numbered))) => self.enter(numbered.failed(ItemError::NoUrl), false),
                Poll::Ready(Some(Err(NotSelected))) if passed_over < PASSED_OVER => passed_over += 1,
                Poll::Ready(Some(Err(NotSelected))) => {
                    cx.waker().wake_by_ref();
                    break;
                }
                Poll::Ready(None) | Poll::Pending => break,
            }
        }
    }

    fn sign(&mut self, cx: &mut Context<'_>) {
        let pressing = self.ready.is_empty() || self.input.at_end;
        while !self.stopping
            && let Poll::Ready(Some(Signed { ready, ended })) = self.signing.poll(cx, pressing)
        {
            self.ready.extend(ready);
            for report in ended {
                self.enter(report, false);
            }
        }
    }

    fn spawn(&mut self, Numbered { index, item }: Numbered) {
        let report = ItemReport::cancelled(index, &item);
        self.shared.progress.start();
        let handle = self.running.spawn(transfer(Arc::clone(&self.shared), item, report.clone()));
        self.under_way.insert(handle.id(), report);
    }

    fn stop(&mut self) {
        self.stopping = true;
        self.running.abort_all();
        for Numbered { index, item } in take(&mut self.ready).into_iter().chain(self.signing.abort()) {
            self.enter(ItemReport::cancelled(index, &item), false);
        }
    }

    fn joined(&mut self, joined: Result<(task::Id, ItemReport), JoinError>) {
        let report = match joined {
            Ok((id, report)) => {
                self.under_way.remove(&id);
                Some(report)
            }
            Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
            Err(error) => self.under_way.remove(&error.id()),
        };
        if let Some(report) = report {
            self.enter(report, true);
        }
    }

    /// Enters an outcome, and stops the batch if it has to be.
    fn enter(&mut self, report: ItemReport, was_started: bool) {
        self.shared.progress.end(&report, was_started);
        let (index, status) = (report.index, report.status);
        if status == Status::Failed && self.shared.settings.allow_failures {
            let error = report.error.as_ref().map(tracing::field::display);
            warn!(path = %report.path.display(), title = report.title, error, "upload failed");
        }
        self.ended.push_back(report);
        match status {
            Status::Failed if !self.shared.settings.allow_failures => {
                self.stopped.get_or_insert(StopCause::Failure { index });
                if !self.stopping {
                    self.stop();
                }
            }
            Status::Cancelled if self.stopping => {
                self.stopped.get_or_insert(StopCause::Cancelled);
            }
            _ => {}
        }
    }

    fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Option<ItemReport>> {
        // All that have ended come first: one of them may be a failure, after which nothing is started.
        while let Poll::Ready(Some(joined)) = self.running.poll_join_next_with_id(cx) {
            self.joined(joined);
        }
        if !self.stopping && self.cancel.as_mut().is_some_and(|cancel| cancel.as_mut().poll(cx).is_ready()) {
            self.stop();
        }
        if !self.stopping {
            if coop::has_budget_remaining() {
                self.start(cx);
            } else {
                // There may be one that could not be joined; it is next.
                cx.waker().wake_by_ref();
            }
        }
        loop {
            if let Some(report) = self.ended.pop_front() {
                return Poll::Ready(Some(report));
            }
            match self.running.poll_join_next_with_id(cx) {
                Poll::Ready(Some(joined)) => self.joined(joined),
                Poll::Ready(None) => break,
                Poll::Pending => return Poll::Pending,
            }
        }
        while self.stopping {
            match self.input.poll(cx) {
                Poll::Ready(Some(Ok(Numbered { index, item }))) => {
                    self.enter(ItemReport::cancelled(index, &item), false);
                    return Poll::Ready(self.ended.pop_front());
                }
                Poll::Ready(Some(Err(NotSelected))) => {}
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
        let idle = self.ready.is_empty() && self.signing.len() == 0;
        if idle && self.input.at_end { Poll::Ready(None) } else { Poll::Pending }
    }
}

impl<S: Stream<Item = UploadItem>> Stream for Batch<S> {
    type Item = ItemReport;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ItemReport>> {
        let proceed = ready!(coop::poll_proceed(cx));
        let outcome = self.get_mut().poll_outcome(cx);
        if outcome.is_ready() {
            proceed.made_progress();
        }
        outcome
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
