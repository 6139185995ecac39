//! Connections: DNS, TCP, proxy, TLS, under one timer, with failures told apart.

use std::error::Error as StdError;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper::rt::{Read, Write};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::attempt::{Fault, FaultKind};
use crate::clock::Limit;
use crate::hosts::{ASKING, Asking};
use crate::proxy::Proxies;
use crate::tls::{self, Tls};
use crate::tunnel;
use crate::wire::Tracked;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
/// TCP to the host or to its proxy; to a proxy perhaps with TLS.
type Line = MaybeHttpsStream<TokioIo<TcpStream>>;
/// The same with TLS to the host.
type Stream = MaybeHttpsStream<Line>;

/// TCP keep-alive: well below the 350 s after which the stricter cloud NAT gateways forget a silent connection.
const TCP_KEEPALIVE: Duration = Duration::from_secs(60);

/// Makes connections that tell what happens on them.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    dialer: Dialer,
}

/// A failure to connect, as it travels through hyper-util's error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ConnectError(pub(crate) Fault);

impl Connector {
    pub(crate) fn new(tls: Tls, proxies: Arc<Proxies>) -> Self {
        Self { dialer: Dialer { tcp: Tcp::new(), tls, proxies } }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Tracked<TokioIo<Stream>>>;
    type Error = ConnectError;
    type Future = BoxFuture<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Self { dialer } = self.clone();
        let asking = ASKING.try_with(Asking::clone).ok();
        let connect_timeout = asking.as_ref().and_then(Asking::connect_timeout);
        Box::pin(async move {
            let place = match asking {
                // Nobody reads this: the request has a connection.
                Some(asking) => Some(asking.place().await.ok_or_else(|| {
                    ConnectError(Fault::new(FaultKind::Unreachable, "another connection became idle first"))
                })?),
                None => None,
            };
            // To a proxy without a tunnel the request is to be sent in another form (RFC 9112 §3.2.2).
            let proxied = uri.scheme() == Some(&Scheme::HTTP) && matches!(dialer.proxies.select(&uri), Ok(Some(_)));
            let tls = dialer.tls.clone();
            let connecting = connect(dialer, uri, &tls);
            // The request's own clock gives up at the same moment. This timer is for a connection that hyper-util goes on with
            // in the background, after another one became free for the request.
            let connected = match connect_timeout {
                Some(limit) => tokio::time::timeout(limit, connecting)
                    .await
                    .map_err(|_| ConnectError(Fault::new(FaultKind::TimedOut(Limit::Connect), "")))?,
                None => connecting.await,
            };
            Ok(TokioIo::new(Tracked::new(TokioIo::new(connected?)).proxied(proxied).in_place(place)))
        })
    }
}

/// A connection of `inner`, with TLS over it if the URL asks for that.
async fn connect<S>(mut inner: S, uri: Uri, tls: &Tls) -> Result<MaybeHttpsStream<S::Response>, ConnectError>
where
    S: Service<Uri, Error = ConnectError>,
    S::Response: Connection + Read + Write + Send + Unpin + 'static,
    S::Future: Send + 'static,
{
    if uri.scheme() == Some(&Scheme::HTTP) {
        return inner.call(uri).await.map(MaybeHttpsStream::Http);
    }
    let config = tls.config().map_err(ConnectError)?;
    HttpsConnector::from((inner, config)).call(uri).await.map_err(|e| match e.downcast::<ConnectError>() {
        Ok(inner) => *inner,
        Err(e) => ConnectError(tls::classify(e.as_ref())),
    })
}

/// Makes the connection to a host, straight or through a proxy.
#[derive(Debug, Clone)]
struct Dialer {
    tcp: Tcp,
    tls: Tls,
    proxies: Arc<Proxies>,
}

impl Dialer {
    async fn dial(mut self, uri: Uri) -> Result<Line, ConnectError> {
        let Some(proxy) = self.proxies.select(&uri).map_err(ConnectError)? else {
            return self.tcp.call(uri).await.map(MaybeHttpsStream::Http);
        };
        let line = connect(self.tcp, proxy.uri().clone(), &self.tls).await;
        let mut line = line.map_err(|ConnectError(fault)| ConnectError(proxy.blame(&fault)))?;
        if uri.scheme() != Some(&Scheme::HTTP) {
            tunnel::open(&mut line, &uri, proxy).await.map_err(ConnectError)?;
        }
        Ok(line)
    }
}

