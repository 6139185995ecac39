//! A batch: takes items from the input, keeps the allowed number under way, and gives out their outcomes.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::mem::take;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll, ready};

use futures_util::Stream;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet, coop};
use tracing::warn;

use crate::context::Context;
use crate::item::{Numbered, UploadItem};
use crate::progress::Progress;
use crate::report::{ItemError, ItemReport, Report, Status, StopCause, Stopped};
use crate::signing::{Signed, Signing};
use crate::target::Targets;
use crate::transfer::{Decision, transfer};

/// How many items that are not selected are skipped in one poll, so that a long list does not block the runtime.
const MAX_SKIPPED_PER_POLL: usize = 256;

/// How many items whose object is overwritten are logged, so that a list of wrong targets does not fill the log.
const MAX_OVERWRITTEN_LOGGED: usize = 10;

/// Decides by position and item which items are taken.
pub(crate) type Selection = Arc<dyn Fn(usize, &UploadItem) -> bool + Send + Sync>;

/// A batch: a stream of outcomes, in the order in which the items end. [`Uploader::batch`] makes it.
///
/// An item is taken from the input shortly before it is sent. With a [source](crate::SignedUrlSource), more items are taken
/// ahead, up to the number that may be under way at once. Nothing is kept of an item after its outcome is given out, so memory
/// depends on the number of items under way only. No item is started unless the stream is polled. After a stop, the rest of the
/// input is still taken, and each of its items is reported as cancelled.
///
/// Dropping the batch aborts the items under way. The earlier outcomes and the journal remain valid.
///
/// [`Uploader::batch`]: crate::Uploader::batch
#[must_use = "nothing is uploaded until the outcomes are polled"]
pub struct Batch<S> {
    context: Arc<Context>,
    input: Input<S>,
    signing: Signing,
    ready: VecDeque<Numbered>,
    running: JoinSet<ItemReport>,
    under_way: HashMap<Id, UnderWay>,
    /// Outcomes that are not given out yet.
    outcomes: VecDeque<ItemReport>,
    targets: Targets,
    overwritten: usize,
    cancel: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// Whether no more items are started.
    is_stopping: bool,
    stopped: Option<StopCause>,
}

struct UnderWay {
    decision: Decision,
    handle: AbortHandle,
    /// The report if the item is aborted.
    report: ItemReport,
}

struct Input<S> {
    items: Pin<Box<S>>,
    select: Option<Selection>,
    next: usize,
    is_at_end: bool,
}

impl<S: Stream<Item = UploadItem>> Batch<S> {
    pub(crate) fn new(context: Context, select: Option<Selection>, items: S) -> Self {
        let context = Arc::new(context);
        Self {
            signing: Signing::new(Arc::clone(&context)),
            context,
            input: Input { items: Box::pin(items), select, next: 0, is_at_end: false },
            ready: VecDeque::new(),
            running: JoinSet::new(),
            under_way: HashMap::new(),
            outcomes: VecDeque::new(),
            targets: Targets::default(),
            overwritten: 0,
            cancel: None,
            is_stopping: false,
            stopped: None,
        }
    }

    /// Cancels the batch when `cancel` is ready: no more items are started, and the items under way are aborted. `cancel` can be
    /// `cancelled_owned()` of a `CancellationToken` of tokio-util.
    pub fn until(mut self, cancel: impl Future<Output = ()> + Send + 'static) -> Self {
        self.cancel = Some(Box::pin(cancel));
        self
    }

    /// Waits for the next outcome. Returns `None` when all outcomes are given out. It is cancel safe: if the future is dropped,
    /// no outcome is lost.
    pub async fn next(&mut self) -> Option<ItemReport> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Why the batch was stopped, if it was. It is [`Cancelled`](StopCause::Cancelled) only after an item was cancelled.
    pub fn stopped(&self) -> Option<StopCause> {
        self.stopped
    }

    /// A view of the progress of the batch.
    pub fn progress(&self) -> Progress {
        self.context.progress.clone()
    }

