//! A connection, which belongs to one request at a time.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::{Handle, Id};

use crate::net::socket::Socket;
use crate::net::track::{CurrentTrack, Track, Tracked};
use crate::payload::Outgoing;

/// TCP, or TLS over it, or TLS over the TLS to a proxy.
pub(crate) type Stream = Box<dyn ReadWrite>;

type Driver = http1::Connection<TokioIo<Tracked<Stream>>, Outgoing>;

/// The traits that a [`Stream`] needs.
pub(crate) trait ReadWrite: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ReadWrite for T {}

/// How much of a request hyper may buffer, and how long the head of a response may be. The buffer is small, so that a piece of
/// the payload that hyper takes is soon sent.
pub(crate) const MAX_HEAD_BYTES: usize = 64 * 1024;

/// How many lines the head of a response may have: hyper's default, which is not set because setting it costs one allocation for
/// each response.
pub(crate) const MAX_HEAD_LINES: usize = 100;

/// A connection. Its owner must poll it, because no task drives it. Dropping it closes it.
pub(crate) struct Connection {
    sender: SendRequest<Outgoing>,
    /// `None` when the connection is over.
    driver: Option<Driver>,
    current: CurrentTrack,
    socket: Socket,
    is_to_proxy: bool,
    is_reused: bool,
    runtime: Id,
}

impl Connection {
    /// Speaks HTTP/1.1 on `stream`, whose TCP connection is `socket`. With `is_to_proxy`, requests name the whole URL (RFC 9112
    /// §3.2.2).
    pub(crate) async fn new(stream: Stream, socket: Socket, is_to_proxy: bool) -> hyper::Result<Self> {
        let current = CurrentTrack::default();
        let io = TokioIo::new(Tracked::new(stream, current.clone()));
        let (sender, driver) = http1::Builder::new()
            .max_buf_size(MAX_HEAD_BYTES)
            // U11: a stored object must not be reported as failed because of header lines that other clients accept.
            .allow_spaces_after_header_name_in_responses(true)
            .allow_obsolete_multiline_headers_in_responses(true)
            .handshake(io)
            .await?;
        let runtime = Handle::current().id();
        Ok(Self { sender, driver: Some(driver), current, socket, is_to_proxy, is_reused: false, runtime })
    }

    /// The runtime that made the connection. The connection ends with this runtime.
    pub(crate) fn runtime(&self) -> Id {
        self.runtime
    }

    /// The TCP connection.
    pub(crate) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Whether requests have to name the whole URL.
    pub(crate) fn is_to_proxy(&self) -> bool {
        self.is_to_proxy
    }

    /// Whether the connection has served a request before.
    pub(crate) fn is_reused(&self) -> bool {
        self.is_reused
    }

    /// Reports all events from now on to `track`.
    pub(crate) fn report_to(&self, track: Arc<Track>) {
        self.current.set(Some(track));
    }

    /// Starts to send a request. Nothing happens until the connection is polled.
    pub(crate) fn send(
        &mut self,
        message: Request<Outgoing>,
    ) -> impl Future<Output = Result<Response<Incoming>, TrySendError<Request<Outgoing>>>> + use<> {
        self.sender.try_send_request(message)
    }

    /// Drives the connection as far as possible without waiting.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) {
        let over = self.driver.as_mut().map(|driver| Pin::new(driver).poll(cx));
        match over {
            // hyper has reported the error to the request, if there is one.
            Some(Poll::Ready(result)) => {
                tracing::trace!(?result, "the connection is over");
                self.driver = None;
            }
            Some(Poll::Pending) | None => {}
        }
    }

    /// Ends the current request. Returns `None` if the connection cannot serve another request.
    pub(crate) fn end_request(mut self) -> Option<Self> {
        self.current.set(None);
        self.is_reused = true;
        self.is_alive().then_some(self)
    }

    /// Whether the idle connection can serve a request: it is not closed, and no unrequested bytes have arrived (RFC 9112 §9.2).
    pub(crate) fn is_usable(&mut self) -> bool {
        if self.socket.is_silent() {
            return self.is_alive();
        }
        // Something has arrived: the end of the connection, or a TLS message such as a session ticket.
        self.poll(&mut Context::from_waker(Waker::noop()));
        self.is_alive() && self.socket.is_silent()
    }

    fn is_alive(&self) -> bool {
        self.driver.is_some() && self.sender.is_ready()
    }
}
