//! Connections: DNS, TCP, TLS, under one timer, with failures told apart.

use std::error::Error as StdError;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::rt::TokioIo;
use rustls::crypto::ring;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::attempt::{Fault, FaultKind};
use crate::clock::Limit;
use crate::wire::Tracked;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type BoxError = Box<dyn StdError + Send + Sync>;
type Tcp = HttpConnector<Resolver>;
type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// TCP keep-alive: well below the 350 s after which the stricter cloud NAT gateways forget a silent connection.
const TCP_KEEPALIVE: Duration = Duration::from_secs(60);

/// Makes connections that tell what happens on them.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    tcp: Tcp,
    tls: Arc<OnceLock<Result<HttpsConnector<Tcp>, Box<str>>>>,
    connect_timeout: Option<Duration>,
}

/// A failure to connect, as it travels through hyper-util's error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ConnectError(pub(crate) Fault);

impl Connector {
    pub(crate) fn new(connect_timeout: Option<Duration>) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Resolver(GaiResolver::new()));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(TCP_KEEPALIVE));
        Self { tcp, tls: Arc::default(), connect_timeout }
    }

    fn connect(&self, uri: Uri) -> Result<BoxFuture<Result<Stream, BoxError>>, Fault> {
        if uri.scheme() == Some(&Scheme::HTTP) {
            let connecting = self.tcp.clone().call(uri);
            return Ok(Box::pin(async move { Ok(MaybeHttpsStream::Http(connecting.await?)) }));
        }
        // Reading the platform's root certificates takes milliseconds and may fail, so it waits for the first https URL.
        match self.tls.get_or_init(|| tls(self.tcp.clone())) {
            Ok(tls) => Ok(tls.clone().call(uri)),
            Err(reason) => Err(Fault::new(FaultKind::Tls, reason.clone())),
        }
    }
}

fn tls(tcp: Tcp) -> Result<HttpsConnector<Tcp>, Box<str>> {
    let builder = HttpsConnectorBuilder::new()
        .with_provider_and_platform_verifier(ring::default_provider())
        .map_err(|e| e.to_string())?;
    Ok(builder.https_only().enable_http1().wrap_connector(tcp))
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Tracked<TokioIo<Stream>>>;
    type Error = ConnectError;
    type Future = BoxFuture<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.connect(uri);
        let limit = self.connect_timeout;
        Box::pin(async move {
            // The request's own clock gives up at the same moment. This timer is for a connection that hyper-util goes on with
            // in the background, after another one became free for the request.
            let connecting = connecting.map_err(ConnectError)?;
            let connected = match limit {
                Some(limit) => tokio::time::timeout(limit, connecting)
                    .await
                    .map_err(|_| ConnectError(Fault::new(FaultKind::TimedOut(Limit::Connect), "")))?,
                None => connecting.await,
            };
            let stream = connected.map_err(|e| ConnectError(classify(e.as_ref())))?;
            Ok(TokioIo::new(Tracked::new(TokioIo::new(stream))))
        })
    }
}

/// R3: which failures to get a connection are which.
fn classify(error: &(dyn StdError + 'static)) -> Fault {
    let detail = || chain_text(error);
    for cause in chain(error) {
        if cause.is::<DnsError>() {
            return Fault::new(FaultKind::Dns, chain_text(cause));
        }
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            let kind = match tls {
                rustls::Error::InvalidCertificate(_) => FaultKind::Certificate,
                _ => FaultKind::Tls,
            };
            return Fault::new(kind, tls.to_string());
        }
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            match io.kind() {
                io::ErrorKind::ConnectionRefused => return Fault::new(FaultKind::Refused, ""),
                io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                    return Fault::new(FaultKind::TlsCutOff, "");
                }
                _ => {}
            }
        }
    }
    Fault::new(FaultKind::Unreachable, detail())
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
