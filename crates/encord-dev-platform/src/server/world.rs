//! What all requests share.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use encord_dev_store::faults::PlanRun;
use encord_dev_store::serve::closed;
use tokio::sync::watch;
use tokio::time::sleep;
use uuid::Uuid;

use crate::api::{Api, NewProject};
use crate::faults::Fault;
use crate::record::Log;
use crate::state::{JobStatus, Millis, State};
use crate::switches::Switches;

pub(super) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Whose signatures are good.
pub(super) enum Keys {
    Any,
    One([u8; 32]),
}

pub(super) struct World {
    pub(super) state: Mutex<State>,
    pub(super) switches: Mutex<Arc<Switches>>,
    pub(super) faults: Mutex<PlanRun<Fault>>,
    pub(super) store: encord_dev_store::Running,
    pub(super) clock: Clock,
    pub(super) token: String,
    pub(super) keys: Keys,
    pub(super) log: Arc<Log>,
    /// How many jobs have ended.
    pub(super) ended: watch::Sender<u64>,
    pub(super) closes: watch::Receiver<bool>,
}

impl World {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(super) fn switches(&self) -> Arc<Switches> {
        Arc::clone(&lock(&self.switches))
    }

    /// What befalls a request or a unit of this name.
    pub(super) fn fault(&self, name: &str) -> Option<Fault> {
        lock(&self.faults).next(name)
    }

    /// Does something to the state, and writes what it changed.
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

    /// Runs a job once its time has come.
    pub(super) fn run_later(self: &Arc<Self>, job: Uuid) {
        // A job that waits keeps nothing of an emulator that ends.
        let world = Arc::downgrade(self);
        let time = self.switches().job_time;
        let mut closes = self.closes.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = sleep(time) => {}
                () = closed(&mut closes) => return,
            }
            if let Some(world) = world.upgrade() {
                world.run_now(job);
            }
        });
    }

    /// Runs a job that is pending.
    fn run_now(&self, job: Uuid) {
        let planned = |title: &str| match self.fault(&format!("unit/{title}"))? {
            Fault::Fail(reason) => Some(reason),
            // `*` fits the name of a unit too, but these befall requests.
            _ => None,
        };
        // When it cannot be written, the next request says so.
        drop(self.act(|api| api.run_job(job, planned)));
        self.ended.send_modify(|ended| *ended += 1);
    }

    /// Runs all jobs that are pending, whatever their time.
    pub(super) fn run_all(&self) {
        for job in self.pending() {
            self.run_now(job);
        }
    }

    fn pending(&self) -> Vec<Uuid> {
        let state = self.state();
        state.jobs.iter().filter(|job| job.status == JobStatus::Pending).map(|job| job.uuid).collect()
    }

    /// Runs what an earlier emulator left.
    pub(super) fn run_pending(self: &Arc<Self>) {
        for job in self.pending() {
            self.run_later(job);
        }
    }

    /// Adds a project with models, unless there is one.
    pub(super) fn seed(&self) {
        // When it cannot be written, the next request says so.
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
