//! The idle connections of a client.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use encord_signed_url::Origin;
use tokio::runtime::{Handle, Id};
use tokio::time::{Instant, sleep};

use crate::net::connection::Connection;

/// How many idle connections a client keeps, for all hosts together. Each uses a file descriptor, so there are fewer if the process
/// may open few files: one for each of [`FILES_PER_IDLE_CONNECTION`].
pub(crate) const MAX_IDLE_CONNECTIONS: usize = 256;

#[cfg(unix)]
const FILES_PER_IDLE_CONNECTION: u64 = 4;

/// The longest idle time. A timer cannot be set for much longer times.
const LONGEST_IDLE: Duration = Duration::from_secs(24 * 60 * 60);

/// The idle connections, each with its origin and the runtime that made it. Another runtime cannot use a connection, because the
/// connection stops when its own runtime ends.
pub(crate) struct Pool {
    timeout: Duration,
    max_idle: usize,
    shelf: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    /// The connection that has been idle longest is first.
    idle: Vec<Idle>,
    /// The runtimes in which a [`Sweeper`] runs.
    swept_by: HashSet<Id>,
}

struct Idle {
    origin: Origin,
    since: Instant,
    connection: Connection,
}

impl Pool {
    /// Makes a pool that closes connections after they were idle for `timeout`. With zero no connection is kept.
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { timeout, max_idle: max_idle(), shelf: Mutex::default() }
    }

    /// Takes the most recently used connection to `origin` of this runtime that is still usable.
    pub(crate) fn take(&self, origin: &Origin) -> Option<Connection> {
        let runtime = Handle::current().id();
        loop {
            let mut kept = self.lock();
            let of_ours = |idle: &Idle| idle.connection.runtime() == runtime && idle.origin == *origin;
            let index = kept.idle.iter().rposition(of_ours)?;
            let mut idle = kept.idle.remove(index);
            drop(kept);
            if idle.since.elapsed() < self.timeout && idle.connection.is_usable() {
                return Some(idle.connection);
            }
        }
    }

    /// Keeps a connection for the next request. If the pool is full, the connection that has been idle longest is closed.
    pub(crate) fn put(self: &Arc<Self>, origin: Origin, connection: Connection) {
        let runtime = connection.runtime();
        let Ok(handle) = Handle::try_current() else { return };
        if self.timeout.is_zero() || handle.id() != runtime {
            return;
        }
        let mut kept = self.lock();
        let removed = (kept.idle.len() >= self.max_idle).then(|| kept.idle.remove(0));
        kept.idle.push(Idle { origin, since: Instant::now(), connection });
        let is_first = self.timeout <= LONGEST_IDLE && kept.swept_by.insert(runtime);
        drop(kept);
        drop(removed);
        if is_first {
            let sweeper = Sweeper { pool: Arc::downgrade(self), runtime };
            handle.spawn(sweeper.run(self.timeout));
        }
    }

    /// Closes all idle connections, because file descriptors have run out. Returns how many there were.
    pub(crate) fn give_back(&self) -> usize {
        let idle = std::mem::take(&mut self.lock().idle);
        idle.len()
    }

    /// Closes the connections of a runtime that were idle for too long. Returns the time until the next check, or `None` if the
    /// runtime has no more idle connections; the sweeper then ends.
    fn sweep(&self, runtime: Id) -> Option<Duration> {
        let mut kept = self.lock();
        let timeout = self.timeout;
        let (over, idle) = std::mem::take(&mut kept.idle).into_iter().partition(|idle| idle.since.elapsed() >= timeout);
        kept.idle = idle;
        let oldest =
            kept.idle.iter().find(|idle| idle.connection.runtime() == runtime).map(|idle| idle.since.elapsed());
        if oldest.is_none() {
            kept.swept_by.remove(&runtime);
        }
        drop(kept);
        drop::<Vec<Idle>>(over);
        oldest.map(|oldest| timeout.saturating_sub(oldest))
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn max_idle() -> usize {
    #[cfg(unix)]
    if let Some(limit) = rustix::process::getrlimit(rustix::process::Resource::Nofile).current {
        let most = usize::try_from(limit / FILES_PER_IDLE_CONNECTION).unwrap_or(usize::MAX);
        return most.clamp(1, MAX_IDLE_CONNECTIONS);
    }
    MAX_IDLE_CONNECTIONS
}

/// The task of a runtime that closes connections that were idle for too long.
struct Sweeper {
    pool: Weak<Pool>,
    runtime: Id,
}

impl Sweeper {
    async fn run(mut self, timeout: Duration) {
        let mut next = timeout;
        loop {
            sleep(next).await;
            let Some(pool) = self.pool.upgrade() else { return };
            let Some(wait) = pool.sweep(self.runtime) else {
                self.pool = Weak::new();
                return;
            };
            next = wait;
        }
    }
}

impl Drop for Sweeper {
    /// Runs also when the runtime ends. Its connections end too.
    fn drop(&mut self) {
        let Some(pool) = self.pool.upgrade() else { return };
        let mut kept = pool.lock();
        if kept.swept_by.remove(&self.runtime) {
            let (over, idle): (Vec<_>, _) =
                std::mem::take(&mut kept.idle).into_iter().partition(|idle| idle.connection.runtime() == self.runtime);
            kept.idle = idle;
            drop(kept);
            drop(over);
        }
    }
}
