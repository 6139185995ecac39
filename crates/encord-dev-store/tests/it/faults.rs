//! What the client sees of each fault.

use std::io::ErrorKind;
use std::time::Duration;

use encord_dev_store::{DevStore, Running};
use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::client::{Answer, get, head, log, put, send, store};

#[tokio::test]
async fn a_status_comes_so_often_with_retry_after() {
    let store = store("a: 503 x2 retry-after=1").await;
    for _ in 0..2 {
        let answer = put(&store, "a", b"x").await.unwrap();
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
        assert_eq!((answer.element("Code"), answer.header("connection")), (Some("ServiceUnavailable"), None));
    }
    assert!(store.objects().is_empty());
    assert_eq!(put(&store, "a", b"x").await.unwrap().status, 200);
    assert_eq!(
        log(&store),
        [
            "PUT dev/a 503 (1 bytes, fault 503 retry-after=1)",
            "PUT dev/a 503 (1 bytes, fault 503 retry-after=1)",
            "PUT dev/a 200 (1 bytes)",
        ]
    );
}

#[tokio::test]
async fn only_uploads_with_a_good_signature_fail() {
    let store = store("a: 503 x1").await;
    assert_eq!(send(store.addr(), "PUT", &store.url("a"), &[], b"x").await.unwrap().status, 403);
    assert_eq!(get(&store, Method::GET, &store.url("a")).await.status, 404);
    assert_eq!(put(&store, "a", b"x").await.unwrap().status, 503);
}

#[tokio::test]
async fn resets_before_during_and_after() {
    #[track_caller]
    fn check(store: &Running, outcome: &std::io::Result<Answer>, bytes: std::ops::RangeInclusive<u64>, stored: bool) {
        assert_eq!(outcome.as_ref().map_err(std::io::Error::kind), Err(ErrorKind::ConnectionReset));
        let record = store.requests().pop().unwrap();
        assert_eq!(record.outcome, encord_dev_store::Outcome::Reset);
        assert!(bytes.contains(&record.bytes), "{record}");
        assert_eq!(store.object("a").is_some(), stored);
    }
    // More than hyper and the sockets take at once.
    let body = vec![7; 1 << 20];
    let half = body.len() as u64 / 2;
    for _ in 0..10 {
        let store = store("*: reset-before x1; *: reset-during x1; *: reset-after x1").await;
        // A write that fails tells of the reset as well as a read that does.
        let upload = async || match put(&store, "a", &body).await {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(ErrorKind::ConnectionReset.into()),
            outcome => outcome,
        };
        check(&store, &upload().await, 0..=0, false);
        check(&store, &upload().await, half..=2 * half - 1, false);
        check(&store, &upload().await, 2 * half..=2 * half, true);
    }
}

#[tokio::test]
async fn a_reject_comes_before_the_body() {
    let store = store("*: reject=403").await;
    let url = store.presign_put("a").unwrap();
    let mut stream = TcpStream::connect(store.addr()).await.unwrap();
    stream.write_all(head("PUT", &url, &[("Expect", "100-continue")], Some(1 << 40)).as_bytes()).await.unwrap();
    let answer = Answer::read(&mut stream, true).await.unwrap();
    assert_eq!((answer.status, answer.header("connection")), (403, Some("close")));
}

#[tokio::test]
async fn a_corrupt_object_has_the_hashes_of_what_is_stored() {
    let store = store("a: corrupt").await;
    let answer = put(&store, "a", b"a23456789").await.unwrap();
    assert_eq!(store.read("a").await.unwrap().as_deref(), Some(&b"`23456789"[..]));
    assert_eq!(answer.header("etag"), Some(&*store.object("a").unwrap().etag()));
    assert_eq!(put(&store, "b", b"a23456789").await.unwrap().status, 200);
    assert_ne!(store.object("a").unwrap().md5, store.object("b").unwrap().md5);
}

#[tokio::test]
async fn a_url_is_treated_as_expired() {
    let store = store("a: expire x1").await;
    let answer = put(&store, "a", b"x").await.unwrap();
    assert_eq!((answer.status, answer.element("Code")), (400, Some("ExpiredToken")));
    assert_eq!(put(&store, "a", b"x").await.unwrap().status, 200);
}

/// Nothing comes, however long one waits; the time is paused, so that an hour is over at once.
#[tokio::test(start_paused = true)]
async fn stalls_and_silence() {
    for (fault, stored) in [("stall", false), ("silent", true)] {
        let store = store(&format!("a: {fault}")).await;
        let mut stream = TcpStream::connect(store.addr()).await.unwrap();
        let url = store.presign_put("a").unwrap();
        stream.write_all(format!("{}x", head("PUT", &url, &[], Some(1))).as_bytes()).await.unwrap();
        assert!(timeout(Duration::from_secs(3600), stream.read_u8()).await.is_err(), "{fault}");
        assert_eq!(store.object("a").is_some(), stored, "{fault}");
        drop(stream);
    }
}

/// The client goes with or without bytes that nobody reads before its end, in peace or by a reset.
#[tokio::test]
async fn what_a_fault_keeps_ends_with_its_client() {
    for (fault, read) in [("stall", 0), ("silent", 1)] {
        for body in [vec![7], vec![7; 100_000]] {
            for reset in [false, true] {
                let store = store(&format!("a: {fault}")).await;
                let mut stream = TcpStream::connect(store.addr()).await.unwrap();
                let url = store.presign_put("a").unwrap();
                stream.write_all(head("PUT", &url, &[], Some(body.len())).as_bytes()).await.unwrap();
                stream.write_all(&body).await.unwrap();
                if fault == "silent" {
                    wait_until(|| store.object("a").is_some()).await;
                }
                // Only there to know that the first has come.
                put(&store, "b", b"").await.unwrap();
                if reset {
                    stream.set_zero_linger().unwrap();
                }
                drop(stream);
                wait_until(|| log(&store).len() > 1).await;
                let bytes = read * body.len();
                assert_eq!(log(&store)[1], format!("PUT dev/a abandoned ({bytes} bytes, fault {fault})"));
                // Its task does not keep the store from ending.
                store.shutdown().await;
            }
        }
    }
}

async fn wait_until(is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(Duration::from_secs(30), wait).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_slow() {
    let store = DevStore::builder().faults("a: slow=2".parse().unwrap()).start().await.unwrap();
    let began = Instant::now();
    assert_eq!(put(&store, "a", b"x").await.unwrap().status, 200);
    assert_eq!(began.elapsed().as_secs(), 2);
    assert!(store.object("a").is_some());
}

#[tokio::test(start_paused = true)]
async fn an_answer_drips() {
    let store = DevStore::builder().faults("a: drip=2".parse().unwrap()).start().await.unwrap();
    let began = Instant::now();
    let answer = put(&store, "a", b"x").await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(began.elapsed().as_secs(), 2 * answer.body.len() as u64);
    assert!(store.object("a").is_some());
}