    /// Waits until all items have ended, and returns the report of all items. `observe` is called when an item ends.
    ///
    /// Unlike the stream, it keeps an [`ItemReport`] of every item in memory: path, title and attempts, and for each failed item
    /// the headers of the server's last answer and up to 64 KiB of its body
    /// ([`MAX_ERROR_BODY_BYTES`](encord_http::MAX_ERROR_BODY_BYTES)).
    ///
    /// # Errors
    ///
    /// [`Stopped`], with the whole report, when an item fails for good and failures are not allowed (rule U5), or when an item
    /// was cancelled.
    pub async fn report(mut self, mut observe: impl FnMut(&ItemReport)) -> Result<Report, Stopped> {
        let mut report = Report::default();
        while let Some(item) = self.next().await {
            observe(&item);
            report.items.push(item);
        }
        report.items.sort_unstable_by_key(|item| item.index);
        match self.stopped {
            None => Ok(report),
            Some(cause) => Err(Stopped { report, cause }),
        }
    }

    /// Takes items from the input, has them signed, and starts as many as the gate allows.
    fn start(&mut self, cx: &mut task::Context<'_>) {
        let free_slots = self.context.gate.free_slots();
        self.gather(free_slots, cx);
        self.sign(cx);
        // An item keeps its slot until its outcome is given out.
        for _ in 0..free_slots.saturating_sub(self.outcomes.len()) {
            let Some(item) = self.ready.pop_front() else { break };
            self.spawn(item);
        }
        let not_started = self.input.left().map(|left| left + self.ready.len() + self.signing.len());
        self.context.gate.set_waker(not_started, cx.waker());
    }

    /// Returns how many items may be taken from the input now. With a source, as many as may be under way at once are taken
    /// ahead.
    fn wanted_items(&self, free_slots: usize) -> usize {
        let slots = if self.signing.is_possible() { self.context.gate.limit() } else { free_slots };
        slots.saturating_sub(self.outcomes.len() + self.ready.len() + self.signing.len())
    }

    /// Takes items from the input.
    fn gather(&mut self, free_slots: usize, cx: &mut task::Context<'_>) {
        while !self.is_stopping && self.wanted_items(free_slots) > 0 {
            match self.input.poll(cx) {
                Poll::Ready(Some(numbered)) if numbered.item.signed_url.is_none() && self.signing.is_possible() => {
                    self.signing.push(numbered);
                }
                // Known before another item is started (rule U5), unless the journal may list the item as done.
                Poll::Ready(Some(numbered)) if numbered.item.signed_url.is_none() && self.context.journal.is_none() => {
                    self.add_outcome(ItemReport::cancelled(&numbered).failed(ItemError::NoUrl), false);
                }
                Poll::Ready(Some(numbered)) => self.ready.push_back(numbered),
                Poll::Ready(None) | Poll::Pending => break,
            }
        }
    }

    fn sign(&mut self, cx: &mut task::Context<'_>) {
        let is_urgent = self.ready.is_empty() || self.input.is_at_end;
        while !self.is_stopping
            && let Poll::Ready(Some(Signed { ready, ended })) = self.signing.poll(cx, is_urgent)
        {
            self.ready.extend(ready);
            for report in ended {
                self.add_outcome(report, false);
            }
        }
    }

    fn spawn(&mut self, item: Numbered) {
        self.warn_of_an_overwritten_object(&item);
        let report = ItemReport::cancelled(&item);
        self.context.progress.start();
        let arrival = self.context.gate.count_arriving();
        let decision = Decision::default();
        let handle = self.running.spawn(transfer(Arc::clone(&self.context), item, arrival, decision.clone()));
        self.under_way.insert(handle.id(), UnderWay { decision, handle, report });
    }

    fn warn_of_an_overwritten_object(&mut self, Numbered { index, item, .. }: &Numbered) {
        if let Some(url) = &item.signed_url
            && let Some(earlier) = self.targets.insert(*index, url)
        {
            self.overwritten += 1;
            if self.overwritten > MAX_OVERWRITTEN_LOGGED {
                return;
            }
            let (path, first, second) = (item.path.display(), earlier + 1, index + 1);
            warn!(%path, target = %url, "items {first} and {second} have the same target: one overwrites the other");
        }
    }

    fn stop(&mut self) {
        self.is_stopping = true;
        // Items that the server has stored are not aborted, so that the journal lists them.
        for UnderWay { handle, .. } in self.under_way.values().filter(|item| item.decision.take()) {
            handle.abort();
        }
        for item in take(&mut self.ready).into_iter().chain(self.signing.abort()) {
            self.add_outcome(ItemReport::cancelled(&item), false);
        }
    }

