//! Certificates that verify and those that do not, handshakes that break off, and who the client says it is.

use std::io::{Read, Write};
use std::sync::Arc;

use encord_http::rustls::server::WebPkiClientVerifier;
use encord_http::rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion, version};
use encord_http::{
    Budget, Client, ClientBuilder, Error, FaultKind, Identity, Phase, Request, RootCertificates, StopReason,
};

use crate::budgets::settings;
use crate::peer::{Authority, OK, Peer, secure};

fn client(authority: &Authority) -> ClientBuilder {
    Client::builder(settings(3, 3, 0.0)).no_proxy().root_certificates(authority.roots())
}

async fn get(client: &Client, peer: &Peer) -> Result<String, Error> {
    let response = client.send(&Request::get(format!("https://{}/a?s3cret", peer.address))).await?;
    Ok(String::from_utf8(response.body().to_vec()).unwrap())
}

/// The detail of a fault of this kind that was not tried again.
async fn refused(client: &Client, peer: &Peer, kind: FaultKind) -> String {
    let error = get(client, peer).await.unwrap_err();
    assert_eq!((error.stop_reason(), error.phase(), error.attempts().len()), (StopReason::Final, Phase::Connecting, 1));
    assert_eq!(peer.connections(), 1);
    assert!(!error.to_string().contains("s3cret"));
    let fault = error.fault().unwrap();
    assert_eq!(fault.kind(), kind, "{fault}");
    fault.detail().to_owned()
}

#[tokio::test]
async fn an_authority_given_by_the_caller_is_trusted() {
    let authority = Authority::new();
    let peer = Peer::tls(authority.server());
    let client = client(&authority).build().unwrap();
    for _ in 0..3 {
        assert_eq!(get(&client, &peer).await.unwrap(), "ok");
    }
    assert_eq!(peer.connections(), 1);
    // One more authority takes nothing from those before it.
    let client = self::client(&authority).root_certificates(Authority::new().roots()).build().unwrap();
    assert_eq!(get(&client, &peer).await.unwrap(), "ok");
}

#[tokio::test]
async fn r3_a_certificate_for_another_name_is_final_and_says_which() {
    let authority = Authority::new();
    let peer = Peer::tls(authority.issue("other.example", |_| ()).server());
    assert_eq!(
        refused(&client(&authority).build().unwrap(), &peer, FaultKind::Certificate).await,
        "it is for other.example, not for 127.0.0.1"
    );
}

#[tokio::test]
async fn r3_a_certificate_outside_of_its_time_is_final_and_says_so() {
    let authority = Authority::new();
    for (from, to, expected) in [
        (2020, 2021, "it expired on Fri, 01 Jan 2021 00:00:00 GMT"),
        (2999, 3000, "it is not valid before Tue, 01 Jan 2999 00:00:00 GMT"),
    ] {
        let issued = authority.issue("127.0.0.1", |params| {
            params.not_before = rcgen::date_time_ymd(from, 1, 1);
            params.not_after = rcgen::date_time_ymd(to, 1, 1);
        });
        let detail =
            refused(&client(&authority).build().unwrap(), &Peer::tls(issued.server()), FaultKind::Certificate).await;
        assert!(detail.starts_with(expected), "{detail}");
    }
}

#[tokio::test]
async fn r3_a_certificate_of_an_unknown_authority_is_final_and_says_so() {
    let peer = Peer::tls(Authority::new().server());
    assert_eq!(
        refused(&client(&Authority::new()).build().unwrap(), &peer, FaultKind::Certificate).await,
        "it was issued by an authority that is not trusted here"
    );
}

#[tokio::test]
async fn r3_a_handshake_that_breaks_off_is_tried_again_for_every_method() {
    let peer = Peer::start(|mut talk| talk.stream.read_exact(&mut [0; 16]));
    let client =
        Client::builder(settings(9, 2, 0.001)).no_proxy().root_certificates(Authority::new().roots()).build().unwrap();
    let request = Request::post(format!("https://{}/p?s3cret", peer.address), "payload");
    let error = client.send(&request).await.unwrap_err();
    assert_eq!(peer.connections(), 3);
    assert_eq!(error.stop_reason(), StopReason::BudgetUsedUp { budget: Budget::ConnectionRetries, allowed: 2 });
    assert_eq!((error.phase(), error.fault().unwrap().kind()), (Phase::Connecting, FaultKind::TlsCutOff));
    assert_eq!(
        error.to_string(),
        format!(
            "POST {}/p failed while connecting: the connection broke off in the TLS handshake (3 attempts: tls_cut_off, \
             tls_cut_off after 1ms, tls_cut_off after 2ms; connection_retries = 2 used up)",
            peer.address
        )
    );
}

#[tokio::test]
async fn r3_a_peer_that_does_not_speak_tls_is_final() {
    let peer = Peer::start(|mut talk| {
        talk.stream.read_exact(&mut [0; 16])?;
        talk.stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")?;
        // Open until the client hangs up: a reset would discard the answer.
        talk.stream.read_to_end(&mut Vec::new()).map(drop)
    });
    let detail = refused(&client(&Authority::new()).build().unwrap(), &peer, FaultKind::Tls).await;
    assert_eq!(detail, "the server does not speak TLS on this port");
}

/// A server that wants to know who is calling.
fn asking(authority: &Authority, version: &'static SupportedProtocolVersion) -> Arc<ServerConfig> {
    let mut callers = RootCertStore::empty();
    callers.add(authority.der()).unwrap();
    let (chain, key) = authority.issue("127.0.0.1", |_| ()).der();
    let config = ServerConfig::builder_with_protocol_versions(&[version])
        .with_client_cert_verifier(WebPkiClientVerifier::builder(Arc::new(callers)).build().unwrap())
        .with_single_cert(chain, key);
    Arc::new(config.unwrap())
}

