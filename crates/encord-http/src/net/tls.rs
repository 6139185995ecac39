//! The TLS of a client.

use std::fmt;
use std::sync::Arc;

use encord_signed_url::Origin;
use rustls::ClientConfig;
use rustls::client::ResolvesClientCert;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::sign::SingleCertAndKey;
use rustls_platform_verifier::Verifier;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;
use tokio_rustls::TlsConnector;

use crate::fault::{Fault, FaultKind};
use crate::net::connection::Stream;
use crate::rules::classify::{During, classify};
use crate::rules::tls::words;
use crate::tls::{Identity, RootCertificates};

/// The TLS options of a client.
#[derive(Clone, Default)]
pub(crate) struct TlsOptions {
    roots: Vec<CertificateDer<'static>>,
    identity: Option<Identity>,
    config: Option<Arc<ClientConfig>>,
}

impl TlsOptions {
    pub(crate) fn trust(&mut self, roots: RootCertificates) {
        self.roots.extend(roots.0);
    }

    pub(crate) fn identify(&mut self, identity: Identity) {
        self.identity = Some(identity);
    }

    pub(crate) fn replace(&mut self, config: Arc<ClientConfig>) {
        self.config = Some(config);
    }

    fn config(&self) -> Result<ClientConfig, rustls::Error> {
        if let Some(config) = &self.config {
            let mut config = ClientConfig::clone(config);
            if !config.alpn_protocols.is_empty() {
                // A server must not choose a protocol that the client does not speak.
                config.alpn_protocols = vec![b"http/1.1".to_vec()];
            }
            return Ok(config);
        }
        let provider = Arc::new(ring::default_provider());
        let verifier = verifier(self.roots.clone(), Arc::clone(&provider))?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        Ok(match &self.identity {
            None => config.with_no_client_auth(),
            Some(Identity(key)) => {
                let resolver: Arc<dyn ResolvesClientCert> = Arc::new(SingleCertAndKey::from(Arc::clone(key)));
                config.with_client_cert_resolver(resolver)
            }
        })
    }
}

#[cfg(not(target_os = "android"))]
fn verifier(roots: Vec<CertificateDer<'static>>, provider: Arc<CryptoProvider>) -> Result<Verifier, rustls::Error> {
    Verifier::new_with_extra_roots(roots, provider)
}

#[cfg(target_os = "android")]
fn verifier(roots: Vec<CertificateDer<'static>>, provider: Arc<CryptoProvider>) -> Result<Verifier, rustls::Error> {
    if roots.is_empty() {
        Verifier::new(provider)
    } else {
        Err(rustls::Error::General("Android's verifier takes no further root certificates".into()))
    }
}

impl fmt::Debug for TlsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsOptions")
            .field("roots", &self.roots.len())
            .field("identity", &self.identity)
            .field("config", &self.config.is_some())
            .finish()
    }
}

/// The TLS of a client. Clones share one configuration.
///
/// The trust store of the platform is read when the first connection needs it. Reading takes milliseconds and may fail. After a
/// failure the next connection tries again.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    options: Arc<TlsOptions>,
    config: Arc<OnceCell<Arc<ClientConfig>>>,
}

impl Tls {
    pub(crate) fn new(options: TlsOptions) -> Self {
        Self { options: Arc::new(options), config: Arc::default() }
    }

    /// Makes the TLS handshake with `origin` over `stream`.
    pub(crate) async fn connect(&self, stream: Stream, origin: &Origin) -> Result<Stream, Fault> {
        let host = origin.host();
        let name = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let name = ServerName::try_from(name.to_owned()).map_err(|e| {
            Fault::new(FaultKind::Tls, "the host is not a name that a certificate can have").with_source(e)
        })?;
        let connector = TlsConnector::from(self.config().await?);
        match connector.connect(name, stream).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(e) => Err(classify(e, During::Handshake)),
        }
    }

    async fn config(&self) -> Result<Arc<ClientConfig>, Fault> {
        let read = || async {
            let options = Arc::clone(&self.options);
            let read = spawn_blocking(move || options.config()).await;
            let config = read.map_err(|e| Fault::new(FaultKind::Local, "TLS cannot be set up").with_source(e))?;
            config.map(Arc::new).map_err(|e| {
                let detail = format!("the trust store of this machine cannot be read: {}", words(&e.to_string()));
                Fault::new(FaultKind::Local, detail).with_source(e)
            })
        };
        self.config.get_or_try_init(read).await.cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn r5_a_failure_to_read_the_trust_store_is_not_remembered() {
        let roots = vec![CertificateDer::from(vec![0; 3])];
        let mut tls = Tls::new(TlsOptions { roots, ..TlsOptions::default() });
        let fault = tls.config().await.expect_err("no certificate");
        assert_eq!((fault.kind(), fault.kind().budget()), (FaultKind::Local, Some(crate::Budget::ConnectionRetries)));
        Arc::get_mut(&mut tls.options).expect("no other").roots.clear();
        tls.config().await.expect("readable");
    }
}
