//! The state that all requests share.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use encord_dev_store::faults::PlanRun;
use encord_dev_store::record::Log;
use encord_dev_store::serve::ShutdownSignal;
use tokio::sync::watch;
use tokio::time::sleep;
use uuid::Uuid;

use crate::api::{Api, NewProject};
use crate::faults::Fault;
use crate::operation::Operation;
use crate::record::RequestRecord;
use crate::state::{JobStatus, Millis, State};
use crate::switches::Switches;

pub(super) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The keys whose signatures are accepted.
pub(super) enum Keys {
    Any,
    One([u8; 32]),
}

pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    pub(super) switches: Mutex<Arc<Switches>>,
    pub(super) faults: Mutex<PlanRun<Fault>>,
    pub(super) store: encord_dev_store::Running,
    pub(super) clock: Clock,
    pub(super) token: String,
    pub(super) keys: Keys,
    pub(super) log: Arc<Log<RequestRecord>>,
    /// The number of requests for each operation.
    pub(super) counts: Mutex<BTreeMap<Operation, usize>>,
    /// How many jobs have ended.
    pub(super) ended: watch::Sender<u64>,
    pub(super) shutdown: ShutdownSignal,
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(super) fn switches(&self) -> Arc<Switches> {
        Arc::clone(&lock(&self.switches))
    }

    /// Returns the planned fault, if any, for a request or a unit of this name.
    pub(super) fn fault(&self, name: &str) -> Option<Fault> {
        lock(&self.faults).next(name)
    }

    /// Runs `action` on the state, and writes the changes.
    pub(super) fn act<T>(&self, action: impl FnOnce(&mut Api<'_>) -> T) -> io::Result<T> {
        let switches = self.switches();
        let mut state = self.state();
        let time = (self.clock)().duration_since(UNIX_EPOCH).unwrap_or_default();
        let done = action(&mut Api {
            state: &mut state,
            switches: &switches,
            store: &self.store,
            now: Millis(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)),
            token: &self.token,
        });
        state.save()?;
        Ok(done)
    }

    /// Runs a job after the time of the switch `job-time`.
    pub(super) fn run_later(self: &Arc<Self>, job: Uuid) {
        // A weak reference, so that a waiting job does not keep an ended emulator alive.
        let shared = Arc::downgrade(self);
        let time = self.switches().job_time;
        let mut shutdown = self.shutdown.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = sleep(time) => {}
                () = shutdown.wait() => return,
            }
            if let Some(shared) = shared.upgrade() {
                shared.run_now(job);
            }
        });
    }

    /// Runs a pending job now.
    fn run_now(&self, job: Uuid) {
        let planned = |title: &str| match self.fault(&format!("unit/{title}"))? {
            Fault::Fail(reason) => Some(reason),
            // `*` fits the name of a unit too, but these befall requests.
            _ => None,
        };
        // If the state cannot be written, the next request reports it.
        drop(self.act(|api| api.run_job(job, planned)));
        self.ended.send_modify(|ended| *ended += 1);
    }

    /// Runs all pending jobs now.
    pub(super) fn run_all(&self) {
        for job in self.pending() {
            self.run_now(job);
        }
    }

    fn pending(&self) -> Vec<Uuid> {
        let state = self.state();
        state.jobs.iter().filter(|job| job.status == JobStatus::Pending).map(|job| job.uuid).collect()
    }

    /// Schedules the pending jobs of an earlier emulator.
    pub(super) fn run_pending(self: &Arc<Self>) {
        for job in self.pending() {
            self.run_later(job);
        }
    }

    /// Adds a project with models, unless there is one.
    pub(super) fn seed(&self) {
        // If the state cannot be written, the next request reports it.
        drop(self.act(|api| {
            if api.state.projects.len() == 0 {
                api.add_project(NewProject::demo());
            }
        }));
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
