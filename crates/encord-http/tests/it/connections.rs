//! Pooling, cancelling, files.

use std::fs::File;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use encord_http::{Client, FaultKind, Outcome, Payload, Phase, Request, StopReason};

use http_body::Frame;

use crate::budgets::{fail, settings};
use crate::server::{Act, Server, Step, raw, status};

#[tokio::test]
async fn connections_are_reused() {
    let server = Server::start([status(200)]);
    let client = Client::new(settings(0, 0, 0.0));
    for _ in 0..5 {
        client.send(&Request::put(server.url("/"), "payload")).await.unwrap();
    }
    assert!(server.seen().iter().all(|seen| seen.connection == 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn there_are_no_more_connections_than_requests_under_way() {
    const UNDER_WAY: usize = 16;
    let server = Server::start([status(200)]);
    let client = Client::new(settings(0, 0, 0.0));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..UNDER_WAY {
        let (client, url) = (client.clone(), server.url("/"));
        tasks.spawn(async move {
            for _ in 0..50 {
                client.send(&Request::put(&*url, "payload")).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    let seen = server.seen();
    assert_eq!(seen.len(), 50 * UNDER_WAY);
    let last = seen.iter().map(|seen| seen.connection).max();
    assert!(last < Some(UNDER_WAY), "{last:?}");
}

#[tokio::test]
async fn connections_are_not_reused_after_the_idle_timeout() {
    let server = Server::start([status(200), Act::Answer(raw(200, "", "body"))]);
    let client = Client::builder(settings(0, 0, 0.0)).pool_idle_timeout(Duration::ZERO).build().unwrap();
    for _ in 0..5 {
        client.send(&Request::put(server.url("/"), "payload")).await.unwrap();
    }
    assert_eq!(server.seen().iter().map(|seen| seen.connection).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn connections_may_be_kept_for_ever() {
    let server = Server::start([status(200)]);
    let client = Client::builder(settings(0, 0, 0.0)).pool_idle_timeout(Duration::MAX).build().unwrap();
    for _ in 0..3 {
        client.send(&Request::put(server.url("/"), "payload")).await.unwrap();
    }
    assert!(server.seen().iter().all(|seen| seen.connection == 0));
}

/// A stream that cannot be read.
struct Broken;

impl http_body::Body for Broken {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(Some(Err(std::io::Error::other("broken"))))
    }
}

#[tokio::test]
async fn a_payload_that_fails_at_once_is_asked_once_also_on_a_connection_from_the_pool() {
    let server = Server::start([status(200)]);
    let client = Client::new(settings(3, 0, 0.0));
    for _ in 0..2 {
        client.send(&Request::put(server.url("/"), "payload")).await.unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let payload = Payload::factory(move || {
            count.fetch_add(1, Ordering::Relaxed);
            Broken
        });
        let error = client.send(&Request::put(server.url("/"), payload)).await.unwrap_err();
        assert_eq!((error.fault().unwrap().kind(), asked.load(Ordering::Relaxed)), (FaultKind::Payload, 1));
    }
}

#[tokio::test]
async fn a_connection_that_died_idle_costs_no_attempt() {
    let server = Server::start([Act::AnswerAndReset(raw(200, "", ""))]);
    let client = Client::new(settings(0, 0, 0.0));
    for round in 0..10 {
        let response = client.send(&Request::post(server.url("/"), "payload")).await.unwrap();
        assert_eq!(response.attempts().len(), 1);
        server.wait_until_closed(round + 1);
    }
    assert_eq!(server.seen().len(), 10);
}

#[tokio::test]
async fn a_connection_on_which_something_went_wrong_is_not_used_again() {
    let server = Server::start([Act::RejectEarly(raw(403, "", "")), status(200)]);
    let client = Client::new(settings(0, 0, 0.0));
    client.send(&Request::put(server.url("/"), vec![0; 8 << 20])).await.unwrap_err();
    client.send(&Request::put(server.url("/"), "payload")).await.unwrap();
    assert_eq!(server.seen().iter().map(|seen| seen.connection).collect::<Vec<_>>(), [0, 1]);
}

#[tokio::test]
async fn dropping_the_future_closes_the_connection_even_if_the_peer_has_stopped_reading() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let client = Client::new(settings(0, 0, 0.0));
    let request = Request::put(url, vec![0; 64 << 20]);
    let sending = tokio::spawn(async move { client.send(&request).await });
    let (mut peer, _) = listener.accept().await.unwrap();
    peer.readable().await.unwrap();
    sending.abort();
    assert!(sending.await.unwrap_err().is_cancelled());
    // All that was in flight, and then the end of it: the rest was never sent.
    let mut received = Vec::new();
    let end = tokio::io::AsyncReadExt::read_to_end(&mut peer, &mut received);
    drop(tokio::time::timeout(Duration::from_secs(20), end).await.expect("the connection is closed"));
    assert!(received.len() < 64 << 20);
}

#[tokio::test]
async fn a_file_is_streamed_and_opened_again_for_each_attempt() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), vec![7; 1_000_001]).unwrap();
    let server = Server::start([Act::Close, status(503), status(200)]);
    let request = Request::put(server.url("/"), Payload::file(file.path()));
    let response = Client::new(settings(2, 0, 0.0)).send(&request).await.unwrap();
    assert_eq!(response.sent(), 1_000_001);
    assert!(server.seen().iter().all(|seen| seen.payload == 1_000_001), "{:?}", server.seen());
}

#[tokio::test]
async fn u6_a_payload_that_cannot_be_read_is_final_and_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start([status(200)]);
    let missing = directory.path().join("missing.jpg");
    for (path, why) in [(directory.path(), "not a regular file"), (&missing, "No such file or directory (os error 2)")]
    {
        let error = fail(settings(3, 3, 0.0), Request::put(server.url("/"), Payload::file(path))).await;
        assert_eq!((error.stop_reason(), error.phase()), (StopReason::Final, Phase::Preparing));
        assert_eq!((error.fault().unwrap().kind(), error.fault().unwrap().detail()), (FaultKind::Payload, why));
    }
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn r5_u6_a_file_that_changes_while_it_is_sent_is_not_stored_as_if_whole_and_sent_anew() {
    const LENGTH: u64 = 64 << 20;
    type Change = fn(&File) -> std::io::Result<()>;
    let changes: [(Change, &str); 3] = [
        (|file| file.set_len(LENGTH + 1), "it grew"),
        (|file| file.set_len(LENGTH - 1), "it shrank"),
        (|file| file.set_modified(SystemTime::UNIX_EPOCH), "it was changed"),
    ];
    for (change, why) in changes {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(LENGTH).unwrap();
        let server = Server::start([Act::ReadSlowly { chunk: 1 << 20, pause: Duration::from_millis(2) }]);
        let request = Request::put(server.url("/"), Payload::file(file.path()));
        let client = Client::new(settings(3, 0, 0.0));
        let sending = tokio::spawn(async move { client.send(&request).await });
        while server.seen().first().is_none_or(|seen| seen.payload == 0) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        change(file.as_file()).unwrap();
        // Opened anew, it is sent as it is now.
        let response = sending.await.unwrap().unwrap();
        let Outcome::Fault(fault) = &response.attempts()[0].outcome else { panic!("{:?}", response.attempts()) };
        assert_eq!((fault.kind(), fault.detail(), response.attempts().len()), (FaultKind::Changed, why, 2));
        assert_eq!(response.sent(), file.as_file().metadata().unwrap().len());
        assert!(server.seen()[0].payload < usize::try_from(LENGTH).unwrap());
    }
}

#[tokio::test]
async fn idle_connections_are_bounded_for_all_hosts_together() {
    let client = Client::new(settings(0, 0, 0.0));
    let servers: Vec<_> = (0..272).map(|_| Server::start([status(200)])).collect();
    for server in &servers {
        client.send(&Request::get(server.url("/"))).await.unwrap();
    }
    // The first to come were closed to make room, the last are still there.
    for (number, server) in servers.iter().enumerate().rev() {
        if (8..24).contains(&number) {
            continue;
        }
        client.send(&Request::get(server.url("/"))).await.unwrap();
        let connections = server.seen().last().unwrap().connection;
        assert_eq!(connections, usize::from(number < 16), "{number}");
        if number < 16 {
            break;
        }
    }
}

#[tokio::test]
async fn r5_an_answer_that_nobody_asked_for_is_nobodys() {
    let late = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n".to_vec();
    let steps =
        vec![Step::ReadAll, Step::Write(raw(200, "", "")), Step::Pause(Duration::from_millis(20)), Step::Write(late)];
    let server = Server::start([Act::Steps(steps), Act::Answer(raw(200, "", "mine"))]);
    let client = Client::new(settings(0, 0, 0.0));
    client.send(&Request::get(server.url("/"))).await.unwrap();
    // The runtime does not hear of it, the system does.
    std::thread::sleep(Duration::from_millis(100));
    let response = client.send(&Request::post(server.url("/"), "payload")).await.unwrap();
    assert_eq!((&response.body()[..], response.attempts().len()), (&b"mine"[..], 1));
    assert_eq!(server.seen().iter().map(|seen| seen.connection).collect::<Vec<_>>(), [0, 1]);
}

#[tokio::test]
async fn idle_connections_are_closed_after_their_time_also_without_another_request() {
    let server = Server::start([status(200)]);
    let client = Client::builder(settings(0, 0, 0.0)).pool_idle_timeout(Duration::from_millis(50)).build().unwrap();
    client.send(&Request::get(server.url("/"))).await.unwrap();
    tokio::task::spawn_blocking(move || server.wait_until_closed(1)).await.unwrap();
    drop(client);
}
