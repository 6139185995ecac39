//! Stored is stored: the head of a 2xx to an upload decides (rule U11).

use std::io::Write;
use std::time::{Duration, Instant};

use encord_http::{Client, Profile, Request};

use crate::budgets::settings;
use crate::peer::{Authority, Peer, secure};
use crate::server::{Act, Server, Step, answer, raw, status};

fn put(url: impl Into<encord_http::SignedUrl>) -> Request {
    Request::put(url, "payload").profile(Profile::Stall)
}

#[tokio::test]
async fn u11_what_comes_after_the_head_of_a_2xx_decides_nothing() {
    let head = |rest: &str| format!("HTTP/1.1 200 OK\r\n{rest}\r\n").into_bytes();
    let acts = [
        // Cut off, reset, longer than it says, broken.
        Act::AnswerAndClose(head("Content-Length: 100\r\n")),
        Act::AnswerAndReset(head("Content-Length: 100\r\n")),
        Act::AnswerAndClose([head("Transfer-Encoding: chunked\r\n"), b"zz\r\n".to_vec()].concat()),
        Act::AnswerAndClose(head("")),
        // Endless, and silent.
        Act::Steps(vec![
            Step::ReadAll,
            Step::Write(head("Content-Length: 99999999999\r\n")),
            Step::WriteForever(vec![0; 4096]),
        ]),
        Act::Steps(vec![Step::ReadAll, Step::Write(head("Content-Length: 5\r\n")), Step::Silence]),
        // Lines that are folded, padded, or not quite lines.
        Act::Answer(head("X-Folded: one\r\n two\r\nContent-Length: 0\r\n")),
        Act::Answer(head("X-Padded : one\r\nContent-Length: 0\r\n")),
        Act::Answer(head("X-Empty:\r\nContent-Length: 0\r\n")),
    ];
    for act in acts {
        let server = Server::start([act.clone()]);
        let began = Instant::now();
        let response = Client::new(settings(3, 3, 0.0)).send(&put(server.url("/"))).await.unwrap();
        assert_eq!((response.status().as_u16(), response.attempts().len()), (200, 1), "{act:?}");
        assert_eq!((response.payload().complete, server.seen().len()), (true, 1), "{act:?}");
        assert!(began.elapsed() < Duration::from_secs(10), "{act:?}");
    }
}

#[tokio::test]
async fn u11_the_body_of_a_2xx_is_not_kept_and_a_short_one_leaves_the_connection_usable() {
    let server = Server::start([Act::Answer(raw(200, "", "<PostResponse/>")), status(200)]);
    let client = Client::new(settings(0, 0, 0.0));
    for _ in 0..3 {
        let response = client.send(&put(server.url("/"))).await.unwrap();
        assert!(response.body().is_empty());
    }
    assert!(server.seen().iter().all(|seen| seen.connection == 0), "{:?}", server.seen());

    // The rest of a long one is not read, so its connection cannot be used again.
    let server = Server::start([answer(200, "", &"x".repeat(1 << 20)), status(200)]);
    for connection in 0..2 {
        client.send(&put(server.url("/"))).await.unwrap();
        assert_eq!(server.seen()[connection].connection, connection);
    }
}

#[tokio::test]
async fn u11_tls_that_is_shut_without_close_notify_after_a_2xx_is_no_failure() {
    let authority = Authority::new();
    let server = authority.server();
    for answer in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
    ] {
        let server = server.clone();
        let peer = Peer::start(move |talk| {
            let mut stream = secure(&talk.stream, &server);
            talk.head(&mut stream)?;
            std::io::Read::read_exact(&mut stream, &mut [0; 7])?;
            stream.write_all(answer.as_bytes())
        });
        let client =
            Client::builder(settings(3, 3, 0.0)).no_proxy().root_certificates(authority.roots()).build().unwrap();
        let response = client.send(&put(format!("https://{}/a", peer.address))).await.unwrap();
        assert_eq!((response.attempts().len(), peer.connections()), (1, 1), "{answer:?}");
    }
}

/// A body that somebody wants is whole or a failure.
#[tokio::test]
async fn r5_the_body_of_a_request_that_is_no_upload_still_counts() {
    let half = Act::AnswerAndClose(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n".to_vec());
    let server = Server::start([half, status(200)]);
    let response = Client::new(settings(1, 0, 0.0)).send(&Request::put(server.url("/"), "payload")).await.unwrap();
    assert_eq!(response.attempts().len(), 2);
}
