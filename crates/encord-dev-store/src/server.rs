//! The store as a server on loopback.

mod answer;
mod body;
mod list;
mod service;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::faults::{Fault, FaultPlan, PlanRun};
use crate::objects::{ObjectInfo, Objects, Reader, Storage};
use crate::record::{Listener, Log, RequestRecord};
use crate::route::Name;
use crate::serve::accept;
use crate::sign::{Credentials, Presign, Scheme, SignError, Signer, encode};
use service::{Clock, Service};

/// The bucket of [`Running::url`] and its like. Any other bucket exists too.
pub const DEFAULT_BUCKET: &str = "dev";

/// How many records [`Running::requests`] keeps unless told otherwise.
const LOG_LIMIT: usize = 10_000;

/// For how long [`Running::presign_put`] signs.
const DEFAULT_EXPIRES: Duration = Duration::from_secs(15 * 60);

/// How long a request that is under way may take to end when the store does.
const GRACE: Duration = Duration::from_secs(5);

/// The development store; see the [crate](crate).
#[derive(Debug)]
#[non_exhaustive]
pub struct DevStore;

/// How a store is to be.
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
    listener: Option<Listener>,
}

/// Why a store did not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The port is taken.
    #[error("cannot listen on {0}: {1}")]
    Bind(SocketAddr, #[source] io::Error),
    /// The folder cannot be made or read.
    #[error("cannot keep objects in {}: {source}", .folder.display())]
    #[non_exhaustive]
    Storage {
        /// The folder.
        folder: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

/// A store that runs. It ends when this is dropped, or in peace by [`Running::shutdown`].
pub struct Running {
    addr: SocketAddr,
    objects: Objects,
    log: Arc<Log>,
    signer: Signer,
    clock: Clock,
    faults: Arc<Mutex<PlanRun<Fault>>>,
    write_once: Arc<AtomicBool>,
    closing: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl DevStore {
    /// A store on a free port of `127.0.0.1`, in memory, with the development key and without faults.
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

    /// Where objects are kept. The default is [`Storage::Memory`].
    pub fn storage(mut self, storage: Storage) -> Self {
        self.storage = storage;
        self
    }

    /// What goes wrong on purpose. The default is nothing.
    pub fn faults(mut self, faults: FaultPlan) -> Self {
        self.faults = faults;
        self
    }

    /// Adds a key whose signatures are good. The first one signs for [`Running::presign`]. Without any it is
    /// [`Credentials::development`].
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials.push(credentials);
        self
    }

    /// In which scheme [`Running::presign`] signs, and in whose words a request without signature is refused. Signatures of both
    /// are good. The default is [`Scheme::Gcs`].
    pub fn scheme(mut self, scheme: Scheme) -> Self {
        self.scheme = scheme;
        self
    }

    /// Whether a request without a signature may do everything. One that has a signature still needs a good one. The default is
    /// no.
    pub fn open(mut self, open: bool) -> Self {
        self.open = open;
        self
    }

    /// Whether an upload may come without `Content-Length`, in chunks. The default is no: S3 refuses that.
    pub fn chunked(mut self, chunked: bool) -> Self {
        self.chunked = chunked;
        self
    }

    /// Whether an object that is there stays as it is: a second upload of its name is answered with 412. The default is no.
    pub fn write_once(mut self, write_once: bool) -> Self {
        self.write_once = write_once;
        self
    }

    /// What the time is, so that a test can let signed URLs expire without waiting. The default is the system's clock.
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

    /// Starts the store, on the runtime of the caller.
    ///
    /// # Errors
    ///
    /// [`StartError`] when the port cannot be had, or the folder.
    pub async fn start(self) -> Result<Running, StartError> {
        let Self { port, storage, mut credentials, scheme, open, chunked, clock, log_limit, listener, .. } = self;
        let faults = Arc::new(Mutex::new(PlanRun::new(self.faults)));
        let write_once = Arc::new(AtomicBool::new(self.write_once));
        let folder = if let Storage::Folder(folder) = &storage { folder.clone() } else { PathBuf::new() };
        let opened = spawn_blocking(move || Objects::open(storage)).await.map_err(io::Error::other).flatten();
        let objects = opened.map_err(|source| StartError::Storage { folder, source })?;
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let bound = async {
            let socket = TcpListener::bind(loopback).await?;
            let addr = socket.local_addr()?;
            io::Result::Ok((socket, addr))
        };
        let (socket, addr) = bound.await.map_err(|error| StartError::Bind(loopback, error))?;

        if credentials.is_empty() {
            credentials.push(Credentials::development());
        }
        let signing = credentials.first().cloned().unwrap_or_else(Credentials::development);
        let log = Arc::new(Log::new(log_limit, listener));
        let (closing, closes) = watch::channel(false);
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
            closes: closes.clone(),
        });
        let task = tokio::spawn(accept(socket, Arc::new(service), closes, GRACE));
        Ok(Running {
            addr,
            objects,
            log,
            signer: Signer::new(scheme, signing),
            clock,
            faults,
            write_once,
            closing,
            task,
        })
    }
}

impl Running {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://` and where it listens, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The URL of an object in the [`DEFAULT_BUCKET`], not signed.
    pub fn url(&self, key: &str) -> String {
        let key: Vec<_> = key.split('/').map(|part| encode(part.as_bytes())).collect();
        format!("{}/{DEFAULT_BUCKET}/{}", self.base_url(), key.join("/"))
    }

    /// A URL for the upload of an object, valid for so long from now; at least 1 s, at most 7 days. It is a credential.
    ///
    /// # Errors
    ///
    /// [`SignError::Expires`] outside of these bounds, [`SignError::Time`] when the clock is beyond the year 9999.
    pub fn presign(&self, key: &str, expires: Duration) -> Result<String, SignError> {
        self.signer.presign(&Presign::put(&self.url(key), expires, (self.clock)()))
    }

    /// A URL for the upload of an object, valid for 15 minutes.
    ///
    /// # Errors
    ///
    /// [`SignError::Time`] when the clock is beyond the year 9999.
    pub fn presign_put(&self, key: &str) -> Result<String, SignError> {
        self.presign(key, DEFAULT_EXPIRES)
    }

    /// Signs for other methods, buckets, headers and times, with the first key of the store.
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

    /// What is known of an object in the [`DEFAULT_BUCKET`].
    pub fn object(&self, key: &str) -> Option<ObjectInfo> {
        self.objects.info(&name(key))
    }

    /// The bytes of an object in the [`DEFAULT_BUCKET`]; `None` where there is none.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or the store has [`Storage::Discard`].
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

    /// Follows this plan from now on, from its beginning.
    pub fn set_faults(&self, faults: FaultPlan) {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner) = PlanRun::new(faults);
    }

    /// [`Builder::write_once`] from now on.
    pub fn set_write_once(&self, write_once: bool) {
        self.write_once.store(write_once, Ordering::Release);
    }

    /// Takes no more requests, ends those that a fault keeps, waits up to 5 s for the others.
    pub async fn shutdown(mut self) {
        self.closing.send_replace(true);
        // It fails when a connection's task panicked; nothing is left of it either way.
        drop((&mut self.task).await);
    }
}

fn name(key: &str) -> Name {
    Name { bucket: DEFAULT_BUCKET.to_owned(), key: key.to_owned() }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("port", &self.port).field("storage", &self.storage).finish_non_exhaustive()
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("addr", &self.addr).finish_non_exhaustive()
    }
}
