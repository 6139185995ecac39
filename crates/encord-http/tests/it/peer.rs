//! Peers that speak TLS or play a proxy: what they do on a connection is a closure, on a thread of its own.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use encord_http::RootCertificates;
use encord_http::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use encord_http::rustls::{ServerConfig, ServerConnection, StreamOwned};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<usize>>,
}

/// One connection of a peer.
pub(crate) struct Talk {
    pub(crate) stream: TcpStream,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Peer {
    /// A peer on a free port of loopback. An error ends the connection: clients that hang up are what many tests are about.
    pub(crate) fn start(talk: impl Fn(Talk) -> io::Result<()> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = Self { address: listener.local_addr().unwrap(), heads: Arc::default(), connections: Arc::default() };
        let (heads, connections) = (Arc::clone(&peer.heads), Arc::clone(&peer.connections));
        let talk = Arc::new(talk);
        thread::spawn(move || {
            for stream in listener.incoming() {
                *connections.lock().unwrap() += 1;
                let (talk, heads) = (Arc::clone(&talk), Arc::clone(&heads));
                thread::spawn(move || drop(talk(Talk { stream: stream.unwrap(), heads })));
            }
        });
        peer
    }

    /// A peer that answers every request on every connection with [`OK`], over TLS.
    pub(crate) fn tls(config: Arc<ServerConfig>) -> Self {
        Self::start(move |talk| {
            let mut stream = secure(&talk.stream, &config);
            loop {
                talk.head(&mut stream)?;
                stream.write_all(OK.as_bytes())?;
            }
        })
    }

    /// The heads of the requests, in order.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }
}

impl Talk {
    /// Reads the head of a request, and notes it.
    pub(crate) fn head(&self, stream: &mut impl Read) -> io::Result<String> {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        self.heads.lock().unwrap().push(head.clone());
        Ok(head)
    }
}

/// The server's side of TLS over a stream, which may be TLS itself.
pub(crate) fn secure<S: Read + Write>(stream: S, config: &Arc<ServerConfig>) -> StreamOwned<ServerConnection, S> {
    StreamOwned::new(ServerConnection::new(Arc::clone(config)).unwrap(), stream)
}

/// An authority of our own.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key, as PEM text.
pub(crate) struct Issued {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        // Authorities of one name would be taken for one another.
        let name = format!("authority {}", COUNT.fetch_add(1, Ordering::Relaxed));
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    pub(crate) fn roots(&self) -> RootCertificates {
        RootCertificates::from_pem(self.pem()).unwrap()
    }

    pub(crate) fn issue(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Issued {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Issued { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// A server with a good certificate for loopback.
    pub(crate) fn server(&self) -> Arc<ServerConfig> {
        self.issue("127.0.0.1", |_| ()).server()
    }
}

impl Issued {
    pub(crate) fn server(&self) -> Arc<ServerConfig> {
        let (chain, key) = self.der();
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
        Arc::new(config)
    }

    pub(crate) fn der(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        use encord_http::rustls::pki_types::pem::PemObject;
        let chain = CertificateDer::pem_slice_iter(self.certificate.as_bytes()).map(Result::unwrap).collect();
        (chain, PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap())
    }
}
