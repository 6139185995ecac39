//! The idle connections of a client.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use encord_signed_url::Origin;
use tokio::runtime::{Handle, Id};
use tokio::time::{Instant, sleep};

use crate::net::connection::Connection;

/// How many idle connections a client keeps at most, for all hosts together.
pub(crate) const MAX_IDLE_CONNECTIONS: usize = 256;

/// A client keeps at most one idle connection per this many files that the process may open, because each idle connection uses a
/// file descriptor.
#[cfg(unix)]
const FILES_PER_IDLE_CONNECTION: u64 = 4;

/// The longest idle time of a connection, whatever the settings say. A timer cannot be set for much longer times.
const MAX_IDLE_TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The idle connections, each with its origin and the runtime that made it. Another runtime cannot use a connection, because the
/// connection stops when its own runtime ends.
pub(crate) struct Pool {
    timeout: Duration,
    max_idle: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The connection that has been idle longest is first.
    idle: Vec<Idle>,
    /// The runtimes in which a [`Sweeper`] runs.
    swept_runtimes: HashSet<Id>,
}

struct Idle {
    origin: Origin,
    since: Instant,
    connection: Connection,
}

impl Pool {
    /// Makes a pool that closes connections after they were idle for `timeout`. With zero no connection is kept.
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { timeout: timeout.min(MAX_IDLE_TIME), max_idle: max_idle(), state: Mutex::default() }
    }

    /// Takes the most recently used connection to `origin` of this runtime that is still usable.
    pub(crate) fn take(&self, origin: &Origin) -> Option<Connection> {
        let runtime = Handle::current().id();
        loop {
            let mut state = self.lock();
            let of_ours = |idle: &Idle| idle.connection.runtime() == runtime && idle.origin == *origin;
            let index = state.idle.iter().rposition(of_ours)?;
            let mut idle = state.idle.remove(index);
            drop(state);
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
        let mut state = self.lock();
        let removed = (state.idle.len() >= self.max_idle).then(|| state.idle.remove(0));
        state.idle.push(Idle { origin, since: Instant::now(), connection });
        let is_first = state.swept_runtimes.insert(runtime);
        drop(state);
        drop(removed);
        if is_first {
            let sweeper = Sweeper { pool: Arc::downgrade(self), runtime };
            handle.spawn(sweeper.run(self.timeout));
        }
    }

    /// Closes all idle connections, because file descriptors have run out. Returns how many there were.
    pub(crate) fn close_idle(&self) -> usize {
        let idle = std::mem::take(&mut self.lock().idle);
        idle.len()
    }

    /// Closes the connections that were idle for too long. Returns the time until the next check for this runtime, or `None` if it
    /// has no more idle connections; its sweeper then ends.
    fn sweep(&self, runtime: Id) -> Option<Duration> {
        let mut state = self.lock();
        let timeout = self.timeout;
        let (over, idle) =
            std::mem::take(&mut state.idle).into_iter().partition(|idle| idle.since.elapsed() >= timeout);
        state.idle = idle;
        let oldest =
            state.idle.iter().find(|idle| idle.connection.runtime() == runtime).map(|idle| idle.since.elapsed());
        if oldest.is_none() {
            state.swept_runtimes.remove(&runtime);
        }
        drop(state);
        drop::<Vec<Idle>>(over);
        oldest.map(|oldest| timeout.saturating_sub(oldest))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn max_idle() -> usize {
    #[cfg(unix)]
    if let Some(limit) = rustix::process::getrlimit(rustix::process::Resource::Nofile).current {
        let max = usize::try_from(limit / FILES_PER_IDLE_CONNECTION).unwrap_or(usize::MAX);
        return max.clamp(1, MAX_IDLE_CONNECTIONS);
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
        let mut state = pool.lock();
        if state.swept_runtimes.remove(&self.runtime) {
            let (over, idle): (Vec<_>, _) =
                std::mem::take(&mut state.idle).into_iter().partition(|idle| idle.connection.runtime() == self.runtime);
            state.idle = idle;
            drop(state);
            drop(over);
        }
    }
}