#[tokio::test]
async fn an_identity_is_shown_to_a_server_that_asks() {
    let authority = Authority::new();
    let caller = authority.issue("caller", |_| ());
    let identity = Identity::from_pem(&caller.certificate, &caller.key).unwrap();
    let client = client(&authority).client_identity(identity).build().unwrap();
    for version in [&version::TLS12, &version::TLS13] {
        let peer = Peer::tls(asking(&authority, version));
        assert_eq!(get(&client, &peer).await.unwrap(), "ok");
    }
}

#[tokio::test]
async fn r3_an_alert_is_final() {
    let authority = Authority::new();
    let peer = Peer::tls(asking(&authority, &version::TLS12));
    let detail = refused(&client(&authority).build().unwrap(), &peer, FaultKind::Tls).await;
    assert!(detail.starts_with("received fatal alert: "), "{detail}");
    // In TLS 1.3 the client's certificate is judged after the handshake, when the request may be on its way.
    let peer = Peer::tls(asking(&authority, &version::TLS13));
    let error = get(&client(&authority).build().unwrap(), &peer).await.unwrap_err();
    assert_eq!((error.stop_reason(), peer.connections()), (StopReason::Final, 1));
    assert_eq!(error.fault().unwrap().to_string(), "TLS failed: received fatal alert: certificate required");
}

#[tokio::test]
async fn a_tls_config_of_the_caller_replaces_everything_but_the_protocol() {
    let authority = Authority::new();
    let mut server = ServerConfig::clone(&authority.server());
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let server = Arc::new(server);
    let peer = Peer::start(move |talk| {
        let mut stream = secure(&talk.stream, &server);
        talk.head(&mut stream)?;
        let protocol = stream.conn.alpn_protocol().unwrap_or(b"none").to_vec();
        assert_eq!(protocol, b"http/1.1");
        stream.write_all(OK.as_bytes())
    });
    let mut roots = RootCertStore::empty();
    roots.add(authority.der()).unwrap();
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let client = client(&Authority::new()).rustls_config(Arc::new(config)).build().unwrap();
    assert_eq!(get(&client, &peer).await.unwrap(), "ok");
}

#[test]
fn certificates_and_keys_that_cannot_be_used_are_refused_where_they_are_given() {
    let authority = Authority::new();
    let (one, other) = (authority.issue("one", |_| ()), authority.issue("other", |_| ()));
    let roots = |pem: &str| RootCertificates::from_pem(pem).map(drop).map_err(|e| e.to_string());
    let identity = |chain: &str, key: &str| Identity::from_pem(chain, key).map(drop).map_err(|e| e.to_string());
    let pem = |label: &str, text: &str| format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n");
    let error = |text: &str| Err(text.to_owned());

    assert_eq!(roots(&format!("{}{}", authority.pem(), one.certificate)), Ok(()));
    assert_eq!(roots(""), error("there is no certificate in the PEM text"));
    assert_eq!(roots(&one.key), error("there is no certificate in the PEM text"));
    let bad = format!("{}{}", authority.pem(), pem("CERTIFICATE", "AAAA"));
    assert_eq!(roots(&bad), error("certificate 2 cannot be used: invalid peer certificate: bad encoding"));
    let cut = "-----BEGIN CERTIFICATE-----\nAAAA\n";
    assert_eq!(roots(cut), error("the PEM text cannot be read: a section does not end"));
    assert_eq!(roots("-----BEGIN s3cret"), error("the PEM text cannot be read: a section does not begin as it should"));

    assert_eq!(identity(&one.certificate, &one.key), Ok(()));
    let both = format!("{}{}", one.key, one.certificate);
    assert_eq!(identity(&both, &both), Ok(()));
    assert_eq!(
        identity(&one.certificate, &other.key),
        error("the private key does not belong to the first certificate")
    );
    assert_eq!(identity(&one.certificate, ""), error("there is no private key in the PEM text"));
    assert_eq!(identity(&one.key, &one.key), error("there is no certificate in the PEM text"));
    let key = identity(&one.certificate, &pem("PRIVATE KEY", "AAAA")).unwrap_err();
    assert!(key.starts_with("the private key cannot be used: "), "{key}");
}

#[test]
fn a_private_key_is_in_no_debug_output() {
    let authority = Authority::new();
    let issued = authority.issue("caller", |_| ());
    let identity = Identity::from_pem(&issued.certificate, &issued.key).unwrap();
    assert_eq!(format!("{identity:?}, {:?}", authority.roots()), "Identity(…), RootCertificates(1)");
    let builder = format!("{:?}", client(&authority).client_identity(identity));
    assert!(builder.contains("tls: TlsOptions { roots: 1, identity: Some(Identity(…)), config: false }"), "{builder}");
}

/// What `openssl req -x509` makes: an authority, shown as if it were a server's own.
#[tokio::test]
async fn r3_a_certificate_of_an_authority_as_that_of_a_server_says_what_to_do() {
    let mut params = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    let issued = crate::peer::Issued { certificate: certificate.clone(), key: key.serialize_pem() };
    let roots = RootCertificates::from_pem(&certificate).unwrap();
    let client = Client::builder(settings(3, 3, 0.0)).no_proxy().root_certificates(roots).build().unwrap();
    let detail = refused(&client, &Peer::tls(issued.server()), FaultKind::Certificate).await;
    assert_eq!(
        detail,
        "it is the certificate of an authority (CA), used as that of a server: let the server show one that the authority has \
         issued for it"
    );
}
