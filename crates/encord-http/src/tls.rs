//! Certificates: the authorities that a client trusts, and its own certificate.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, RootCertStore};
use thiserror::Error;

use crate::rules::tls::words;

/// Certificates of authorities that a client trusts in addition to those of the platform.
///
/// They do not work on Android, whose verifier takes no further certificates: a request to an `https` URL fails with
/// [`FaultKind::Local`](crate::FaultKind::Local). Use [`ClientBuilder::rustls_config`](crate::ClientBuilder::rustls_config)
/// there.
#[derive(Clone)]
pub struct RootCertificates(pub(crate) Vec<CertificateDer<'static>>);

/// A client's certificate with its chain and its private key, for servers that ask for a client certificate.
#[derive(Clone)]
pub struct Identity(pub(crate) Arc<CertifiedKey>);

/// Why certificates or a key cannot be used. The message never repeats the input.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidCertificate {
    /// A section of the PEM text has no end, or is not base64.
    #[error("the PEM text cannot be read: {0}")]
    Pem(Box<str>),
    /// No `CERTIFICATE` section.
    #[error("there is no certificate in the PEM text")]
    NoCertificate,
    /// No `PRIVATE KEY`, `RSA PRIVATE KEY` or `EC PRIVATE KEY` section.
    #[error("there is no private key in the PEM text")]
    NoKey,
    /// The content of a section is not an X.509 certificate.
    #[error("certificate {position} cannot be used: {reason}")]
    Certificate {
        /// The number of the certificate, counted from 1.
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
    /// Reads all certificates of a PEM text. Sections of other kinds are skipped.
    ///
    /// # Errors
    ///
    /// [`InvalidCertificate`] when the text has no certificate, or a malformed one.
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
    /// Reads the chain of certificates, the client's own first, and its private key, both as PEM text. Both may be in the same
    /// text.
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
            Err(e) => Err(InvalidCertificate::Key(words(&e.to_string()).into())),
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
        Self::Certificate { position: index + 1, reason: words(&error.to_string()).into() }
    }

    fn pem(error: &pem::Error) -> Self {
        Self::Pem(match error {
            // rustls's own messages for these errors quote the input.
            pem::Error::IllegalSectionStart { .. } => "a section does not begin as it should".into(),
            pem::Error::MissingSectionEnd { .. } => "a section does not end".into(),
            e => words(&e.to_string()).into(),
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
