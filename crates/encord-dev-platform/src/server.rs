//! The emulator as a server on loopback.

mod body;
mod running;
mod service;
mod shared;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use encord_dev_store::faults::PlanRun;
use encord_dev_store::record::{Listener, Log};
use encord_dev_store::serve::{BindError, BoundPort};
use encord_dev_store::{DevStore, Storage};
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use crate::faults::FaultPlan;
use crate::key::DevelopmentKey;
use crate::record::RequestRecord;
use crate::state::State;
use crate::switches::Switches;
pub use running::Running;
use service::Service;
use shared::{Clock, Keys, Shared};

/// The default of [`Builder::log_limit`], in records.
const DEFAULT_LOG_LIMIT: usize = 10_000;

/// The emulator; see the [crate](crate).
#[derive(Debug)]
#[non_exhaustive]
pub struct DevPlatform;

/// The options of an emulator.
#[must_use]
pub struct Builder {
    port: u16,
    store_port: u16,
    folder: Option<PathBuf>,
    storage: Option<Storage>,
    switches: Switches,
    faults: FaultPlan,
    store_faults: encord_dev_store::faults::FaultPlan,
    key: Option<DevelopmentKey>,
    any_key: bool,
    demo: bool,
    clock: Clock,
    log_limit: usize,
    listener: Option<Listener<RequestRecord>>,
}

/// The error when an emulator does not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The port cannot be bound.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The folder cannot be created or read.
    #[error("cannot keep the state in {}: {source}", .folder.display())]
    #[non_exhaustive]
    State {
        /// The folder.
        folder: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The object store did not start.
    #[error(transparent)]
    Store(#[from] encord_dev_store::StartError),
}

impl DevPlatform {
    /// Starts with the defaults: a free port of `127.0.0.1`, state in memory, a new key, no faults, the default switches.
    pub fn builder() -> Builder {
        Builder {
            port: 0,
            store_port: 0,
            folder: None,
            storage: None,
            switches: Switches::default(),
            faults: FaultPlan::default(),
            store_faults: encord_dev_store::faults::FaultPlan::default(),
            key: None,
            any_key: false,
            demo: false,
            clock: Arc::new(SystemTime::now),
            log_limit: DEFAULT_LOG_LIMIT,
            listener: None,
        }
    }
}

impl Builder {
    /// Sets the port of `127.0.0.1`. The default is 0: a free port.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Sets the port of the object store. The default is 0: a free port. URLs that were signed before a restart stay valid only if
    /// the port stays the same.
    pub fn store_port(mut self, port: u16) -> Self {
        self.store_port = port;
        self
    }

    /// Keeps state and objects in this folder, where a later emulator finds them. The default is to keep them in memory.
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Sets where objects are kept. The default is [`Builder::folder`] if it is set, otherwise memory.
    pub fn storage(mut self, storage: Storage) -> Self {
        self.storage = Some(storage);
        self
    }

    /// Sets the behaviour for the cases in which the behaviour of the real server is not known.
    pub fn switches(mut self, switches: Switches) -> Self {
        self.switches = switches;
        self
    }

    /// Sets the faults of requests to the API. The default is none.
    pub fn faults(mut self, faults: FaultPlan) -> Self {
        self.faults = faults;
        self
    }

    /// Sets the faults of uploads to the store. The name of an object is `uploads/` and the id of its placeholder. The default is
    /// none.
    pub fn store_faults(mut self, faults: encord_dev_store::faults::FaultPlan) -> Self {
        self.store_faults = faults;
        self
    }

    /// Sets the key whose signatures are accepted. The default is a new key; [`Running::key`] returns it.
    pub fn key(mut self, key: DevelopmentKey) -> Self {
        self.key = Some(key);
        self
    }

    /// Accepts the signatures of any key. The default is false.
    pub fn any_key(mut self, any_key: bool) -> Self {
        self.any_key = any_key;
        self
    }

    /// Adds a project with models at the start, if the state has no project. The default is false.
    pub fn demo(mut self, demo: bool) -> Self {
        self.demo = demo;
        self
    }

    /// Sets the clock for signatures, URLs and records. Waits do not use it. The default is the system's clock.
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets how many of the latest requests [`Running::requests`] keeps. The default is 10,000.
    pub fn log_limit(mut self, limit: usize) -> Self {
        self.log_limit = limit;
        self
    }

    /// Sets a function that is called with each request when it has ended. It must not block for long.
    pub fn on_request(mut self, listener: impl Fn(&RequestRecord) + Send + Sync + 'static) -> Self {
        self.listener = Some(Arc::new(listener));
        self
    }

    /// Starts the emulator and its object store, on the runtime of the caller.
    ///
    /// # Errors
    ///
    /// [`StartError`] if a port or the folder cannot be used.
    pub async fn start(self) -> Result<Running, StartError> {
        let state = match self.folder.clone() {
            None => State::default(),
            Some(folder) => {
                let path = folder.clone();
                let opened = spawn_blocking(move || State::open(&path)).await.map_err(io::Error::other).flatten();
                opened.map_err(|source| StartError::State { folder, source })?
            }
        };
        let objects = self.folder.map_or(Storage::Memory, |folder| Storage::Folder(folder.join("objects")));
        let clock = Arc::clone(&self.clock);
        let store = DevStore::builder()
            .port(self.store_port)
            .storage(self.storage.unwrap_or(objects))
            .faults(self.store_faults)
            .write_once(self.switches.url_once)
            // The SDK sends an empty file in chunks.
            .chunked(true)
            .clock(move || clock())
            .log_limit(self.log_limit)
            .start()
            .await?;
        let port = BoundPort::bind(self.port).await?;

        let key = self.key.unwrap_or_else(DevelopmentKey::generate);
        let keys = if self.any_key { Keys::Any } else { Keys::One(key.public()) };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            switches: Mutex::new(Arc::new(self.switches)),
            faults: Mutex::new(PlanRun::new(self.faults)),
            store,
            clock: self.clock,
            token: Uuid::new_v4().simple().to_string(),
            keys,
            log: Arc::new(Log::new(self.log_limit, self.listener)),
            counts: Mutex::default(),
            ended: watch::Sender::new(0),
            shutdown: port.shutdown_signal(),
        });
        if self.demo {
            shared.seed();
        }
        shared.run_pending();
        let server = port.serve(Service::new(Arc::clone(&shared)));
        Ok(Running::new(server, shared, key))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("port", &self.port).field("switches", &self.switches).finish_non_exhaustive()
    }
}
