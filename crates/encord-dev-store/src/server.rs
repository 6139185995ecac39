//! The store as a server on loopback.

mod answer;
mod body;
mod list;
mod service;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use thiserror::Error;
use tokio::task::spawn_blocking;

use crate::faults::{Fault, FaultPlan, PlanRun};
use crate::objects::{ObjectInfo, Objects, Reader, Storage};
use crate::record::{Listener, Log, RequestRecord};
use crate::route::Name;
use crate::serve::{BindError, BoundPort, Server};
use crate::sign::{Credentials, Presign, Scheme, SignError, Signer, encode};
use service::{Clock, Service};

/// The bucket that [`Running::url`], [`Running::presign`] and [`Running::object`] use. All other bucket names exist too.
pub const DEFAULT_BUCKET: &str = "dev";

/// The default of [`Builder::log_limit`], in records.
const DEFAULT_LOG_LIMIT: usize = 10_000;

/// How long a URL of [`Running::presign_put`] is valid.
const DEFAULT_EXPIRES: Duration = Duration::from_secs(15 * 60);

/// The development store; see the [crate](crate).
#[derive(Debug)]
#[non_exhaustive]
pub struct DevStore;

/// The options of a store.
#[must_use]
pub struct Builder {
    port: u16,
    storage: Storage,
    faults: FaultPlan,
    credentials: Vec<Credentials>,
    scheme: Scheme,
    open: bool,
    chunked: bool,
    write_once: bool,
    clock: Clock,
    log_limit: usize,
    listener: Option<Listener<RequestRecord>>,
}

