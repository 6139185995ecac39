//! Private certificate authorities.

use std::fs;
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use tempfile::TempDir;

/// An authority, and a certificate of it for 127.0.0.1, as PEM files.
pub(crate) struct Authority(TempDir);

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = named(name, &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = named(&format!("a server of {name}"), &["127.0.0.1"]).signed_by(&key, &issuer).unwrap();
        let authority = Self(tempfile::tempdir().unwrap());
        fs::write(authority.root(), issuer.pem()).unwrap();
        fs::write(authority.certificate(), leaf.pem()).unwrap();
        fs::write(authority.key(), key.serialize_pem()).unwrap();
        authority
    }

    /// Its own certificate.
    pub(crate) fn root(&self) -> PathBuf {
        self.0.path().join("root.pem")
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.0.path().join("leaf.pem")
    }

    /// That of the certificate.
    pub(crate) fn key(&self) -> PathBuf {
        self.0.path().join("leaf.key")
    }
}

fn named(name: &str, hosts: &[&str]) -> CertificateParams {
    let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
    let mut params = CertificateParams::new(hosts).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}
