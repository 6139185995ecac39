//! Accepts and serves connections, and ends them in order or by a reset. The emulator of the platform uses it too.

use std::error::Error;
use std::io;
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
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// The limits of the head of a request: bytes, headers and time.
const MAX_HEAD: usize = 64 * 1024;
const MAX_HEADERS: usize = 128;
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the rest of a request is read after it was refused. Without this, a reset could destroy the answer.
const LINGER: Duration = Duration::from_secs(2);

/// Answers the requests of a server.
pub trait Answers: Send + Sync + 'static {
    /// The body of an answer.
    type Body: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static;

    /// The answer to a request.
    ///
    /// # Errors
    ///
    /// [`Cut`] when the connection is to be reset instead.
    fn answer(
        &self,
        request: Request<Incoming>,
        link: &Link,
    ) -> impl Future<Output = Result<Response<Self::Body>, Cut>> + Send;
}

/// The connection is to be reset.
#[derive(Debug, Error)]
#[error("reset, as planned")]
pub struct Cut;

/// Serves connections until `closes` says so; requests that are under way then have `grace` to end.
pub async fn accept<S: Answers>(
    listener: TcpListener,
    service: Arc<S>,
    mut closes: watch::Receiver<bool>,
    grace: Duration,
) {
    let mut connections = JoinSet::new();
    let closing = closes.clone();
    loop {
        tokio::select! {
            () = closed(&mut closes) => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(serve(stream, Arc::clone(&service), closing.clone()))),
                // Such as too many open files.
                Err(_) => sleep(Duration::from_millis(50)).await,
            },
        }
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    // Those that are not done by then are dropped with the set.
    drop(timeout(grace, all).await);
}

/// Ready once the service ends.
pub async fn closed(closes: &mut watch::Receiver<bool>) {
    // An error means that the service is gone.
    drop(closes.wait_for(|closes| *closes).await);
}

async fn serve<S: Answers>(stream: TcpStream, service: Arc<S>, mut closes: watch::Receiver<bool>) {
    // Fails only on a connection that is gone.
    drop(stream.set_nodelay(true));
    let link = Arc::new(Link::default());
    let wire = TokioIo::new(Wire { stream, link: Arc::clone(&link) });
    let answer = service_fn(move |request| {
        let (service, link) = (Arc::clone(&service), Arc::clone(&link));
        Box::pin(async move { service.answer(request, &link).await.inspect_err(|_| link.reset()) })
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD)
        .half_close(true)
        .serve_connection(wire, answer);
    let mut closing = false;
    loop {
        tokio::select! {
            // An error is the end too: the client's going away, a head that cannot be read, a planned reset.
            _ = std::future::poll_fn(|context| connection.poll_without_shutdown(context)) => break,
            () = closed(&mut closes), if !closing => {
                closing = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
        }
    }
    let mut wire = connection.into_parts().io.into_inner();
    if !wire.link.reset.load(Ordering::Acquire) {
        drop(timeout(LINGER, linger(&mut wire)).await);
    }
}

/// Says that nothing more comes, and reads until the other side has nothing either.
async fn linger(wire: &mut Wire) -> io::Result<()> {
    wire.shutdown().await?;
    let mut buffer = vec![0; 64 * 1024];
    while wire.read(&mut buffer).await? > 0 {}
    Ok(())
}

/// What the answers on a connection tell its wire.
#[derive(Debug, Default)]
pub struct Link {
    reset: AtomicBool,
    held: AtomicBool,
}

impl Link {
    /// The connection is to be reset.
    pub fn reset(&self) {
        self.reset.store(true, Ordering::Release);
    }

    /// Nothing will be read any more, nor answered.
    pub fn hold(&self) {
        self.held.store(true, Ordering::Release);
    }
}

/// A connection that resets when it is dropped, if it was told to.
struct Wire {
    stream: TcpStream,
    link: Arc<Link>,
}

impl Wire {
    /// Fails once the client has gone, of which nobody would learn who does not read. Until then `cx` is woken when it goes.
    fn watch(&self, cx: &mut Context<'_>) -> io::Result<()> {
        while let Poll::Ready(news) = self.stream.poll_read_ready(cx) {
            news?;
            let state = pin!(self.stream.ready(Interest::READABLE)).poll(cx)?;
            if matches!(state, Poll::Ready(state) if state.is_read_closed()) {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            // They are bytes, which stay unread; what comes after them is news again.
            drop(self.stream.try_io(Interest::READABLE, || io::Result::<()>::Err(io::ErrorKind::WouldBlock.into())));
        }
        Ok(())
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.link.reset.load(Ordering::Acquire) {
            drop(self.stream.set_zero_linger());
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    /// Asked by hyper whenever the connection is woken.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.link.held.load(Ordering::Acquire) {
            self.watch(cx)?;
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
