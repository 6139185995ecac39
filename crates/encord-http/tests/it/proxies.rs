//! Through a proxy: what goes over the wire, what its failures are called, and that its credentials are nowhere else.

use std::io::Write;

use encord_http::{Budget, Client, ClientBuilder, Error, FaultKind, Phase, Proxies, Proxy, Request, StopReason};

use crate::budgets::settings;
use crate::peer::{Authority, OK, Peer, secure};
use crate::server::{Server, refusing_port, status};

/// `me:s3cret`, as it is sent.
const BASIC: &str = "Basic bWU6czNjcmV0";

const TARGET: &str = "/a%2Fb%2f%7e~?x=%20+&&y=%E2%82%AC";

fn proxy(peer: &Peer) -> Proxy {
    Proxy::new(format!("http://me:s3cret@{}", peer.address)).unwrap()
}

fn builder() -> ClientBuilder {
    Client::builder(settings(3, 2, 0.0))
}

/// A proxy that answers every request with these bytes and closes.
fn answering(answer: &'static str) -> Peer {
    Peer::start(move |mut talk| {
        talk.head(&mut &talk.stream)?;
        talk.stream.write_all(answer.as_bytes())
    })
}

/// The error of a POST to an https URL through this proxy.
async fn fail(peer: &Peer) -> Error {
    let client = builder().proxy(proxy(peer)).build().unwrap();
    let error = client.send(&Request::post("https://origin.invalid/a?sig=s3cret", "payload")).await.unwrap_err();
    let shown = format!("{client:?} {error:?} {error} {:?}", error.attempts());
    assert!(!shown.contains("s3cret") && !shown.contains("bWU6"), "{shown}");
    assert_eq!(error.phase(), Phase::Connecting);
    error
}

#[tokio::test]
async fn u8_a_plain_request_names_the_whole_url_and_the_target_byte_for_byte() {
    let peer = Peer::start(|mut talk| {
        loop {
            talk.head(&mut &talk.stream)?;
            talk.stream.write_all(OK.as_bytes())?;
        }
    });
    let client = builder().proxy(proxy(&peer)).build().unwrap();
    for _ in 0..2 {
        client.send(&Request::get(format!("http://origin.invalid{TARGET}"))).await.unwrap();
    }
    assert_eq!(peer.connections(), 1);
    for head in peer.heads() {
        let mut lines: Vec<_> = head.trim_end().split("\r\n").collect();
        assert_eq!(lines.remove(0), format!("GET http://origin.invalid{TARGET} HTTP/1.1"));
        assert!(lines.contains(&"host: origin.invalid"), "{lines:?}");
        assert!(lines.contains(&format!("proxy-authorization: {BASIC}").as_str()), "{lines:?}");
    }
}

