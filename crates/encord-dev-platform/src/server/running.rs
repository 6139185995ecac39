//! An emulator that runs.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use encord_dev_store::faults::PlanRun;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::world::{World, lock};
use crate::api::NewProject;
use crate::faults::FaultPlan;
use crate::info::{FolderInfo, ItemInfo, JobInfo, RowInfo};
use crate::key::DevelopmentKey;
use crate::operation::Operation;
use crate::record::RequestRecord;
use crate::switches::Switches;

/// An emulator that runs. It ends when this is dropped, or in peace by [`Running::shutdown`].
pub struct Running {
    addr: SocketAddr,
    world: Arc<World>,
    key: DevelopmentKey,
    closing: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Running {
    pub(super) fn new(
        addr: SocketAddr,
        world: Arc<World>,
        key: DevelopmentKey,
        closing: watch::Sender<bool>,
        task: JoinHandle<()>,
    ) -> Self {
        Self { addr, world, key, closing, task }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The domain for a client: `http://` and where it listens, without a slash at the end.
    pub fn domain(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The key whose signatures are good; [`DevelopmentKey::to_openssh`] is what a client reads.
    pub fn key(&self) -> &DevelopmentKey {
        &self.key
    }

    /// The bearer token that is good. It is a credential.
    pub fn token(&self) -> &str {
        &self.world.token
    }

    /// The object store behind the signed URLs.
    pub fn store(&self) -> &encord_dev_store::Running {
        &self.world.store
    }

    /// The switches as they are now.
    pub fn switches(&self) -> Switches {
        (*self.world.switches()).clone()
    }

    /// Follows these switches from now on.
    pub fn set_switches(&self, switches: Switches) {
        self.world.store.set_write_once(switches.url_once);
        *lock(&self.world.switches) = Arc::new(switches);
    }

    /// Follows this plan from now on, from its beginning.
    pub fn set_faults(&self, faults: FaultPlan) {
        *lock(&self.world.faults) = PlanRun::new(faults);
    }

    /// How many requests asked for this, those that were refused and those under way among them.
    pub fn count(&self, operation: Operation) -> usize {
        self.counts().get(&operation).copied().unwrap_or_default()
    }

    /// How many requests asked for what.
    pub fn counts(&self) -> BTreeMap<Operation, usize> {
        self.world.log.counts()
    }

    /// The latest requests, in the order in which they ended.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.world.log.all()
    }

    /// All folders, in the order in which they were created.
    pub fn folders(&self) -> Vec<FolderInfo> {
        self.world.state().folders.iter().map(FolderInfo::from).collect()
    }

    /// The items of a folder, those of groups among them, in the order in which they were made. Placeholders are none.
    pub fn items(&self, folder: Uuid) -> Vec<ItemInfo> {
        self.world.state().items.iter().filter(|item| item.folder == folder).map(ItemInfo::from).collect()
    }

    /// All datasets, in the order in which they were created.
    pub fn datasets(&self) -> Vec<Uuid> {
        self.world.state().datasets.iter().map(|dataset| dataset.uuid).collect()
    }

    /// The rows of a dataset, in the order in which they were added.
    pub fn rows(&self, dataset: Uuid) -> Vec<RowInfo> {
        self.world.state().rows.iter().filter(|row| row.dataset == dataset).map(RowInfo::from).collect()
    }

    /// All jobs, in the order in which they were started.
    pub fn jobs(&self) -> Vec<JobInfo> {
        self.world.state().jobs.iter().map(JobInfo::from).collect()
    }

    /// Runs all jobs that are pending at once, whatever the switch `job-time` says.
    pub fn run_jobs(&self) {
        self.world.run_all();
    }

    /// Adds a folder at the root.
    ///
    /// # Errors
    ///
    /// The name is blank, or the state cannot be written.
    pub fn add_folder(&self, name: &str) -> io::Result<Uuid> {
        let added = self.world.act(|api| api.add_folder(name.to_owned(), None))?;
        added.map_err(|problem| io::Error::other(problem.message))
    }

    /// Adds a project, for whoever asks about its models.
    ///
    /// # Errors
    ///
    /// The state cannot be written.
    pub fn add_project(&self, project: NewProject) -> io::Result<Uuid> {
        self.world.act(|api| api.add_project(project))
    }

    /// Adds a dataset with these items as its rows.
    ///
    /// # Errors
    ///
    /// The state cannot be written.
    pub fn add_dataset(&self, title: &str, items: &[Uuid]) -> io::Result<Uuid> {
        self.world.act(|api| {
            let dataset = api.new_dataset(title.to_owned(), String::new(), None).uuid;
            api.link(dataset, items);
            dataset
        })
    }

    /// Adds image items of 0 bytes without an object to a folder, for lists of any length. Their names are `item 0` and so on.
    ///
    /// # Errors
    ///
    /// The state cannot be written.
    pub fn add_items(&self, folder: Uuid, count: usize) -> io::Result<()> {
        self.world.act(|api| api.add_items(folder, count))
    }

    /// Takes no more requests, ends those that are held, waits up to 5 s for the others. The object store ends with it.
    pub async fn shutdown(mut self) {
        self.closing.send_replace(true);
        // It fails when a connection's task panicked; nothing is left of it either way.
        drop((&mut self.task).await);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The jobs that wait end with it.
        self.closing.send_replace(true);
        self.task.abort();
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("addr", &self.addr).finish_non_exhaustive()
    }
}