    fn joined(&mut self, joined: Result<(Id, ItemReport), JoinError>) {
        let report = match joined {
            Ok((id, report)) => {
                self.under_way.remove(&id);
                Some(report)
            }
            Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
            Err(error) => self.under_way.remove(&error.id()).map(|aborted| aborted.report),
        };
        if let Some(report) = report {
            self.add_outcome(report, true);
        }
    }

    /// Adds an outcome, and stops the batch after a failure that is not allowed.
    fn add_outcome(&mut self, report: ItemReport, was_started: bool) {
        self.context.progress.end(&report, was_started);
        let (index, status) = (report.index, report.status);
        if status == Status::Failed && self.context.settings.allow_failures {
            let error = report.error.as_ref().map(tracing::field::display);
            warn!(path = %report.path.display(), title = report.title, error, "upload failed");
        }
        self.outcomes.push_back(report);
        match status {
            Status::Failed if !self.context.settings.allow_failures => {
                self.stopped.get_or_insert(StopCause::Failure { index });
                if !self.is_stopping {
                    self.stop();
                }
            }
            Status::Cancelled if self.is_stopping => {
                self.stopped.get_or_insert(StopCause::Cancelled);
            }
            _ => {}
        }
    }

    fn poll_outcome(&mut self, cx: &mut task::Context<'_>) -> Poll<Option<ItemReport>> {
        // Ended items come first, because nothing may be started after a failure.
        while let Poll::Ready(Some(joined)) = self.running.poll_join_next_with_id(cx) {
            self.joined(joined);
        }
        if !self.is_stopping && self.cancel.as_mut().is_some_and(|cancel| cancel.as_mut().poll(cx).is_ready()) {
            self.stop();
        }
        if !self.is_stopping {
            if coop::has_budget_remaining() {
                self.start(cx);
            } else {
                // An ended item may not have been joined, for lack of budget. It comes first at the next poll.
                cx.waker().wake_by_ref();
            }
        }
        loop {
            if let Some(report) = self.outcomes.pop_front() {
                return Poll::Ready(Some(report));
            }
            match self.running.poll_join_next_with_id(cx) {
                Poll::Ready(Some(joined)) => self.joined(joined),
                Poll::Ready(None) => break,
                Poll::Pending => return Poll::Pending,
            }
        }
        if self.is_stopping {
            match self.input.poll(cx) {
                Poll::Ready(Some(item)) => {
                    self.add_outcome(ItemReport::cancelled(&item), false);
                    return Poll::Ready(self.outcomes.pop_front());
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
        let idle = self.ready.is_empty() && self.signing.len() == 0;
        if idle && self.input.is_at_end { Poll::Ready(None) } else { Poll::Pending }
    }
}

impl<S: Stream<Item = UploadItem>> Stream for Batch<S> {
    type Item = ItemReport;

    fn poll_next(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Option<ItemReport>> {
        let proceed = ready!(coop::poll_proceed(cx));
        let outcome = self.get_mut().poll_outcome(cx);
        if outcome.is_ready() {
            proceed.made_progress();
        }
        outcome
    }
}

impl<S: Stream<Item = UploadItem>> Input<S> {
    /// Returns the next selected item.
    fn poll(&mut self, cx: &mut task::Context<'_>) -> Poll<Option<Numbered>> {
        if self.is_at_end {
            return Poll::Ready(None);
        }
        for _ in 0..MAX_SKIPPED_PER_POLL {
            let Some(item) = ready!(self.items.as_mut().poll_next(cx)) else {
                self.is_at_end = true;
                return Poll::Ready(None);
            };
            let index = self.next;
            self.next += 1;
            if self.select.as_ref().is_none_or(|select| select(index, &item)) {
                return Poll::Ready(Some(Numbered::new(index, item)));
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Returns how many items have not been taken, if the stream knows their number.
    fn left(&self) -> Option<usize> {
        match self.items.size_hint() {
            _ if self.is_at_end => Some(0),
            (lower, Some(upper)) if lower == upper => Some(lower),
            _ => None,
        }
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