#[tokio::test]
async fn a_tunnel_is_asked_for_host_and_port_and_the_request_goes_through_it() {
    let authority = Authority::new();
    let server = authority.issue("origin.invalid", |_| ()).server();
    // What is at the other end of the tunnel is played by the proxy itself.
    let peer = Peer::start(move |mut talk| {
        talk.head(&mut &talk.stream)?;
        talk.stream.write_all(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")?;
        let mut stream = secure(&talk.stream, &server);
        loop {
            talk.head(&mut stream)?;
            stream.write_all(OK.as_bytes())?;
        }
    });
    let client = builder().proxy(proxy(&peer)).root_certificates(authority.roots()).build().unwrap();
    for _ in 0..2 {
        client.send(&Request::get(format!("https://origin.invalid:8443{TARGET}"))).await.unwrap();
    }
    let heads = peer.heads();
    assert_eq!(
        heads[0],
        format!(
            "CONNECT origin.invalid:8443 HTTP/1.1\r\nHost: origin.invalid:8443\r\nProxy-Authorization: {BASIC}\r\n\r\n"
        )
    );
    assert_eq!((peer.connections(), heads.len()), (1, 3));
    for head in &heads[1..] {
        assert!(head.starts_with(&format!("GET {TARGET} HTTP/1.1\r\n")), "{head}");
        assert!(!head.to_ascii_lowercase().contains("proxy-"), "{head}");
    }
}

#[tokio::test]
async fn a_proxy_may_itself_be_spoken_to_over_tls() {
    let authority = Authority::new();
    let outer = authority.server();
    let inner = authority.issue("origin.invalid", |_| ()).server();
    let peer = Peer::start(move |talk| {
        let mut stream = secure(&talk.stream, &outer);
        if talk.head(&mut stream)?.starts_with("CONNECT origin.invalid:443 ") {
            stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n")?;
            let mut stream = secure(stream, &inner);
            talk.head(&mut stream)?;
            stream.write_all(OK.as_bytes())
        } else {
            stream.write_all(OK.as_bytes())
        }
    });
    let proxy = Proxy::new(format!("https://{}", peer.address)).unwrap();
    let client = builder().proxy(proxy.clone()).root_certificates(authority.roots()).build().unwrap();
    client.send(&Request::get("http://origin.invalid/")).await.unwrap();
    client.send(&Request::get("https://origin.invalid/")).await.unwrap();
    let lines: Vec<_> = peer.heads().iter().map(|head| head.lines().next().unwrap().to_owned()).collect();
    let connect = "CONNECT origin.invalid:443 HTTP/1.1";
    assert_eq!(lines, ["GET http://origin.invalid/ HTTP/1.1", connect, "GET / HTTP/1.1"]);

    let client = builder().proxy(proxy).root_certificates(Authority::new().roots()).build().unwrap();
    let error = client.send(&Request::get("http://origin.invalid/")).await.unwrap_err();
    assert_eq!((error.stop_reason(), error.fault().unwrap().kind()), (StopReason::Final, FaultKind::Certificate));
    let expected = format!("proxy {}: it was issued by an authority that is not trusted here", peer.address);
    assert_eq!(error.fault().unwrap().detail(), expected);
}

#[tokio::test]
async fn a_refusal_of_the_proxy_is_final_and_says_which() {
    for (answer, what) in [
        (
            "HTTP/1.1 407 X\r\nContent-Length: 9\r\n\r\nno s3cret",
            "answered 407 Proxy Authentication Required to CONNECT",
        ),
        ("HTTP/1.0 403 Filtered\r\n\r\n", "answered 403 Forbidden to CONNECT"),
        ("HTTP/1.1 501 X\r\n\r\n", "answered 501 Not Implemented to CONNECT"),
    ] {
        let peer = answering(answer);
        let error = fail(&peer).await;
        assert_eq!(
            error.to_string(),
            format!(
                "POST origin.invalid/a failed while connecting: the proxy cannot be used: proxy {} {what} (1 attempt: \
                 proxy; not retryable)",
                peer.address
            )
        );
        assert_eq!((peer.connections(), error.fault().unwrap().kind()), (1, FaultKind::Proxy));
    }
    for answer in ["SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/1.1 99 X\r\n\r\n"] {
        let peer = answering(answer);
        let error = fail(&peer).await;
        let expected = format!("the answer of proxy {} to CONNECT is not HTTP/1", peer.address);
        assert_eq!((error.stop_reason(), error.fault().unwrap().detail()), (StopReason::Final, expected.as_str()));
    }
}

#[tokio::test]
async fn r3_a_proxy_that_gets_no_connection_is_tried_again_for_every_method() {
    for (answer, what) in [
        ("HTTP/1.1 500 X\r\n\r\n", "answered 500 Internal Server Error to CONNECT"),
        ("HTTP/1.1 502 X\r\n\r\n", "answered 502 Bad Gateway to CONNECT"),
        ("HTTP/1.1 503 X\r\n\r\n", "answered 503 Service Unavailable to CONNECT"),
        ("HTTP/1.1 504 X\r\n\r\n", "answered 504 Gateway Timeout to CONNECT"),
        ("", "closed the connection before it answered CONNECT"),
        ("HTTP/1.1 200 OK\r\n", "closed the connection before it answered CONNECT"),
    ] {
        let peer = answering(answer);
        let error = fail(&peer).await;
        assert_eq!(peer.connections(), 3);
        assert_eq!(
            error.to_string(),
            format!(
                "POST origin.invalid/a failed while connecting: no connection to the host: proxy {} {what} (3 attempts: \
                 unreachable, unreachable, unreachable; connection_retries = 2 used up)",
                peer.address
            )
        );
    }
}

#[tokio::test]
async fn r3_a_proxy_that_cannot_be_reached_is_a_connection_failure_that_names_it() {
    let (_port, closed) = refusing_port();
    // A label longer than 63 bytes is refused by the resolver itself, whatever the network.
    let unknown = format!("{}.invalid:3128", "x".repeat(64));
    for url in ["http://origin.invalid/", "https://origin.invalid/"] {
        for (proxy, kind) in [(closed.to_string(), FaultKind::Refused), (unknown.clone(), FaultKind::Dns)] {
            let client = builder().proxy(Proxy::new(&proxy).unwrap()).build().unwrap();
            let error = client.send(&Request::post(url, "payload")).await.unwrap_err();
            assert_eq!(error.stop_reason(), StopReason::BudgetUsedUp { budget: Budget::ConnectionRetries, allowed: 2 });
            let fault = error.fault().unwrap();
            assert_eq!(fault.kind(), kind, "{fault}");
            assert!(fault.detail().starts_with(&format!("proxy {proxy}")), "{fault}");
        }
    }
}

#[tokio::test]
async fn r3_a_handshake_that_breaks_off_inside_the_tunnel_is_tried_again() {
    let peer = answering("HTTP/1.1 200 OK\r\n\r\n");
    let error = fail(&peer).await;
    assert_eq!((peer.connections(), error.fault().unwrap().kind()), (3, FaultKind::TlsCutOff));
}

#[tokio::test]
async fn the_answer_of_a_proxy_to_a_plain_request_is_an_answer() {
    let peer = answering("HTTP/1.1 407 X\r\nContent-Length: 0\r\n\r\n");
    let client = builder().proxy(proxy(&peer)).build().unwrap();
    let error = client.send(&Request::get("http://origin.invalid/")).await.unwrap_err();
    assert_eq!(
        (error.stop_reason(), error.status().unwrap().as_u16(), peer.connections()),
        (StopReason::Final, 407, 1)
    );
}

#[tokio::test]
async fn the_environment_says_which_requests_go_through_a_proxy() {
    let peer = answering(OK);
    let server = Server::start([status(200)]);
    let url = &*peer.address.to_string();
    let client = |variables: &[(&str, &str)]| {
        builder().proxy(Proxies::from_variables(variables.iter().copied())).build().unwrap()
    };
    let request = Request::get(server.url("/"));
    client(&[("HTTP_PROXY", url)]).send(&request).await.unwrap();
    assert_eq!((peer.connections(), server.seen().len()), (1, 0));
    for variables in [
        &[("HTTPS_PROXY", url)] as &[_],
        &[("HTTP_PROXY", url), ("NO_PROXY", "127.0.0.0/8")],
        &[("ALL_PROXY", url), ("no_proxy", "*")],
    ] {
        client(variables).send(&request).await.unwrap();
    }
    builder().no_proxy().build().unwrap().send(&request).await.unwrap();
    assert_eq!((peer.connections(), server.seen().len()), (1, 4));
    assert!(server.seen()[0].head.starts_with("GET / HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_variable_that_names_no_proxy_fails_the_request_instead_of_going_around_it() {
    let server = Server::start([status(200)]);
    let proxies = Proxies::from_variables([("all_proxy", "socks5://me:s3cret@127.0.0.1:1080")]);
    let error = builder().proxy(proxies).build().unwrap().send(&Request::get(server.url("/"))).await.unwrap_err();
    assert_eq!(
        error.fault().unwrap().to_string(),
        "the proxy cannot be used: all_proxy: proxies of the scheme socks5 are not supported, only those of http and https \
         are"
    );
    assert_eq!((error.stop_reason(), server.seen().len()), (StopReason::Final, 0));
}

#[test]
fn the_credentials_are_in_no_debug_output() {
    let proxy = Proxy::new("http://me:s3cret@proxy.example:3128").unwrap();
    let builder = builder().proxy(proxy.clone());
    let shown = format!("{proxy} {proxy:?} {builder:?} {:?}", builder.clone().build().unwrap());
    assert!(!shown.contains("s3cret") && !shown.contains("me:") && !shown.contains("bWU6"), "{shown}");
}