impl Service<Uri> for Dialer {
    type Response = Line;
    type Error = ConnectError;
    type Future = BoxFuture<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().dial(uri))
    }
}

/// TCP, to every address of a name until one answers.
#[derive(Debug, Clone)]
struct Tcp(HttpConnector<Resolver>);

impl Tcp {
    fn new() -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Resolver(GaiResolver::new()));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(TCP_KEEPALIVE));
        Self(tcp)
    }
}

impl Service<Uri> for Tcp {
    type Response = TokioIo<TcpStream>;
    type Error = ConnectError;
    type Future = BoxFuture<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.0.call(uri);
        Box::pin(async move { connecting.await.map_err(|e| ConnectError(classify(e))) })
    }
}

/// R3: which failures of TCP are which.
fn classify(error: impl StdError + Send + Sync + 'static) -> Fault {
    let mut fault = Fault::new(FaultKind::Unreachable, chain_text(&error));
    for cause in chain(&error) {
        if cause.is::<DnsError>() {
            fault = Fault::new(FaultKind::Dns, chain_text(cause));
        }
        if cause.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::ConnectionRefused) {
            fault = Fault::new(FaultKind::Refused, "");
        }
    }
    fault.with_source(error)
}

/// An error and its causes. An `io::Error` made from another error answers `source` with that error's source, so what it wraps
/// is looked up by hand.
pub(crate) fn chain<'e>(error: &'e (dyn StdError + 'static)) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    fn cause<'e>(error: &&'e (dyn StdError + 'static)) -> Option<&'e (dyn StdError + 'static)> {
        let error: &'e (dyn StdError + 'static) = *error;
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    }
    std::iter::successors(Some(error), cause)
}

/// The texts of an error and its causes, without those that repeat the one before.
pub(crate) fn chain_text(error: &(dyn StdError + 'static)) -> String {
    let mut text = String::new();
    for cause in chain(error) {
        let cause = cause.to_string();
        if !text.ends_with(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
    }
    text
}

/// The system's resolver, with an error type that can be told from a failure of TCP.
#[derive(Debug, Clone)]
struct Resolver(GaiResolver);

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct DnsError(String);

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = DnsError;
    type Future = BoxFuture<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx).map_err(|e| DnsError(e.to_string()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolving = self.0.call(name);
        Box::pin(async move {
            let addresses: Vec<_> = resolving.await.map_err(|e| DnsError(chain_text(&e)))?.collect();
            if addresses.is_empty() { Err(DnsError("no address".into())) } else { Ok(addresses.into_iter()) }
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use tokio::time::Instant;

    use super::*;
    use crate::hosts::Hosts;
    use crate::tls::TlsOptions;
    use crate::wire::Progress;

    /// hyper-util goes on with a connection whose request got another one.
    #[tokio::test(start_paused = true)]
    async fn r7_a_try_to_connect_ends_at_connect_timeout_also_when_nobody_waits_for_it() {
        const LIMIT: Duration = Duration::from_secs(600);
        let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let uri: Uri = format!("https://{}/", silent.local_addr().expect("an address")).parse().expect("a URL");
        let began = Instant::now();
        let request = Hosts::default().begin(&uri).expect("a host");
        let asking = request.asking(Arc::new(Progress::new(began, false)), Some(LIMIT));
        let mut connector = Connector::new(Tls::new(TlsOptions::default()), Arc::new(Proxies::none()));
        let connecting = ASKING.scope(asking, async { connector.call(uri).await });
        let outcome = tokio::time::timeout(2 * LIMIT, connecting).await.expect("it ends");
        assert_eq!(outcome.err().map(|ConnectError(fault)| fault.kind()), Some(FaultKind::TimedOut(Limit::Connect)));
        assert!((LIMIT..LIMIT + Duration::from_secs(1)).contains(&began.elapsed()), "{:?}", began.elapsed());
    }
}
