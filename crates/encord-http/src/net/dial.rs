//! Makes connections: straight, through a proxy, with TLS.

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
use crate::rules::classify::{During, classify, is_short_of_descriptors};

/// How long a try to connect waits for a file descriptor, and how often it looks.
const DESCRIPTOR_WAIT: Duration = Duration::from_secs(10);
const DESCRIPTOR_PAUSE: Duration = Duration::from_millis(50);

/// What new connections need.
#[derive(Clone)]
pub(crate) struct Dialer {
    pub(crate) tls: Tls,
    pub(crate) proxies: Arc<Proxies>,
    pub(crate) pool: Arc<Pool>,
}

impl Dialer {
    /// A new connection for requests to `origin`. `turn` says with which of its addresses to begin, `limit` how long it may take.
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
        let line = async {
            let (stream, socket) = self.tcp(proxy.origin(), turn, limit).await?;
            let is_secure = proxy.origin().is_https();
            let stream = if is_secure { self.tls.connect(stream, proxy.origin()).await? } else { stream };
            Ok((stream, socket))
        };
        let (mut stream, socket) = line.await.map_err(|fault| proxy.blame(&fault))?;
        if !origin.is_https() {
            return http(stream, socket, true).await;
        }
        tunnel::open(&mut stream, origin, proxy).await?;
        http(self.tls.connect(stream, origin).await?, socket, false).await
    }

    /// TCP. Where descriptors are short, idle connections are given back, and others may soon be.
    async fn tcp(&self, to: &Origin, turn: usize, limit: Option<Duration>) -> Result<(Stream, Socket), Fault> {
        let began = Instant::now();
        loop {
            let fault = match addresses::connect(to.host(), to.port(), turn, limit).await {
                Ok(stream) => {
                    let socket = Socket::new(stream);
                    return Ok((Box::new(socket.clone()), socket));
                }
                Err(fault) => fault,
            };
            let is_short = fault.kind() == FaultKind::Local || (fault.kind() == FaultKind::Dns && no_descriptor_left());
            if !is_short || began.elapsed() >= DESCRIPTOR_WAIT {
                return Err(fault);
            }
            if self.pool.give_back() == 0 {
                sleep(DESCRIPTOR_PAUSE).await;
            }
        }
    }
}

async fn http(stream: Stream, socket: Socket, is_to_proxy: bool) -> Result<Connection, Fault> {
    Connection::new(stream, socket, is_to_proxy).await.map_err(|e| classify(e, During::Exchange))
}

/// The resolver does not say why it failed.
fn no_descriptor_left() -> bool {
    use socket2::{Domain, Socket, Type};
    Socket::new(Domain::IPV4, Type::STREAM, None).is_err_and(|e| is_short_of_descriptors(&e))
}
