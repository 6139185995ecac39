//! The emulator as a server on loopback.

mod body;
mod running;
mod service;
mod world;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use encord_dev_store::faults::PlanRun;
use encord_dev_store::serve::accept;
use encord_dev_store::{DevStore, Storage};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use crate::faults::FaultPlan;
use crate::key::DevelopmentKey;
use crate::record::{Listener, Log, RequestRecord};
use crate::state::State;
use crate::switches::Switches;
pub use running::Running;
use service::Service;
use world::{Clock, Keys, World};

/// How many records [`Running::requests`] keeps unless told otherwise.
const LOG_LIMIT: usize = 10_000;

/// How long a request that is under way may take to end when the emulator does.
const GRACE: Duration = Duration::from_secs(5);

/// The emulator; see the [crate](crate).
#[derive(Debug)]
#[non_exhaustive]
pub struct DevPlatform;

/// How an emulator is to be.
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
    listener: Option<Listener>,
}

/// Why an emulator did not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The port is taken.
    #[error("cannot listen on {0}: {1}")]
    Bind(SocketAddr, #[source] io::Error),
    /// The folder cannot be made or read.
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
    /// An emulator on a free port of `127.0.0.1`, in memory, with a new key, without faults, with the default switches.
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
            log_limit: LOG_LIMIT,
            listener: None,
        }
    }
}

impl Builder {
    /// The port of `127.0.0.1` on which to listen; 0, the default, is a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The port of the object store; 0, the default, is a free one. URLs that were signed before a restart are good after it only
    /// on the same port.
    pub fn store_port(mut self, port: u16) -> Self {
        self.store_port = port;
        self
    }

    /// Keeps state and objects in this folder, where a later emulator finds them. The default is memory.
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Where objects are kept. The default is memory, or the folder where there is one.
    pub fn storage(mut self, storage: Storage) -> Self {
        self.storage = Some(storage);
        self
    }

    /// How it behaves where nobody knows how the server does.
    pub fn switches(mut self, switches: Switches) -> Self {
        self.switches = switches;
        self
    }

    /// What goes wrong on purpose with requests of the API. The default is nothing.
    pub fn faults(mut self, faults: FaultPlan) -> Self {
        self.faults = faults;
        self
    }

    /// What goes wrong on purpose with uploads. Objects are called `uploads/` and the id of their placeholder. The default is
    /// nothing.
    pub fn store_faults(mut self, faults: encord_dev_store::faults::FaultPlan) -> Self {
        self.store_faults = faults;
        self
    }

    /// The key whose signatures are good. The default is a new one; [`Running::key`] has it.
    pub fn key(mut self, key: DevelopmentKey) -> Self {
        self.key = Some(key);
        self
    }

    /// Whether the signature of any key is good. The default is no.
    pub fn any_key(mut self, any_key: bool) -> Self {
        self.any_key = any_key;
        self
    }

    /// Whether there is a project with models to begin with, where the state has none. The default is no.
    pub fn demo(mut self, demo: bool) -> Self {
        self.demo = demo;
        self
    }

    /// What the time is, for signatures, URLs and records. The default is the system's clock. Waits do not follow it.
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How many of the latest requests [`Running::requests`] keeps. The default is 10,000.
    pub fn log_limit(mut self, limit: usize) -> Self {
        self.log_limit = limit;
        self
    }

    /// Is called with each request when it is over. It must not block for long.
    pub fn on_request(mut self, listener: impl Fn(&RequestRecord) + Send + Sync + 'static) -> Self {
        self.listener = Some(Arc::new(listener));
        self
    }

    /// Starts the emulator and its object store, on the runtime of the caller.
    ///
    /// # Errors
    ///
    /// [`StartError`] when a port cannot be had, or the folder.
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
            // The SDK sends an empty file so.
            .chunked(true)
            .clock(move || clock())
            .log_limit(self.log_limit)
            .start()
            .await?;
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let bound = async {
            let socket = TcpListener::bind(loopback).await?;
            let addr = socket.local_addr()?;
            io::Result::Ok((socket, addr))
        };
        let (socket, addr) = bound.await.map_err(|error| StartError::Bind(loopback, error))?;

        let key = self.key.unwrap_or_else(DevelopmentKey::generate);
        let keys = if self.any_key { Keys::Any } else { Keys::One(key.public()) };
        let log = Arc::new(Log::new(self.log_limit, self.listener));
        let (closing, closes) = watch::channel(false);
        let world = Arc::new(World {
            state: Mutex::new(state),
            switches: Mutex::new(Arc::new(self.switches)),
            faults: Mutex::new(PlanRun::new(self.faults)),
            store,
            clock: self.clock,
            token: Uuid::new_v4().simple().to_string(),
            keys,
            log,
            ended: watch::Sender::new(0),
            closes: closes.clone(),
        });
        if self.demo {
            world.seed();
        }
        world.run_pending();
        let task = tokio::spawn(accept(socket, Arc::new(Service::new(Arc::clone(&world))), closes, GRACE));
        Ok(Running::new(addr, world, key, closing, task))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("port", &self.port).field("switches", &self.switches).finish_non_exhaustive()
    }
}
