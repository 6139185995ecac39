//! An HTTP/1.1 server on loopback for tests. The test defines each byte of the answers, and can read the requests.
//!
//! ```
//! use encord_test_server::{Server, status};
//!
//! // 503 for the first request of each path, then 200.
//! let server = Server::start(|_, before| status(if before == 0 { 503 } else { 200 }));
//! let url = server.url("/a.jpg?X-Signature=s3cret");
//! # assert!(url.starts_with("http://127.0.0.1:"));
//! assert!(server.requests().is_empty());
//! ```
#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "it is part of tests: whatever fails here fails the test"
)]

mod connection;
mod reply;
mod request;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::TcpListener;
use tokio::runtime::{self, Runtime};
use tokio::task::JoinSet;
use tokio::time::sleep;

pub use crate::reply::{Reply, Step, status};
pub use crate::request::Request;

/// A running server. Dropping it closes its connections.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    log: Arc<Log>,
    /// The runtime, if the server has its own thread.
    runtime: Option<Runtime>,
    /// The tasks of the server. They end when this is dropped.
    tasks: JoinSet<()>,
}

/// The options of a server that differs from that of [`Server::start`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Builder {
    answers_heads: bool,
    discards_payloads: bool,
    receive_buffer: Option<usize>,
}

type Answer = dyn Fn(&Request, usize) -> Reply + Send + Sync;

#[derive(Debug, Default)]
struct Log {
    requests: Mutex<Vec<Request>>,
    by_path: Mutex<HashMap<String, usize>>,
    opened: AtomicUsize,
    closed: AtomicUsize,
}

impl Server {
    /// Starts a server with its own thread and clock. The test cannot block it or pause its clock.
    ///
    /// `answer` is called when a request is complete. Its second argument is the number of earlier requests for the same path.
    pub fn start(answer: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::builder().start(answer)
    }

    /// Starts a server in the runtime of the test. It uses the clock of the test, which may be paused.
    pub fn start_here(answer: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::builder().start_here(answer)
    }

    /// Returns options for a server.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Returns a URL of this server; `target` begins with a slash.
    pub fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.address)
    }

    /// Returns a URL with the signature `s3cret`, which must not appear in any output.
    pub fn signed_url(&self, path: &str) -> String {
        self.url(path) + "?X-Signature=s3cret"
    }

    /// Host and port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Host and port as text, as in error messages.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// The complete requests.
    pub fn requests(&self) -> Vec<Request> {
        self.log.requests().iter().filter(|request| request.is_whole).cloned().collect()
    }

    /// All requests with a complete head.
    pub fn heads(&self) -> Vec<Request> {
        self.log.requests().clone()
    }

    /// The number of [`requests`](Self::requests), without a copy of their payloads.
    pub fn count(&self) -> usize {
        self.log.requests().iter().filter(|request| request.is_whole).count()
    }

    /// The [`requests`](Self::requests) of one path.
    pub fn requests_for(&self, path: &str) -> Vec<Request> {
        self.requests().into_iter().filter(|request| request.path() == path).collect()
    }

    /// The payload of the last request for a path; empty if there is none.
    pub fn stored(&self, path: &str) -> Vec<u8> {
        self.requests_for(path).pop().map(|request| request.body).unwrap_or_default()
    }

    /// The targets of the [`requests`](Self::requests).
    pub fn targets(&self) -> Vec<String> {
        self.requests().into_iter().map(|request| request.target).collect()
    }

    /// The times between the heads of the requests.
    pub fn pauses(&self) -> Vec<Duration> {
        self.heads().windows(2).map(|pair| pair[1].at - pair[0].at).collect()
    }

    /// The number of connections that were opened.
    pub fn connections(&self) -> usize {
        self.log.opened.load(Ordering::SeqCst)
    }

    /// The number of connections that were closed, by either side.
    pub fn closed(&self) -> usize {
        self.log.closed.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tasks.abort_all();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Builder {
    /// Calls `answer` when the head of a request is complete. The [`Step`]s of the answer read the payload.
    #[must_use]
    pub fn answers_heads(self) -> Self {
        Self { answers_heads: true, ..self }
    }

    /// Counts the bytes of payloads, and does not keep them.
    #[must_use]
    pub fn discards_payloads(self) -> Self {
        Self { discards_payloads: true, ..self }
    }

    /// Sets the receive buffer of each connection, in bytes. With a small buffer, a client can send little more than the server has
    /// read.
    #[must_use]
    pub fn receive_buffer(self, bytes: usize) -> Self {
        Self { receive_buffer: Some(bytes), ..self }
    }

    /// See [`Server::start`].
    pub fn start(self, answer: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> Server {
        self.start_on(free_port(), answer)
    }

    /// Like [`start`](Self::start), on this port.
    pub fn start_on(
        self,
        port: std::net::TcpListener,
        answer: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static,
    ) -> Server {
        let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let mut server = {
            let _entered = runtime.enter();
            self.listen(port, answer)
        };
        server.runtime = Some(runtime);
        server
    }

    /// See [`Server::start_here`].
    pub fn start_here(self, answer: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> Server {
        let mut server = self.listen(free_port(), answer);
        // Prevents a paused clock from advancing while bytes are on their way through the system.
        server.tasks.spawn(async {
            loop {
                sleep(Duration::from_millis(250)).await;
                std::thread::sleep(Duration::from_micros(50));
            }
        });
        server
    }

    fn listen(
        self,
        listener: std::net::TcpListener,
        answer: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static,
    ) -> Server {
        listener.set_nonblocking(true).unwrap();
        if let Some(bytes) = self.receive_buffer {
            SockRef::from(&listener).set_recv_buffer_size(bytes).unwrap();
        }
        let address = listener.local_addr().unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let (answer, log): (Arc<Answer>, _) = (Arc::new(answer), Arc::<Log>::default());
        let shared = Arc::clone(&log);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&shared));
                connections.spawn(async move {
                    let number = log.opened.fetch_add(1, Ordering::SeqCst);
                    // An error is ignored: in many tests the client closes the connection in the middle of a request.
                    drop(connection::serve(stream, number, self, &log, &*answer).await);
                    log.closed.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        Server { address, log, runtime: None, tasks }
    }
}

impl Log {
    /// Adds a request. Returns its number, and the number of earlier requests for the same path.
    fn add(&self, request: Request) -> (usize, usize) {
        let before = {
            let mut by_path = self.by_path.lock().unwrap_or_else(PoisonError::into_inner);
            let count = by_path.entry(request.path().to_owned()).or_default();
            *count += 1;
            *count - 1
        };
        let mut requests = self.requests();
        requests.push(request);
        (requests.len() - 1, before)
    }

    fn requests(&self) -> MutexGuard<'_, Vec<Request>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn free_port() -> std::net::TcpListener {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap()
}

/// Gives these answers in order, for any requests. The last answer is repeated.
pub fn script(replies: impl IntoIterator<Item = Reply>) -> impl Fn(&Request, usize) -> Reply + Send + Sync + 'static {
    let replies: Vec<Reply> = replies.into_iter().collect();
    let next = AtomicUsize::new(0);
    move |_, _| replies[next.fetch_add(1, Ordering::SeqCst).min(replies.len() - 1)].clone()
}

/// Returns a port that refuses connections. It is bound, so that no other program gets it, but it does not listen.
pub fn refusing_port() -> (Socket, SocketAddr) {
    let port = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    port.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = port.local_addr().unwrap().as_socket().unwrap();
    (port, address)
}

#[cfg(test)]
mod tests;
