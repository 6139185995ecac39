//! The client against real servers and proxies: nginx with a private authority, tinyproxy, haproxy.

mod daemon;

use std::fs;
use std::time::Duration;

use encord_http::{
    Budget, Client, ClientBuilder, Error, FaultKind, Payload, Proxy, Request, Response, RootCertificates, StopReason,
};
use encord_http_settings::{BackoffFactor, RequestsSettings};

use self::daemon::{Haproxy, Tinyproxy};
use crate::support::authority::Authority;
use crate::support::nginx::Nginx;
use crate::support::noise;

fn builder(max_retries: u32, connection_retries: u32) -> ClientBuilder {
    let backoff_factor = BackoffFactor::new(0.0).unwrap();
    Client::builder(RequestsSettings { max_retries, connection_retries, backoff_factor, ..RequestsSettings::default() })
}

fn send(client: &Client, requests: &[Request]) -> Vec<Result<Response, Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut results = Vec::new();
        for request in requests {
            results.push(client.send(request).await);
        }
        results
    })
}

#[track_caller]
fn fail(client: &Client, request: Request) -> Error {
    send(client, &[request]).remove(0).unwrap_err()
}

/// An nginx that speaks TLS with a certificate of a private authority, and the authority.
struct Secure {
    nginx: Nginx,
    roots: RootCertificates,
    _authority: Authority,
}

impl Secure {
    #[track_caller]
    fn start() -> Option<Self> {
        let authority = Authority::new("a private authority");
        let nginx = Nginx::start(Some(&authority))?;
        let roots = RootCertificates::from_pem(fs::read(authority.root()).unwrap()).unwrap();
        Some(Self { nginx, roots, _authority: authority })
    }
}

/// PUTs a megabyte and more and GETs it back; the responses.
#[track_caller]
fn round_trip(client: &Client, nginx: &Nginx) -> Vec<Response> {
    let bytes = noise(7, 1_500_001);
    let url = nginx.url("a/photo.jpg");
    let requests = [Request::put(url.clone(), Payload::bytes(bytes.clone())), Request::get(url)];
    let responses: Vec<_> = send(client, &requests).into_iter().map(Result::unwrap).collect();
    assert!(fs::read(nginx.store().join("a/photo.jpg")).unwrap() == bytes, "what is stored differs");
    assert!(responses[1].body() == &bytes, "what comes back differs");
    responses
}

#[test]
fn r3_nginx_with_a_private_authority_is_trusted_when_the_caller_trusts_it() {
    let Some(Secure { nginx, roots, _authority }) = Secure::start() else { return };
    round_trip(&builder(0, 0).no_proxy().root_certificates(roots).build().unwrap(), &nginx);

    let error = fail(&builder(3, 3).no_proxy().build().unwrap(), Request::get(nginx.url("a/photo.jpg")));
    assert_eq!((error.stop_reason(), error.attempts().len()), (StopReason::Final, 1));
    assert_eq!(
        error.fault().unwrap().to_string(),
        "the server's certificate does not verify: it was issued by an authority that is not trusted here"
    );
}

#[test]
fn plain_requests_go_through_tinyproxy() {
    let (Some(nginx), Some(tinyproxy)) = (Nginx::start(None), Tinyproxy::start(None)) else { return };
    // It closes after each answer without having said so.
    let builder = builder(0, 0).pool_idle_timeout(Duration::ZERO);
    let client = builder.proxy(Proxy::new(tinyproxy.address()).unwrap()).build().unwrap();
    for response in round_trip(&client, &nginx) {
        assert!(response.headers()["via"].to_str().unwrap().contains("tinyproxy"), "{response:?}");
    }
}

#[test]
fn tunnels_go_through_tinyproxy() {
    let (Some(secure), Some(tinyproxy)) = (Secure::start(), Tinyproxy::start(None)) else { return };
    let builder = builder(0, 2).proxy(Proxy::new(tinyproxy.address()).unwrap());
    let client = builder.root_certificates(secure.roots.clone()).build().unwrap();
    for response in round_trip(&client, &secure.nginx) {
        assert!(!response.headers().contains_key("via"), "{response:?}");
    }
    // The same connection served both requests.
    assert_eq!(tinyproxy.log().matches("): CONNECT 127.0.0.1:").count(), 1, "{}", tinyproxy.log());
}

#[test]
fn r3_a_host_that_tinyproxy_cannot_reach_is_a_connection_failure() {
    let Some(tinyproxy) = Tinyproxy::start(None) else { return };
    let client = builder(0, 2).proxy(Proxy::new(tinyproxy.address()).unwrap()).build().unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = fail(&client, Request::post(format!("https://{closed}/"), "payload"));
    assert_eq!(error.stop_reason(), StopReason::BudgetUsedUp { budget: Budget::ConnectionRetries, allowed: 2 });
    assert_eq!(error.fault().unwrap().kind(), FaultKind::Unreachable, "{error}");
}

#[test]
fn tinyproxy_gets_the_credentials_that_it_asks_for() {
    let (Some(nginx), Some(secure)) = (Nginx::start(None), Secure::start()) else { return };
    let Some(tinyproxy) = Tinyproxy::start(Some("me s3cret")) else { return };
    let client = |proxy: String| {
        builder(3, 3).proxy(Proxy::new(proxy).unwrap()).root_certificates(secure.roots.clone()).build().unwrap()
    };

    let welcome = client(format!("http://me:s3cret@{}", tinyproxy.address()));
    round_trip(&welcome, &nginx);
    round_trip(&welcome, &secure.nginx);

    let stranger = client(format!("http://{}", tinyproxy.address()));
    let error = fail(&stranger, Request::get(nginx.url("a/photo.jpg")));
    assert_eq!((error.stop_reason(), error.status().unwrap().as_u16()), (StopReason::Final, 407));
    let error = fail(&stranger, Request::get(secure.nginx.url("a/photo.jpg")));
    assert_eq!(error.stop_reason(), StopReason::Final);
    assert_eq!(
        error.fault().unwrap().to_string(),
        format!(
            "the proxy cannot be used: proxy {} answered 407 Proxy Authentication Required to CONNECT",
            tinyproxy.address()
        )
    );
}

/// A request of 200 fails for good at one time in 10⁷.
#[test]
fn r1_200_requests_get_through_a_front_that_refuses_every_second() {
    let Some(haproxy) = Haproxy::start() else { return };
    let client = builder(30, 0).no_proxy().build().unwrap();
    let requests = vec![Request::get(haproxy.url()); 200];
    let attempts: usize = send(&client, &requests).into_iter().map(|r| r.unwrap().attempts().len()).sum();
    assert_eq!(haproxy.answered(attempts), (200, attempts - 200));
    assert!(attempts > 250, "{attempts}");
}
