//! The threads that read and hash files: a few threads, each busy as long as there is work.
//!
//! If each read were a blocking task of the runtime, it would get its own thread, and the threads would spend more time on waking
//! each other than on reading. The threads belong to the runtime whose request needs them, so that a runtime that ends waits only
//! for its own files.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::thread;

use tokio::runtime::{Handle, Id};
use tokio::sync::oneshot;

/// Threads per core: while one waits for the disk, another copies and hashes its data.
const THREADS_PER_CORE: usize = 2;

/// The smallest number of threads. Disks and network file systems need several requests at once, even if there are few cores.
const MIN_THREADS: usize = 4;

type Job = Box<dyn FnOnce() + Send>;

/// The readers of one client. Clones share the same threads.
#[derive(Clone)]
pub(crate) struct Readers {
    queues: Arc<Mutex<Queues>>,
    max_threads: usize,
}

/// The queues of the runtimes that have work.
type Queues = HashMap<Id, Queue>;

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// How many threads take jobs.
    threads: usize,
}

/// A job that waits for a reader or runs on one. If it is dropped before a reader starts it, the job is not run.
pub(super) struct JobHandle<T>(oneshot::Receiver<T>);

/// The job did not finish: it panicked, or the runtime was shut down.
#[derive(Debug, thiserror::Error)]
#[error("reading was cut off")]
pub(super) struct JobLost;

impl Readers {
    pub(crate) fn new() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self { queues: Arc::default(), max_threads: (THREADS_PER_CORE * cores).max(MIN_THREADS) }
    }

    /// Queues a job for the readers.
    pub(super) fn spawn<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> JobHandle<T> {
        let (sender, receiver) = oneshot::channel();
        let job = Box::new(move || {
            if !sender.is_closed() {
                let _ = sender.send(job());
            }
        });
        let runtime = Handle::current().id();
        let mut queues = lock(&self.queues);
        let queue = queues.entry(runtime).or_default();
        queue.jobs.push_back(job);
        if queue.threads < self.max_threads {
            queue.threads += 1;
            drop(queues);
            let reader = Reader { queues: Arc::clone(&self.queues), runtime, is_counted: true };
            tokio::task::spawn_blocking(move || reader.run());
        }
        JobHandle(receiver)
    }
}

impl<T> Future for JobHandle<T> {
    type Output = Result<T, JobLost>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map_err(|_| JobLost)
    }
}

/// A thread that takes the jobs of a runtime until there are none.
struct Reader {
    queues: Arc<Mutex<Queues>>,
    runtime: Id,
    is_counted: bool,
}

impl Reader {
    fn run(mut self) {
        while let Some(job) = self.next_job() {
            // A panic drops the job's sender, so its receiver gets an error. The jobs behind it are not affected.
            drop(catch_unwind(AssertUnwindSafe(job)));
        }
    }

    fn next_job(&mut self) -> Option<Job> {
        let mut queues = lock(&self.queues);
        let job = queues.get_mut(&self.runtime).and_then(|queue| queue.jobs.pop_front());
        if job.is_none() {
            drop(remove_thread(&mut queues, self.runtime));
            self.is_counted = false;
        }
        job
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if self.is_counted {
            // The reader never started, because the runtime has shut down. The receivers of the remaining jobs get an error.
            let left = remove_thread(&mut lock(&self.queues), self.runtime);
            drop(left);
        }
    }
}

/// Counts one thread less. The last thread removes the queue and returns it with the remaining jobs.
fn remove_thread(queues: &mut Queues, runtime: Id) -> Option<Queue> {
    let queue = queues.get_mut(&runtime)?;
    queue.threads -= 1;
    if queue.threads == 0 { queues.remove(&runtime) } else { None }
}

fn lock(queues: &Mutex<Queues>) -> MutexGuard<'_, Queues> {
    queues.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers").field("max_threads", &self.max_threads).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn as_many_run_as_are_allowed_and_all_is_done() {
        let readers = Readers { max_threads: 3, ..Readers::new() };
        let (running, peak) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let barrier = Arc::new(Barrier::new(3));
        let reads: Vec<_> = (0..300)
            .map(|number| {
                let (running, peak, barrier) = (Arc::clone(&running), Arc::clone(&peak), Arc::clone(&barrier));
                readers.spawn(move || {
                    let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                    peak.fetch_max(now, Ordering::SeqCst);
                    // The barrier opens for three at a time, so three threads are running.
                    barrier.wait();
                    running.fetch_sub(1, Ordering::SeqCst);
                    number
                })
            })
            .collect();
        for (number, read) in reads.into_iter().enumerate() {
            assert_eq!(read.await.expect("done"), number);
        }
        assert_eq!(peak.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_not_done() {
        let readers = Readers { max_threads: 1, ..Readers::new() };
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let first = readers.spawn(move || wait.recv());
        let done = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&done);
        drop(readers.spawn(move || count.fetch_add(1, Ordering::SeqCst)));
        let last = readers.spawn(|| ());
        go.send(()).expect("heard");
        first.await.expect("done").expect("heard");
        last.await.expect("done");
        assert_eq!(done.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn a_panic_is_told_and_the_next_is_done() {
        let readers = Readers { max_threads: 1, ..Readers::new() };
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let broken = readers.spawn(move || assert!(wait.recv().is_ok() && readers_are_broken(), "on purpose"));
        // This job waits until the first one has panicked.
        let next = readers.spawn(|| 7);
        go.send(()).expect("begun");
        assert_eq!(broken.await.expect_err("told").to_string(), "reading was cut off");
        assert_eq!(next.await.expect("done"), 7);
        assert_eq!(readers.spawn(|| 8).await.expect("done"), 8);
    }

    #[test]
    fn a_runtime_that_ends_does_not_wait_for_the_files_of_another() {
        let runtime = || tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let (first, second) = (runtime(), runtime());
        let readers = Readers { max_threads: 1, ..Readers::new() };
        let start = |runtime: &tokio::runtime::Runtime| {
            let (go, wait) = std::sync::mpsc::channel::<()>();
            let _entered = runtime.enter();
            (go, readers.spawn(move || wait.recv()))
        };
        let ((go_first, of_first), (go_second, of_second)) = (start(&first), start(&second));
        go_first.send(()).expect("heard");
        first.block_on(of_first).expect("done").expect("heard");
        // Dropping the first runtime would block here if one of its threads had taken the work of the second.
        drop(first);
        go_second.send(()).expect("heard");
        second.block_on(of_second).expect("done").expect("heard");
    }

    fn readers_are_broken() -> bool {
        false
    }
}