/// The error when a store does not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The port cannot be bound.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The folder cannot be created or read.
    #[error("cannot keep objects in {}: {source}", .folder.display())]
    #[non_exhaustive]
    Storage {
        /// The folder.
        folder: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

/// A store that runs. It ends when this is dropped, or in an orderly way by [`Running::shutdown`].
pub struct Running {
    server: Server,
    objects: Objects,
    log: Arc<Log<RequestRecord>>,
    signer: Signer,
    clock: Clock,
    faults: Arc<Mutex<PlanRun<Fault>>>,
    write_once: Arc<AtomicBool>,
}

impl DevStore {
    /// Starts with the defaults: a free port of `127.0.0.1`, objects in memory, the development key, no faults.
    pub fn builder() -> Builder {
        Builder {
            port: 0,
            storage: Storage::Memory,
            faults: FaultPlan::default(),
            credentials: Vec::new(),
            scheme: Scheme::Gcs,
            open: false,
            chunked: false,
            write_once: false,
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

    /// Sets where objects are kept. The default is [`Storage::Memory`].
    pub fn storage(mut self, storage: Storage) -> Self {
        self.storage = storage;
        self
    }

    /// Sets the faults of uploads. The default is none.
    pub fn faults(mut self, faults: FaultPlan) -> Self {
        self.faults = faults;
        self
    }

    /// Adds a key whose signatures are accepted. [`Running::presign`] signs with the first one. The default is
    /// [`Credentials::development`].
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials.push(credentials);
        self
    }

    /// Sets the scheme in which [`Running::presign`] signs, and the service whose errors answer a request without signature.
    /// Signatures of both schemes are always accepted. The default is [`Scheme::Gcs`].
    pub fn scheme(mut self, scheme: Scheme) -> Self {
        self.scheme = scheme;
        self
    }

    /// Accepts requests without a signature. A signature that is present must still be valid. The default is false.
    pub fn open(mut self, open: bool) -> Self {
        self.open = open;
        self
    }

    /// Accepts uploads in chunks, without `Content-Length`. The default is false, because S3 refuses them.
    pub fn chunked(mut self, chunked: bool) -> Self {
        self.chunked = chunked;
        self
    }

    /// Refuses to replace an object: a second upload of its name is answered with 412. The default is false.
    pub fn write_once(mut self, write_once: bool) -> Self {
        self.write_once = write_once;
        self
    }

    /// Sets the clock, so that a test can let signed URLs expire without waiting. The default is the system's clock.
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

    /// Starts the store, on the runtime of the caller.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the port or the folder cannot be used.
    pub async fn start(self) -> Result<Running, StartError> {
        let Self { port, storage, mut credentials, scheme, open, chunked, clock, log_limit, listener, .. } = self;
        let faults = Arc::new(Mutex::new(PlanRun::new(self.faults)));
        let write_once = Arc::new(AtomicBool::new(self.write_once));
        let folder = if let Storage::Folder(folder) = &storage { folder.clone() } else { PathBuf::new() };
        let opened = spawn_blocking(move || Objects::open(storage)).await.map_err(io::Error::other).flatten();
        let objects = opened.map_err(|source| StartError::Storage { folder, source })?;
        let port = BoundPort::bind(port).await?;

        if credentials.is_empty() {
            credentials.push(Credentials::development());
        }
        let signing = credentials.first().cloned().unwrap_or_else(Credentials::development);
        let log = Arc::new(Log::new(log_limit, listener));
        let service = Service::new(service::Parts {
            objects: objects.clone(),
            faults: Arc::clone(&faults),
            write_once: Arc::clone(&write_once),
            chunked,
            keys: credentials.into_iter().collect(),
            open,
            scheme,
            clock: Arc::clone(&clock),
            log: Arc::clone(&log),
            shutdown: port.shutdown_signal(),
        });
        let server = port.serve(service);
        Ok(Running { server, objects, log, signer: Signer::new(scheme, signing), clock, faults, write_once })
    }
}

impl Running {
    /// The address on which it listens.
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// The URL of the store, such as `http://127.0.0.1:9000`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr())
    }

    /// Returns the URL of an object in the [`DEFAULT_BUCKET`], without a signature.
    pub fn url(&self, key: &str) -> String {
        let key: Vec<_> = key.split('/').map(|part| encode(part.as_bytes())).collect();
        format!("{}/{DEFAULT_BUCKET}/{}", self.base_url(), key.join("/"))
    }

    /// Signs a URL for the upload of an object. It is valid from now on, for 1 s to 7 days, and it is a credential.
    ///
    /// # Errors
    ///
    /// [`SignError::Expires`] if `expires` is out of range, [`SignError::Time`] if the clock is after the year 9999.
    pub fn presign(&self, key: &str, expires: Duration) -> Result<String, SignError> {
        self.signer.presign(&Presign::put(&self.url(key), expires, (self.clock)()))
    }

    /// Signs a URL for the upload of an object. It is valid for 15 minutes.
    ///
    /// # Errors
    ///
    /// [`SignError::Time`] if the clock is after the year 9999.
    pub fn presign_put(&self, key: &str) -> Result<String, SignError> {
        self.presign(key, DEFAULT_EXPIRES)
    }

    /// Returns the signer with the first key of the store, for other methods, buckets, headers and times.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The latest requests, in the order in which they ended.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.log.all()
    }

    /// All objects of all buckets, in the order of their names.
    pub fn objects(&self) -> Vec<ObjectInfo> {
        self.objects.all()
    }

    /// Returns the facts about an object in the [`DEFAULT_BUCKET`].
    pub fn object(&self, key: &str) -> Option<ObjectInfo> {
        self.objects.info(&name(key))
    }

    /// Reads an object in the [`DEFAULT_BUCKET`]. Returns `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or if the store uses [`Storage::Discard`].
    pub async fn read(&self, key: &str) -> io::Result<Option<Bytes>> {
        let (objects, name) = (self.objects.clone(), name(key));
        let read = move || match objects.read(&name)? {
            None => Ok(None),
            Some((_, Reader::Memory(bytes))) => Ok(Some(bytes)),
            Some((_, Reader::File(mut file))) => {
                let mut bytes = Vec::new();
                io::Read::read_to_end(&mut file, &mut bytes)?;
                Ok(Some(bytes.into()))
            }
        };
        spawn_blocking(read).await.map_err(io::Error::other)?
    }

    /// Replaces the fault plan. All its counts start at zero.
    pub fn set_faults(&self, faults: FaultPlan) {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner) = PlanRun::new(faults);
    }

    /// Changes [`Builder::write_once`] while the store runs.
    pub fn set_write_once(&self, write_once: bool) {
        self.write_once.store(write_once, Ordering::Release);
    }

    /// Accepts no more requests, ends the requests that a fault holds, and waits up to 5 s for the others.
    pub async fn shutdown(self) {
        self.server.shutdown().await;
    }
}

fn name(key: &str) -> Name {
    Name { bucket: DEFAULT_BUCKET.to_owned(), key: key.to_owned() }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("port", &self.port).field("storage", &self.storage).finish_non_exhaustive()
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("addr", &self.addr()).finish_non_exhaustive()
    }
}
