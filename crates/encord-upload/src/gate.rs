//! The gate that every attempt waits at before it starts. [`Pace`] decides how many attempts each origin gets; the gate
//! makes them wait.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use encord_http::Origin;
use tokio::sync::{Mutex as Turn, Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use tracing::debug;

use crate::pace::{Change, Feedback, Next, Pace, START_ATTEMPTS, Started};

/// How many items may wait for a pass or for their next attempt, in addition to the items under way.
const MAX_WAITING_ITEMS: usize = 512;

/// The paces of a batch, and the items that wait for them.
#[derive(Debug)]
pub(crate) struct Gate {
    /// The highest number of attempts under way, for all origins together.
    cap: usize,
    /// Whether the number of attempts under way is fixed, for comparisons.
    is_fixed: bool,
    permits: Arc<Semaphore>,
    queues: Mutex<HashMap<Origin, Arc<OriginQueue>>>,
    /// Items that were started and have not reached the gate.
    arriving: AtomicUsize,
    /// Items that wait for their turn, and those that wait for their next attempt.
    waiting: AtomicUsize,
    /// Items that have not been started; [`usize::MAX`] if their number is not known.
    not_started: AtomicUsize,
    /// Wakes the batch, which may start another item after a change.
    batch: Mutex<Option<Waker>>,
}

/// The queue for one origin.
#[derive(Debug)]
struct OriginQueue {
    name: String,
    pace: Mutex<Pace>,
    /// Held by the attempt that is next, because passes are given out one after the other.
    turn: Turn<()>,
    /// Signals that the pace may allow another attempt.
    changed: Notify,
    waiting: AtomicUsize,
}

/// The right to make one attempt. If it is dropped before [`end`](Self::end), the attempt was aborted.
#[derive(Debug)]
pub(crate) struct Pass {
    gate: Arc<Gate>,
    queue: Arc<OriginQueue>,
    started: Option<Started>,
    /// The part of the wait for this pass that the origin had asked for.
    hold_time: Duration,
    permit: Option<OwnedSemaphorePermit>,
}

/// Counts an item in one of the counters until it is dropped.
#[derive(Debug)]
pub(crate) struct CountGuard {
    gate: Arc<Gate>,
    count: fn(&Gate) -> &AtomicUsize,
}

impl Gate {
    /// Makes a gate for at most `cap` attempts at once.
    pub(crate) fn new(cap: usize, is_fixed: bool) -> Arc<Self> {
        Arc::new(Self {
            cap,
            is_fixed,
            permits: Arc::new(Semaphore::new(cap)),
            queues: Mutex::default(),
            arriving: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            not_started: AtomicUsize::new(usize::MAX),
            batch: Mutex::default(),
        })
    }

    /// Waits for a pass to this origin. `arrival` is dropped when the wait begins.
    pub(crate) async fn pass(self: &Arc<Self>, origin: &Origin, arrival: Option<CountGuard>) -> Pass {
        let queue = self.queue(origin);
        let arrived = Instant::now();
        let _waiting = self.count_waiting();
        let _queued = Queued::enter(&queue);
        drop(arrival);
        let _turn = queue.turn.lock().await;
        let mut permit = None;
        loop {
            let now = Instant::now();
            let next = queue.pace().next(now, self.left());
            match (next, permit.take()) {
                (Next::Now, Some(permit)) => {
                    let mut pace = queue.pace();
                    let (started, hold_time) = (pace.begin(now), pace.held_since(arrived, now));
                    drop(pace);
                    return Pass {
                        gate: Arc::clone(self),
                        queue: Arc::clone(&queue),
                        started: Some(started),
                        hold_time,
                        permit: Some(permit),
                    };
                }
                // After it gets a permit, the loop asks the pace again.
                (Next::Now, None) => permit = Arc::clone(&self.permits).acquire_owned().await.ok(),
                (Next::At(at), _) => drop(timeout_at(at, queue.changed.notified()).await),
                (Next::Full, _) => queue.changed.notified().await,
            }
        }
    }

    /// Returns how many more items may be started now.
    pub(crate) fn free_slots(&self) -> usize {
        if self.waiting.load(Relaxed) >= MAX_WAITING_ITEMS.min(4 * self.cap) {
            return 0;
        }
        let now = Instant::now();
        let queues = self.queues();
        let free = queues.values().map(|queue| queue.free_slots(now)).sum::<usize>();
        let free = if queues.is_empty() { self.start_limit() } else { free.min(self.permits.available_permits()) };
        free.saturating_sub(self.arriving.load(Relaxed))
    }

    /// Returns how many attempts may be under way now.
    pub(crate) fn limit(&self) -> usize {
        let queues = self.queues();
        if queues.is_empty() {
            self.start_limit()
        } else {
            queues.values().map(|queue| queue.pace().limit()).sum::<usize>().min(self.cap)
        }
    }

    /// Counts an item as started, until it reaches the gate and the result is dropped.
    pub(crate) fn count_arriving(self: &Arc<Self>) -> CountGuard {
        CountGuard::new(self, |gate| &gate.arriving)
    }

    /// Counts an item as waiting. A waiting item does not count as under way.
    pub(crate) fn count_waiting(self: &Arc<Self>) -> CountGuard {
        CountGuard::new(self, |gate| &gate.waiting)
    }

    /// Sets how many items have not been started, if known, and the waker to call when another item may start.
    pub(crate) fn set_waker(&self, not_started: Option<usize>, waker: &Waker) {
        self.not_started.store(not_started.unwrap_or(usize::MAX), Relaxed);
        let mut batch = self.batch.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *batch {
            Some(batch) => batch.clone_from(waker),
            None => *batch = Some(waker.clone()),
        }
    }

    fn start_limit(&self) -> usize {
        if self.is_fixed { self.cap } else { START_ATTEMPTS.min(self.cap) }
    }

    /// Returns how many items are left, without the items under way.
    fn left(&self) -> Option<usize> {
        let not_started = Some(self.not_started.load(Relaxed)).filter(|count| *count < usize::MAX)?;
        Some(not_started + self.waiting.load(Relaxed) + self.arriving.load(Relaxed))
    }

    fn queue(&self, origin: &Origin) -> Arc<OriginQueue> {
        let mut queues = self.queues();
        if let Some(queue) = queues.get(origin) {
            return Arc::clone(queue);
        }
        let pace = if self.is_fixed { Pace::fixed(self.cap) } else { Pace::new(self.cap) };
        let queue = Arc::new(OriginQueue {
            name: origin.to_string(),
            pace: Mutex::new(pace),
            turn: Turn::default(),
            changed: Notify::new(),
            waiting: AtomicUsize::new(0),
        });
        queues.insert(origin.clone(), Arc::clone(&queue));
        queue
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<Origin, Arc<OriginQueue>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake_batch(&self) {
        let batch = self.batch.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(batch) = batch {
            batch.wake();
        }
    }
}

impl OriginQueue {
    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how many more items may be started. While the origin is held, one item may wait for it, so that the batch
    /// continues when the hold ends.
    fn free_slots(&self, now: Instant) -> usize {
        let pace = self.pace();
        let limit = if pace.is_held(now) { 1 } else { pace.limit() };
        limit.saturating_sub(pace.under_way() + self.waiting.load(Relaxed))
    }

    fn log(&self, change: Change) {
        let Change { attempts, spacing, because } = change;
        if spacing.is_zero() {
            debug!(target: "encord::upload", origin = self.name, at_once = attempts, because, "pace");
        } else {
            debug!(target: "encord::upload", origin = self.name, at_once = attempts, ?spacing, because, "pace");
        }
    }
}

impl Pass {
    /// Returns the part of the wait for this pass that the origin had asked for.
    pub(crate) fn hold_time(&self) -> Duration {
        self.hold_time
    }

    /// Reports the end of the attempt.
    pub(crate) fn end(mut self, feedback: Feedback) {
        if let Some(started) = self.started.take() {
            let change = self.queue.pace().end(started, feedback, Instant::now(), self.gate.left());
            if let Some(change) = change {
                self.queue.log(change);
            }
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.started.is_some() {
            self.queue.pace().abort();
        }
        self.permit = None;
        self.queue.changed.notify_one();
        self.gate.wake_batch();
    }
}

impl CountGuard {
    fn new(gate: &Arc<Gate>, count: fn(&Gate) -> &AtomicUsize) -> Self {
        count(gate).fetch_add(1, Relaxed);
        Self { gate: Arc::clone(gate), count }
    }
}

impl Drop for CountGuard {
    fn drop(&mut self) {
        (self.count)(&self.gate).fetch_sub(1, Relaxed);
        self.gate.wake_batch();
    }
}

/// Counts an attempt as waiting in a queue until it is dropped.
struct Queued<'a>(&'a OriginQueue);

impl<'a> Queued<'a> {
    fn enter(queue: &'a OriginQueue) -> Self {
        queue.waiting.fetch_add(1, Relaxed);
        Self(queue)
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Relaxed);
    }
}
