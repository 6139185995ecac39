//! Makes connections: direct or through a proxy, with or without TLS.

use std::sync::Arc;
use std::time::Duration;

use encord_signed_url::Origin;
use tokio::time::{Instant, sleep};

use crate::fault::{Fault, FaultKind};
use crate::net::addresses;
use crate::net::connection::{Connection, Stream};
use crate::net::pool::Pool;
use crate::net::socket::Socket;
use crate::net::tls::Tls;
use crate::net::tunnel;
use crate::proxy::Proxies;
use crate::rules::classify::{During, classify, is_short_of_descriptors, lacked_descriptor};

/// How long an attempt waits for a free file descriptor, and how often it checks.
const MAX_DESCRIPTOR_WAIT: Duration = Duration::from_secs(10);
const DESCRIPTOR_CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// Makes the new connections of a client.
#[derive(Clone)]
pub(crate) struct Dialer {
    pub(crate) tls: Tls,
    pub(crate) proxies: Arc<Proxies>,
    pub(crate) pool: Arc<Pool>,
}

impl Dialer {
    /// Makes a new connection for requests to `origin`. `turn` selects the address to begin with; `limit` bounds the whole call.
    pub(crate) async fn connect(
        &self,
        origin: &Origin,
        turn: usize,
        limit: Option<Duration>,
    ) -> Result<Connection, Fault> {
        let Some(proxy) = self.proxies.select(origin)? else {
            let (mut stream, socket) = self.tcp(origin, turn, limit).await?;
            if origin.is_https() {
                stream = self.tls.connect(stream, origin).await?;
            }
            return http(stream, socket, false).await;
        };
        let to_proxy = async {
            let (stream, socket) = self.tcp(proxy.origin(), turn, limit).await?;
            let is_secure = proxy.origin().is_https();
            let stream = if is_secure { self.tls.connect(stream, proxy.origin()).await? } else { stream };
            Ok((stream, socket))
        };
        let (mut stream, socket) = to_proxy.await.map_err(|fault| proxy.annotate(&fault))?;
        if !origin.is_https() {
            return http(stream, socket, true).await;
        }
        tunnel::open(&mut stream, origin, proxy).await?;
        http(self.tls.connect(stream, origin).await?, socket, false).await
    }

    /// Connects by TCP.
    async fn tcp(&self, to: &Origin, turn: usize, limit: Option<Duration>) -> Result<(Stream, Socket), Fault> {
        let stream = self.with_descriptor(|| addresses::connect(to.host(), to.port(), turn, limit)).await?;
        let socket = Socket::new(stream);
        Ok((Box::new(socket.clone()), socket))
    }

    /// Opens a file or a connection. When no file descriptor is left, it closes the idle connections, or waits a moment if there
    /// are none, and tries again, because descriptors may soon be free.
    pub(crate) async fn with_descriptor<T, F>(&self, open: impl Fn() -> F) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        let began = Instant::now();
        loop {
            match open().await {
                Err(fault) if is_short(&fault) && began.elapsed() < MAX_DESCRIPTOR_WAIT => {
                    if self.pool.close_idle() == 0 {
                        sleep(DESCRIPTOR_CHECK_INTERVAL).await;
                    }
                }
                opened => return opened,
            }
        }
    }
}

async fn http(stream: Stream, socket: Socket, is_to_proxy: bool) -> Result<Connection, Fault> {
    Connection::new(stream, socket, is_to_proxy).await.map_err(|e| classify(e, During::Exchange))
}

/// Whether no descriptor was left. The resolver does not say why it failed, so that is tried.
fn is_short(fault: &Fault) -> bool {
    lacked_descriptor(fault) || (fault.kind() == FaultKind::Dns && no_descriptor_left())
}

fn no_descriptor_left() -> bool {
    use socket2::{Domain, Socket, Type};
    Socket::new(Domain::IPV4, Type::STREAM, None).is_err_and(|e| is_short_of_descriptors(&e))
}
