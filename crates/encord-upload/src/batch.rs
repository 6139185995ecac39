//! The batch: items in, at most so many under way, outcomes out.

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

/// How many items that are not selected are passed over before others get their turn.
const MAX_ITEMS_PASSED_OVER: usize = 256;

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
    context: Arc<Context>,
    input: Input<S>,
    signing: Signing,
    ready: VecDeque<Numbered>,
    running: JoinSet<ItemReport>,
    under_way: HashMap<Id, UnderWay>,
    /// Outcomes that have been entered and not been given out.
    ended: VecDeque<ItemReport>,
    targets: Targets,
    cancel: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// Nothing more is started.
    stopping: bool,
    stopped: Option<StopCause>,
}

struct UnderWay {
    decision: Decision,
    handle: AbortHandle,
    /// What is reported if it is aborted.
    report: ItemReport,
}

struct Input<S> {
    items: Pin<Box<S>>,
    select: Option<Selection>,
    next: usize,
    at_end: bool,
}

impl<S: Stream<Item = UploadItem>> Batch<S> {
    pub(crate) fn new(context: Context, select: Option<Selection>, items: S) -> Self {
        let context = Arc::new(context);
        Self {
            signing: Signing::new(Arc::clone(&context)),
            context,
            input: Input { items: Box::pin(items), select, next: 0, at_end: false },
            ready: VecDeque::new(),
            running: JoinSet::new(),
            under_way: HashMap::new(),
            ended: VecDeque::new(),
            targets: Targets::default(),
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
        self.context.progress.clone()
    }

    /// The report of all items, when every item has an outcome; `observe` is called with each as it comes.
    ///
    /// Unlike the stream it holds an [`ItemReport`] for every item: path, title and attempts, and for each failed one the headers
    /// of the server's last answer and up to 64 KiB of its body ([`MAX_ERROR_BODY_BYTES`](encord_http::MAX_ERROR_BODY_BYTES)).
    ///
    /// # Errors
    ///
    /// [`Stopped`], with the whole report, when an item fails for good and failures are not allowed (rule U5), and when an item was
    /// cancelled.
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

    /// Takes items from the input, has them signed, and starts them, as far as there is room.
    fn start(&mut self, cx: &mut task::Context<'_>) {
        let room = self.room();
        self.gather(room, cx);
        self.sign(cx);
        for _ in 0..room {
            let Some(item) = self.ready.pop_front() else { break };
            self.spawn(item);
        }
        let not_started = self.input.left().map(|left| left + self.ready.len() + self.signing.len());
        self.context.gate.wait_for_room(not_started, cx.waker());
    }

    /// How many items may be started now. An outcome takes up the room of its item until it is given out.
    fn room(&self) -> usize {
        self.context.gate.room().saturating_sub(self.ended.len())
    }

    /// How many items may be taken now: with a source as many as may be under way at once are prepared ahead of them.
    fn room_ahead(&self, room: usize) -> usize {
        let room = if self.signing.is_possible() {
            self.context.gate.allowed().saturating_sub(self.ended.len())
        } else {
            room.saturating_sub(self.ended.len())
        };
        room.saturating_sub(self.ready.len() + self.signing.len())
    }

    fn gather(&mut self, room: usize, cx: &mut task::Context<'_>) {
        let mut passed_over = 0;
        while !self.stopping && self.room_ahead(room) > 0 {
            match self.input.poll(cx) {
                Poll::Ready(Some(Ok(numbered))) if numbered.item.signed_url.is_some() => self.ready.push_back(numbered),
                Poll::Ready(Some(Ok(numbered))) if self.signing.is_possible() => self.signing.push(numbered),
                // It may have been done before.
                Poll::Ready(Some(Ok(numbered))) if self.context.journal.is_some() => self.ready.push_back(numbered),
                Poll::Ready(Some(Ok(numbered))) => {
                    self.enter(ItemReport::cancelled(&numbered).failed(ItemError::NoUrl), false);
                }
                Poll::Ready(Some(Err(NotSelected))) if passed_over < MAX_ITEMS_PASSED_OVER => passed_over += 1,
                Poll::Ready(Some(Err(NotSelected))) => {
                    cx.waker().wake_by_ref();
                    break;
                }
                Poll::Ready(None) | Poll::Pending => break,
            }
        }
    }

    fn sign(&mut self, cx: &mut task::Context<'_>) {
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

    fn spawn(&mut self, item: Numbered) {
        self.warn_of_an_overwritten_object(&item);
        let report = ItemReport::cancelled(&item);
        self.context.progress.start();
        let arrival = self.context.gate.arrives();
        let decision = Decision::default();
        let handle = self.running.spawn(transfer(Arc::clone(&self.context), item, arrival, decision.clone()));
        self.under_way.insert(handle.id(), UnderWay { decision, handle, report });
    }

    fn warn_of_an_overwritten_object(&mut self, Numbered { index, item, .. }: &Numbered) {
        if let Some(url) = &item.signed_url
            && let Some(earlier) = self.targets.insert(*index, url)
        {
            let (path, first, second) = (item.path.display(), earlier + 1, index + 1);
            warn!(%path, target = %url, "items {first} and {second} have the same target: one overwrites the other");
        }
    }

    fn stop(&mut self) {
        self.stopping = true;
        // What is stored is left to be written into the journal.
        for UnderWay { handle, .. } in self.under_way.values().filter(|item| item.decision.take()) {
            handle.abort();
        }
        for item in take(&mut self.ready).into_iter().chain(self.signing.abort()) {
            self.enter(ItemReport::cancelled(&item), false);
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
            self.enter(report, true);
        }
    }

    /// Enters an outcome, and stops the batch if it has to be.
    fn enter(&mut self, report: ItemReport, was_started: bool) {
        self.context.progress.end(&report, was_started);
        let (index, status) = (report.index, report.status);
        if status == Status::Failed && self.context.settings.allow_failures {
            let error = report.error.as_ref().map(tracing::field::display);
            warn!(path = %report.path.display(), title = report.title, error, "upload failed");
        }
        self.ended.push_back(report);
        match status {
            Status::Failed if !self.context.settings.allow_failures => {
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

    fn poll_outcome(&mut self, cx: &mut task::Context<'_>) -> Poll<Option<ItemReport>> {
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
                Poll::Ready(Some(Ok(item))) => {
                    self.enter(ItemReport::cancelled(&item), false);
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

    fn poll_next(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Option<ItemReport>> {
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
    fn poll(&mut self, cx: &mut task::Context<'_>) -> Poll<Option<Result<Numbered, NotSelected>>> {
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
            Some(if selected { Ok(Numbered::new(index, item)) } else { Err(NotSelected) })
        })
    }

    /// How many items have not been taken, if the stream knows.
    fn left(&self) -> Option<usize> {
        match self.items.size_hint() {
            _ if self.at_end => Some(0),
            (least, Some(most)) if least == most => Some(least),
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
