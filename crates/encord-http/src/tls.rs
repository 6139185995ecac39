//! TLS: whom a client trusts, and who it says it is.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};

use rustls::client::ResolvesClientCert;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{CertificateError, ClientConfig, InconsistentKeys, RootCertStore};
use rustls_platform_verifier::Verifier;
use thiserror::Error;

use crate::attempt::{Fault, FaultKind};
use crate::connector::{chain, chain_text};

/// Certificates of authorities that a client trusts beside those of the platform.
///
/// Not on Android, whose verifier takes no further ones: there a request to an `https` URL fails with [`FaultKind::Tls`], and
/// [`ClientBuilder::rustls_config`](crate::ClientBuilder::rustls_config) is the way.
#[derive(Clone)]
pub struct RootCertificates(Vec<CertificateDer<'static>>);

/// A client's certificate with its chain and its private key, for servers that ask who is calling.
#[derive(Clone)]
pub struct Identity(Arc<CertifiedKey>);

/// Why certificates or a key cannot be used. The message never repeats the input.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidCertificate {
    /// A section of the PEM text that does not end, or is not base64.
    #[error("the PEM text cannot be read: {0}")]
    Pem(Box<str>),
    /// No `CERTIFICATE` section.
    #[error("there is no certificate in the PEM text")]
    NoCertificate,
    /// No `PRIVATE KEY`, `RSA PRIVATE KEY` or `EC PRIVATE KEY` section.
    #[error("there is no private key in the PEM text")]
    NoKey,
    /// What the section holds is not an X.509 certificate.
    #[error("certificate {position} cannot be used: {reason}")]
    Certificate {
        /// Which one, counted from 1.
        position: usize,
        /// What is wrong with it.
        reason: Box<str>,
    },
    /// The private key is of an unknown kind, encrypted, or malformed.
    #[error("the private key cannot be used: {0}")]
    Key(Box<str>),
    /// The first certificate of the chain is for another key.
    #[error("the private key does not belong to the first certificate")]
    KeyMismatch,
}

impl RootCertificates {
    /// Takes every certificate of a PEM text; it may hold several. Sections of other kinds are skipped.
    ///
    /// # Errors
    ///
    /// [`InvalidCertificate`] when there is none, or one of them is not a certificate.
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self, InvalidCertificate> {
        let certificates = certificates(pem.as_ref())?;
        let mut store = RootCertStore::empty();
        for (index, certificate) in certificates.iter().enumerate() {
            store.add(certificate.clone()).map_err(|e| InvalidCertificate::new(index, &e))?;
        }
        Ok(Self(certificates))
    }
}

impl Identity {
    /// Takes the chain of certificates, the client's own first, and its private key, both as PEM text. They may be one text.
    ///
    /// # Errors
    ///
    /// [`InvalidCertificate`] when either is missing or malformed, or they do not belong together.
    pub fn from_pem(chain: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Result<Self, InvalidCertificate> {
        let chain = certificates(chain.as_ref())?;
        let key = PrivateKeyDer::from_pem_slice(key.as_ref()).map_err(|e| match e {
            pem::Error::NoItemsFound => InvalidCertificate::NoKey,
            e => InvalidCertificate::pem(&e),
        })?;
        match CertifiedKey::from_der(chain, key, &ring::default_provider()) {
            Ok(key) => Ok(Self(Arc::new(key))),
            Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => Err(InvalidCertificate::KeyMismatch),
            Err(e @ rustls::Error::InvalidCertificate(_)) => Err(InvalidCertificate::new(0, &e)),
            Err(e) => Err(InvalidCertificate::Key(e.to_string().into())),
        }
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, InvalidCertificate> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.map_err(|e| InvalidCertificate::pem(&e))?;
    if certificates.is_empty() { Err(InvalidCertificate::NoCertificate) } else { Ok(certificates) }
}

impl InvalidCertificate {
    fn new(index: usize, error: &rustls::Error) -> Self {
        Self::Certificate { position: index + 1, reason: error.to_string().into() }
    }

    fn pem(error: &pem::Error) -> Self {
        Self::Pem(match error {
            // The texts of these quote the input.
            pem::Error::IllegalSectionStart { .. } => "a section does not begin as it should".into(),
            pem::Error::MissingSectionEnd { .. } => "a section does not end".into(),
            e => e.to_string().into(),
        })
    }
}

impl fmt::Debug for RootCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RootCertificates({})", self.0.len())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(…)")
    }
}

/// What a client was told about TLS.
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

/// The TLS of a client, made when the first connection needs it: reading the platform's root certificates takes milliseconds
/// and may fail.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    options: Arc<TlsOptions>,
    config: Arc<OnceLock<Result<Arc<ClientConfig>, rustls::Error>>>,
}

impl Tls {
    pub(crate) fn new(options: TlsOptions) -> Self {
        Self { options: Arc::new(options), config: Arc::default() }
    }

    pub(crate) fn config(&self) -> Result<Arc<ClientConfig>, Fault> {
        let config = self.config.get_or_init(|| self.options.config().map(Arc::new));
        config.clone().map_err(|e| Fault::new(FaultKind::Tls, e.to_string()).with_source(e))
    }
}

/// R3: what the failure of a handshake means.
pub(crate) fn classify(error: &(dyn StdError + 'static)) -> Fault {
    use io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionReset, HostUnreachable, NetworkDown, NetworkUnreachable, TimedOut,
        UnexpectedEof,
    };
    for cause in chain(error) {
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return fault(tls);
        }
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            match io.kind() {
                BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof => {
                    return Fault::new(FaultKind::TlsCutOff, "");
                }
                HostUnreachable | NetworkDown | NetworkUnreachable | TimedOut => {
                    return Fault::new(FaultKind::TlsCutOff, io.to_string());
                }
                _ => {}
            }
        }
    }
    Fault::new(FaultKind::Tls, chain_text(error))
}

/// What an error of rustls means.
pub(crate) fn fault(error: &rustls::Error) -> Fault {
    let fault = match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            Fault::new(FaultKind::Certificate, "it was issued by an authority that is not trusted here")
        }
        rustls::Error::InvalidCertificate(certificate) => Fault::new(FaultKind::Certificate, certificate.to_string()),
        e => Fault::new(FaultKind::Tls, e.to_string()),
    };
    fault.with_source(error.clone())
}
