//! A TCP connection, with questions to the operating system about its queues.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Well below 350 s, after which the stricter cloud NAT gateways drop a silent connection.
const TCP_KEEPALIVE: Duration = Duration::from_secs(60);

/// How many unsent bytes of a payload the system may hold (rule R8). A smaller limit would cost speed, because the sender is
/// woken each time half of it is free.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT_BYTES: u32 = 256 * 1024;

/// A TCP connection. Clones share the same socket.
#[derive(Debug, Clone)]
pub(crate) struct Socket(Arc<Mutex<TcpStream>>);

impl Socket {
    /// Takes a new connection and sets its options.
    pub(crate) fn new(stream: TcpStream) -> Self {
        // A failure to set an option is ignored: the connection still works, only a little worse.
        let _ = stream.set_nodelay(true);
        let _ = SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(TCP_KEEPALIVE));
        let new = Self(Arc::new(Mutex::new(stream)));
        #[cfg(any(target_os = "linux", target_os = "android"))]
        new.set_unsent_bytes(UNSENT_BYTES);
        new
    }

    /// Whether there is nothing to read: no byte, no end, no reset. Asks the system, because the runtime may not have received
    /// the event yet.
    pub(crate) fn is_silent(&self) -> bool {
        let peeked = SockRef::from(&*self.lock()).peek(&mut [MaybeUninit::uninit()]);
        peeked.is_err_and(|e| e.kind() == io::ErrorKind::WouldBlock)
    }

    /// Waits until the system has sent all bytes that it holds. Calls `moved` each time a good part of the rest has been sent.
    ///
    /// Linux can report when fewer than a given number of bytes are unsent. On other systems the wait ends at once.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(crate) async fn drained(self, moved: impl Fn()) {
        let mut unsent = UNSENT_BYTES / 2;
        while unsent > 0 {
            self.set_unsent_bytes(unsent);
            // A new registration makes tokio check the descriptor again; the connection's own registration keeps its old state.
            let Ok(copy) = SockRef::from(&*self.lock()).try_clone() else { break };
            let Ok(watched) = TcpStream::from_std(copy.into()) else { break };
            if watched.writable().await.is_err() {
                break;
            }
            moved();
            unsent = if unsent > 1 { (unsent / 4).max(1) } else { 0 };
        }
        self.set_unsent_bytes(UNSENT_BYTES);
    }

    /// Other systems do not report this.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(crate) async fn drained(self, moved: impl Fn()) {
        moved();
    }

    fn lock(&self) -> MutexGuard<'_, TcpStream> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn set_unsent_bytes(&self, bytes: u32) {
        let _ = SockRef::from(&*self.lock()).set_tcp_notsent_lowat(bytes);
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.lock()).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.lock()).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_shutdown(cx)
    }
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn r8_what_the_system_holds_is_sent_when_the_peer_has_room_for_it() {
        const BYTES: usize = 200 * 1024;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        SockRef::from(&listener).set_recv_buffer_size(4096).expect("small");
        let stream = TcpStream::connect(listener.local_addr().expect("bound")).await.expect("connected");
        let mut socket = Socket::new(stream);
        let limit = SockRef::from(&*socket.lock()).tcp_notsent_lowat().expect("set");
        assert_eq!(limit, UNSENT_BYTES);
        let (mut peer, _) = listener.accept().await.expect("accepted");
        // The system takes them all.
        socket.write_all(&vec![0; BYTES]).await.expect("taken");
        let moved = AtomicBool::new(false);
        let mut drained = std::pin::pin!(socket.drained(|| moved.store(true, Ordering::Relaxed)));
        assert!(timeout(Duration::from_millis(100), &mut drained).await.is_err());
        let mut read = vec![0; BYTES];
        let ((), read) = tokio::join!(drained, peer.read_exact(&mut read));
        assert_eq!(read.expect("read"), BYTES);
        assert!(moved.load(Ordering::Relaxed));
    }
}
