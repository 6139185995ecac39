//! A server on loopback whose connections can be reset. `encord-dev-platform` uses it too.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

/// The limits of the head of a request: bytes, headers and time.
const MAX_HEAD_BYTES: usize = 64 * 1024;
const MAX_HEADERS: usize = 128;
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the rest of a request is read after it was refused. Without this, a reset could destroy the answer.
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);

/// How long requests may still run after the server was told to end.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

/// Answers the requests of a server.
pub trait Handler: Send + Sync + 'static {
    /// The body of a response.
    type Body: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static;

    /// Answers a request.
    ///
    /// # Errors
    ///
    /// [`ResetConnection`] resets the connection; there is no answer.
    fn handle(
        &self,
        request: Request<Incoming>,
        control: &ConnectionControl,
    ) -> impl Future<Output = Result<Response<Self::Body>, ResetConnection>> + Send;
}

/// Tells the server to reset the connection.
#[derive(Debug, Error)]
#[error("reset, as planned")]
pub struct ResetConnection;

/// The error when the port cannot be had.
#[derive(Debug, Error)]
#[error("cannot listen on {addr}: {source}")]
#[non_exhaustive]
pub struct BindError {
    /// The address.
    pub addr: SocketAddr,
    /// The reason.
    pub source: io::Error,
}

/// A port that is bound and does not accept connections yet.
#[derive(Debug)]
pub struct BoundPort {
    listener: TcpListener,
    addr: SocketAddr,
    shutdown: watch::Sender<bool>,
}

impl BoundPort {
    /// Binds this port of `127.0.0.1`. Port 0 binds a free one.
    ///
    /// # Errors
    ///
    /// [`BindError`] if the port cannot be bound.
    pub async fn bind(port: u16) -> Result<Self, BindError> {
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let failed = |source| BindError { addr, source };
        let listener = TcpListener::bind(addr).await.map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, addr, shutdown: watch::Sender::new(false) })
    }

    /// Returns the signal for the end of the server.
    pub fn shutdown_signal(&self) -> ShutdownSignal {
        ShutdownSignal(self.shutdown.subscribe())
    }

    /// Accepts connections from now on, on the runtime of the caller.
    pub fn serve(self, handler: impl Handler) -> Server {
        let signal = self.shutdown_signal();
        let Self { listener, addr, shutdown } = self;
        Server { addr, shutdown, task: tokio::spawn(accept(listener, Arc::new(handler), signal)) }
    }
}

/// A server that runs. It ends when this is dropped, or in an orderly way by [`Server::shutdown`].
pub struct Server {
    addr: SocketAddr,
    shutdown: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Server {
    /// The address on which it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Accepts no more requests, and waits up to 5 s for those that still run.
    pub async fn shutdown(mut self) {
        self.shutdown.send_replace(true);
        // An error means that a connection's task panicked. The server has ended all the same.
        drop((&mut self.task).await);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("addr", &self.addr).finish_non_exhaustive()
    }
}

/// Says when a server ends.
#[derive(Clone, Debug)]
pub struct ShutdownSignal(watch::Receiver<bool>);

impl ShutdownSignal {
    /// Waits until the server ends.
    pub async fn wait(&mut self) {
        // An error means that the server was dropped.
        drop(self.0.wait_for(|ends| *ends).await);
    }
}

async fn accept<H: Handler>(listener: TcpListener, handler: Arc<H>, mut signal: ShutdownSignal) {
    let mut connections = JoinSet::new();
    let for_connections = signal.clone();
    loop {
        tokio::select! {
            () = signal.wait() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(serve(stream, Arc::clone(&handler), for_connections.clone()))),
                // For example, too many open files.
                Err(_) => sleep(Duration::from_millis(50)).await,
            },
        }
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    // Connections that still run after the grace are dropped with the set.
    drop(timeout(SHUTDOWN_GRACE, all).await);
}

async fn serve<H: Handler>(stream: TcpStream, handler: Arc<H>, mut signal: ShutdownSignal) {
    // This fails only if the connection has already ended.
    drop(stream.set_nodelay(true));
    let control = Arc::new(ConnectionControl::default());
    let io = TokioIo::new(ResettableStream { stream, control: Arc::clone(&control) });
    let service = service_fn(move |request| {
        let (handler, control) = (Arc::clone(&handler), Arc::clone(&control));
        Box::pin(async move { handler.handle(request, &control).await.inspect_err(|_| control.reset()) })
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES)
        .half_close(true)
        .serve_connection(io, service);
    let mut ending = false;
    loop {
        tokio::select! {
            // An error ends the connection too: the client went away, the head is invalid, or a reset was planned.
            _ = std::future::poll_fn(|context| connection.poll_without_shutdown(context)) => break,
            () = signal.wait(), if !ending => {
                ending = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
        }
    }
    let mut stream = connection.into_parts().io.into_inner();
    if !stream.control.reset.load(Ordering::Acquire) {
        drop(timeout(LINGER_TIMEOUT, linger(&mut stream)).await);
    }
}

/// Closes the sending side, and reads until the client closes its side.
async fn linger(stream: &mut ResettableStream) -> io::Result<()> {
    stream.shutdown().await?;
    let mut buffer = vec![0; 64 * 1024];
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}

/// Lets a handler control its connection.
#[derive(Debug, Default)]
pub struct ConnectionControl {
    reset: AtomicBool,
    held: AtomicBool,
}

impl ConnectionControl {
    fn reset(&self) {
        self.reset.store(true, Ordering::Release);
    }

    /// Call this when the request is neither read further nor answered. The server then still notices when the client
    /// closes the connection, and drops the handler's future.
    pub fn hold(&self) {
        self.held.store(true, Ordering::Release);
    }
}

/// A TCP stream that sends a reset when it is dropped, if [`ConnectionControl::reset`] was called.
struct ResettableStream {
    stream: TcpStream,
    control: Arc<ConnectionControl>,
}

impl ResettableStream {
    /// Fails if the client has closed the connection; otherwise wakes `cx` when it does. hyper does not notice this itself
    /// while it reads nothing.
    fn check_closed(&self, cx: &mut Context<'_>) -> io::Result<()> {
        while let Poll::Ready(ready) = self.stream.poll_read_ready(cx) {
            ready?;
            let state = pin!(self.stream.ready(Interest::READABLE)).poll(cx)?;
            if matches!(state, Poll::Ready(state) if state.is_read_closed()) {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            // Bytes have arrived. They stay unread; this clears the readiness, so that the next event wakes `cx`.
            drop(self.stream.try_io(Interest::READABLE, || io::Result::<()>::Err(io::ErrorKind::WouldBlock.into())));
        }
        Ok(())
    }
}

impl Drop for ResettableStream {
    fn drop(&mut self) {
        if self.control.reset.load(Ordering::Acquire) {
            drop(self.stream.set_zero_linger());
        }
    }
}

impl AsyncRead for ResettableStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for ResettableStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    /// hyper calls this each time the connection is woken.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.control.held.load(Ordering::Acquire) {
            self.check_closed(cx)?;
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
