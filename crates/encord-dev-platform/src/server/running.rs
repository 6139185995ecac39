//! An emulator that runs.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use encord_dev_store::faults::PlanRun;
use encord_dev_store::serve::Server;
use uuid::Uuid;

use super::shared::{Shared, lock};
use crate::api::NewProject;
use crate::faults::FaultPlan;
use crate::info::{FolderInfo, ItemInfo, JobInfo, RowInfo};
use crate::key::DevelopmentKey;
use crate::operation::Operation;
use crate::record::RequestRecord;
use crate::switches::Switches;

/// An emulator that runs. It ends when this is dropped, or in an orderly way by [`Running::shutdown`].
pub struct Running {
    server: Server,
    shared: Arc<Shared>,
    key: DevelopmentKey,
}

impl Running {
    pub(super) fn new(server: Server, shared: Arc<Shared>, key: DevelopmentKey) -> Self {
        Self { server, shared, key }
    }

    /// The address on which it listens.
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// The domain to give to a client, such as `http://127.0.0.1:9000`.
    pub fn domain(&self) -> String {
        format!("http://{}", self.addr())
    }

    /// The key whose signatures are accepted. [`DevelopmentKey::to_openssh`] returns it in the form that a client reads.
    pub fn key(&self) -> &DevelopmentKey {
        &self.key
    }

    /// The bearer token that is accepted. It is a credential.
    pub fn token(&self) -> &str {
        &self.shared.token
    }

    /// The object store behind the signed URLs.
    pub fn store(&self) -> &encord_dev_store::Running {
        &self.shared.store
    }

    /// The current switches.
    pub fn switches(&self) -> Switches {
        (*self.shared.switches()).clone()
    }

    /// Replaces the switches.
    pub fn set_switches(&self, switches: Switches) {
        self.shared.store.set_write_once(switches.url_once);
        *lock(&self.shared.switches) = Arc::new(switches);
    }

    /// Replaces the fault plan. All its counts start at zero.
    pub fn set_faults(&self, faults: FaultPlan) {
        *lock(&self.shared.faults) = PlanRun::new(faults);
    }

    /// The number of requests for this operation, including those that were refused or still run.
    pub fn count(&self, operation: Operation) -> usize {
        self.counts().get(&operation).copied().unwrap_or_default()
    }

    /// The number of requests for each operation, including those that were refused or still run.
    pub fn counts(&self) -> BTreeMap<Operation, usize> {
        lock(&self.shared.counts).clone()
    }

    /// The latest requests, in the order in which they ended.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.shared.log.all()
    }

    /// All folders, in the order in which they were created.
    pub fn folders(&self) -> Vec<FolderInfo> {
        self.shared.state().folders.iter().map(FolderInfo::from).collect()
    }

    /// The items of a folder, in the order in which they were created. Child items of groups are included, placeholders are not.
    pub fn items(&self, folder: Uuid) -> Vec<ItemInfo> {
        self.shared.state().items.iter().filter(|item| item.folder == folder).map(ItemInfo::from).collect()
    }

    /// All datasets, in the order in which they were created.
    pub fn datasets(&self) -> Vec<Uuid> {
        self.shared.state().datasets.iter().map(|dataset| dataset.uuid).collect()
    }

    /// The rows of a dataset, in the order in which they were added.
    pub fn rows(&self, dataset: Uuid) -> Vec<RowInfo> {
        self.shared.state().rows.iter().filter(|row| row.dataset == dataset).map(RowInfo::from).collect()
    }

    /// All jobs, in the order in which they were started.
    pub fn jobs(&self) -> Vec<JobInfo> {
        self.shared.state().jobs.iter().map(JobInfo::from).collect()
    }

    /// Runs all pending jobs now, whatever the switch `job-time` says.
    pub fn run_jobs(&self) {
        self.shared.run_all();
    }

    /// Adds a folder at the root.
    ///
    /// # Errors
    ///
    /// If the name is blank, or the state cannot be written.
    pub fn add_folder(&self, name: &str) -> io::Result<Uuid> {
        let added = self.shared.act(|api| api.add_folder(name.to_owned(), None))?;
        added.map_err(|problem| io::Error::other(problem.message))
    }

    /// Adds a project, for calls about its models.
    ///
    /// # Errors
    ///
    /// If the state cannot be written.
    pub fn add_project(&self, project: NewProject) -> io::Result<Uuid> {
        self.shared.act(|api| api.add_project(project))
    }

    /// Adds a dataset with these items as its rows.
    ///
    /// # Errors
    ///
    /// If the state cannot be written.
    pub fn add_dataset(&self, title: &str, items: &[Uuid]) -> io::Result<Uuid> {
        self.shared.act(|api| {
            let dataset = api.new_dataset(title.to_owned(), String::new(), None).uuid;
            api.link(dataset, items);
            dataset
        })
    }

    /// Adds image items without an object to a folder, for tests of long lists. Their size is 0, their names are `item 0`, `item 1`
    /// and so on.
    ///
    /// # Errors
    ///
    /// If the state cannot be written.
    pub fn add_items(&self, folder: Uuid, count: usize) -> io::Result<()> {
        self.shared.act(|api| api.add_items(folder, count))
    }

    /// Accepts no more requests, ends the requests that are held, and waits up to 5 s for the others. Then the object store ends.
    pub async fn shutdown(self) {
        self.server.shutdown().await;
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("addr", &self.addr()).finish_non_exhaustive()
    }
}
