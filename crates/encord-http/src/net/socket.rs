//! A TCP connection, with questions to the operating system about its queues.

use std::fs;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::sleep;

/// Well below 350 s, after which the stricter cloud NAT gateways drop a silent connection.
const TCP_KEEPALIVE: Duration = Duration::from_secs(60);

/// How many unsent bytes of a payload the system may hold (rule R8). A smaller limit would cost speed, because the sender is
/// woken each time half of it is free.
#[cfg(any(target_os = "linux", target_os = "android"))]
const MAX_UNSENT_BYTES: u32 = 256 * 1024;

/// How often a connection that is too slow is looked for in the system's list.
const ACKNOWLEDGED_INTERVAL: Duration = Duration::from_millis(500);

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
        new.set_max_unsent_bytes(MAX_UNSENT_BYTES);
        new
    }

    /// Whether there is nothing to read: no byte, no end, no reset. Asks the system, because the runtime may not have received
    /// the event yet.
    pub(crate) fn is_silent(&self) -> bool {
        let peeked = SockRef::from(&*self.lock()).peek(&mut [MaybeUninit::uninit()]);
        peeked.is_err_and(|e| e.kind() == io::ErrorKind::WouldBlock)
    }

    /// Waits until the system has sent all bytes that it holds. Calls `on_progress` each time a good part of the rest has been
    /// sent.
    ///
    /// Linux can report when fewer than a given number of bytes are unsent. On other systems the wait ends at once.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(crate) async fn drained(self, on_progress: impl Fn()) {
        let mut unsent = MAX_UNSENT_BYTES / 2;
        while unsent > 0 {
            self.set_max_unsent_bytes(unsent);
            // A new registration makes tokio check the descriptor again; the connection's own registration keeps its old state.
            let Ok(copy) = SockRef::from(&*self.lock()).try_clone() else { break };
            let Ok(watched) = TcpStream::from_std(copy.into()) else { break };
            if watched.writable().await.is_err() {
                break;
            }
            on_progress();
            unsent = if unsent > 1 { (unsent / 4).max(1) } else { 0 };
        }
        self.set_max_unsent_bytes(MAX_UNSENT_BYTES);
    }

    /// Other systems do not report this.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(crate) async fn drained(self, on_progress: impl Fn()) {
        on_progress();
    }

    /// Returns how many bytes the peer has not acknowledged, sent or not; `None` if this cannot be known. Linux has a list of all
    /// connections with these numbers, which it makes in memory, so reading it does not wait for a disk.
    pub(crate) fn unacknowledged(&self) -> Option<u64> {
        let (local, peer) = {
            let stream = self.lock();
            (stream.local_addr().ok()?, stream.peer_addr().ok()?)
        };
        let list = if local.is_ipv4() { "/proc/self/net/tcp" } else { "/proc/self/net/tcp6" };
        unacknowledged_in(&fs::read_to_string(list).ok()?, local, peer)
    }

    /// Waits until the peer has acknowledged all bytes, or until this cannot be known any more. Calls `on_progress` each time it
    /// has acknowledged some.
    pub(crate) async fn acknowledged(self, on_progress: impl Fn()) {
        let mut least = u64::MAX;
        while let Some(bytes @ 1..) = self.unacknowledged() {
            if bytes < least {
                least = bytes;
                on_progress();
            }
            sleep(ACKNOWLEDGED_INTERVAL).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, TcpStream> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn set_max_unsent_bytes(&self, bytes: u32) {
        let _ = SockRef::from(&*self.lock()).set_tcp_notsent_lowat(bytes);
    }
}

/// Finds a connection in the list of the system.
fn unacknowledged_in(list: &str, local: SocketAddr, peer: SocketAddr) -> Option<u64> {
    let [local, peer] = [local, peer].map(listed);
    list.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        let is_it = words.next() == Some(&local) && words.next() == Some(&peer);
        let (unacknowledged, _) = words.nth(1).filter(|_| is_it)?.split_once(':')?;
        u64::from_str_radix(unacknowledged, 16).ok()
    })
}

/// Writes an address as the list does: words of 32 bits as the machine reads them, and the port.
fn listed(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let words = ip.as_chunks().0.iter().map(|word| format!("{:08X}", u32::from_ne_bytes(*word)));
    format!("{}:{:04X}", words.collect::<String>(), address.port())
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
    use std::future::poll_fn;
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn r8_what_the_system_holds_is_sent_when_the_peer_has_room_for_it() {
        const BYTES: usize = 200 * 1024;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        SockRef::from(&listener).set_recv_buffer_size(4096).expect("small");
        let stream = TcpStream::connect(listener.local_addr().expect("bound")).await.expect("connected");
        let mut socket = Socket::new(stream);
        let limit = SockRef::from(&*socket.lock()).tcp_notsent_lowat().expect("set");
        assert_eq!(limit, MAX_UNSENT_BYTES);
        let (mut peer, _) = listener.accept().await.expect("accepted");
        // The system takes them all.
        socket.write_all(&vec![0; BYTES]).await.expect("taken");
        let moved = AtomicBool::new(false);
        let mut drained = std::pin::pin!(socket.drained(|| moved.store(true, Ordering::Relaxed)));
        let is_waiting = poll_fn(|cx| Poll::Ready(drained.as_mut().poll(cx).is_pending())).await;
        assert!(is_waiting);
        let mut read = vec![0; BYTES];
        let ((), read) = tokio::join!(drained, peer.read_exact(&mut read));
        assert_eq!(read.expect("read"), BYTES);
        assert!(moved.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn r8_what_the_peer_has_no_room_for_is_not_acknowledged() {
        for ip in ["127.0.0.1", "::1"] {
            let Ok(listener) = TcpListener::bind((ip, 0)).await else { continue };
            SockRef::from(&listener).set_recv_buffer_size(4096).expect("small");
            let stream = TcpStream::connect(listener.local_addr().expect("bound")).await.expect("connected");
            let mut socket = Socket::new(stream);
            let (mut peer, _) = listener.accept().await.expect("accepted");
            assert_eq!(socket.unacknowledged(), Some(0));
            let bytes = vec![0; 100 * 1024];
            socket.write_all(&bytes).await.expect("taken");
            assert!(socket.unacknowledged() > Some(50 * 1024), "{ip}: {:?}", socket.unacknowledged());
            let mut read = bytes.clone();
            let ((), read) = tokio::join!(socket.clone().acknowledged(|| ()), peer.read_exact(&mut read));
            assert_eq!((read.expect("read"), socket.unacknowledged()), (bytes.len(), Some(0)));
        }
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn a_connection_is_found_in_the_list_of_the_system() {
        let list = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when\n\
            \x20  0: 0100007F:238C 00000000:0000 0A 00000000:00000000 00:00000000\n\
            \x20 12: 0100007F:1F90 0201A8C0:01BB 01 0000C350:00000001 01:00000014\n";
        let find = |local: &str, peer: &str| {
            unacknowledged_in(list, local.parse().expect("an address"), peer.parse().expect("an address"))
        };
        assert_eq!(find("127.0.0.1:8080", "192.168.1.2:443"), Some(50_000));
        assert_eq!(find("127.0.0.1:8080", "192.168.1.2:444"), None);
        assert_eq!(find("127.0.0.1:9100", "192.168.1.2:443"), None);
        let ip = "[2001:db8::1]:80".parse().expect("an address");
        assert_eq!(listed(ip), "B80D0120000000000000000001000000:0050");
    }
}
