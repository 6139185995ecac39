//! Connections, hostile input, and the life of the store.

use std::sync::{Arc, Mutex};

use encord_dev_store::DevStore;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Answer, head, log, put, raw, send, store};

#[tokio::test]
async fn a_connection_is_used_again() {
    let store = store("").await;
    let url = store.presign_put("a").unwrap();
    let mut stream = TcpStream::connect(store.addr()).await.unwrap();
    for _ in 0..3 {
        stream.write_all(format!("{}x", head("PUT", &url, &[], Some(1))).as_bytes()).await.unwrap();
        let answer = Answer::read(&mut stream, true).await.unwrap();
        assert_eq!((answer.status, answer.header("connection")), (200, None));
    }
}

#[tokio::test]
async fn a_body_that_is_not_wanted_is_not_asked_for() {
    let store = store("").await;
    let ask = async |url: &str| {
        let mut stream = TcpStream::connect(store.addr()).await.unwrap();
        let head = head("PUT", url, &[("Expect", "100-continue")], Some(1_000_000_000));
        stream.write_all(head.as_bytes()).await.unwrap();
        Answer::read(&mut stream, true).await.unwrap()
    };
    assert_eq!(ask(&store.presign_put("a").unwrap()).await.status, 100);
    let answer = ask(&store.url("a")).await;
    assert_eq!((answer.status, answer.element("Code")), (403, Some("AccessDenied")));
    assert_eq!(answer.header("connection"), Some("close"));
}

/// The answer must not be lost in the reset that unread bytes cause.
#[tokio::test]
async fn a_refusal_reaches_a_client_that_is_still_sending() {
    let store = store("").await;
    for _ in 0..20 {
        let answer = send(store.addr(), "PUT", &store.url("a"), &[], &vec![0; 1 << 24]).await.unwrap();
        assert_eq!(answer.status, 403);
    }
}

#[tokio::test]
async fn an_open_store_wants_no_signature_but_a_good_one() {
    let store = DevStore::builder().open(true).start().await.unwrap();
    assert_eq!(send(store.addr(), "PUT", &store.url("a"), &[], b"x").await.unwrap().status, 200);
    let spoiled = store.presign_put("a").unwrap().replace("Expires=900", "Expires=901");
    assert_eq!(send(store.addr(), "PUT", &spoiled, &[], b"x").await.unwrap().status, 403);
}

#[tokio::test]
async fn an_object_is_kept_if_asked_for() {
    let store = DevStore::builder().write_once(true).faults("a: 503 x1".parse().unwrap()).start().await.unwrap();
    assert_eq!(put(&store, "a", b"1").await.unwrap().status, 503);
    assert_eq!(put(&store, "a", b"2").await.unwrap().status, 200);
    let refused = put(&store, "a", &vec![0; 1 << 24]).await.unwrap();
    assert_eq!((refused.status, refused.element("Code")), (412, Some("PreconditionFailed")));
    assert_eq!(store.read("a").await.unwrap().unwrap(), "2");
    store.set_write_once(false);
    assert_eq!(put(&store, "a", b"3").await.unwrap().status, 200);
}

#[tokio::test]
async fn a_plan_is_exchanged_while_the_store_runs() {
    let store = store("a: 503").await;
    assert_eq!(put(&store, "a", b"1").await.unwrap().status, 503);
    store.set_faults("a: 500 x1".parse().unwrap());
    assert_eq!(put(&store, "a", b"1").await.unwrap().status, 500);
    assert_eq!(put(&store, "a", b"1").await.unwrap().status, 200);
}

#[tokio::test]
async fn chunks_without_a_length_are_taken_if_asked_for() {
    for (chunked, status) in [(true, 200), (false, 411)] {
        let store = DevStore::builder().chunked(chunked).start().await.unwrap();
        let head = head("PUT", &store.presign_put("a").unwrap(), &[("Transfer-Encoding", "chunked")], None);
        let answer = raw(store.addr(), format!("{head}2\r\nab\r\n0\r\n\r\n")).await.unwrap();
        assert_eq!(answer.status, status);
        assert_eq!(store.object("a").map(|object| object.size), chunked.then_some(2));
    }
}

#[tokio::test]
async fn only_loopback_and_only_a_port_that_is_free() {
    let store = store("").await;
    assert!(store.addr().ip().is_loopback());
    let error = DevStore::builder().port(store.addr().port()).start().await.unwrap_err();
    assert!(error.to_string().starts_with(&format!("cannot listen on {}: ", store.addr())), "{error}");
}

#[tokio::test]
async fn shutting_down_ends_what_a_fault_keeps() {
    let store = store("a: stall").await;
    let mut stream = TcpStream::connect(store.addr()).await.unwrap();
    let url = store.presign_put("a").unwrap();
    stream.write_all(format!("{}x", head("PUT", &url, &[], Some(1))).as_bytes()).await.unwrap();
    // The second one is only there to know that the first has come.
    put(&store, "b", b"").await.unwrap();
    let addr = store.addr();
    store.shutdown().await;
    assert!(stream.read_u8().await.is_err());
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn the_log_is_bounded_and_every_request_is_told() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&told);
    let listen = move |record: &encord_dev_store::RequestRecord| listener.lock().unwrap().push(record.to_string());
    let store = DevStore::builder().log_limit(2).on_request(listen).start().await.unwrap();
    for key in ["a", "b", "c"] {
        put(&store, key, b"").await.unwrap();
    }
    assert_eq!(log(&store), ["PUT dev/b 200 (0 bytes)", "PUT dev/c 200 (0 bytes)"]);
    assert_eq!(told.lock().unwrap().len(), 3);
    assert_eq!(store.requests()[0].object(), Some("b"));
}

#[tokio::test]
async fn too_much_of_a_head_is_refused() {
    let store = store("").await;
    let long = format!("GET /dev/a HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "x".repeat(1_000_000));
    assert_eq!(raw(store.addr(), long).await.unwrap().status, 431);
    let many = format!("GET /dev/a HTTP/1.1\r\nHost: h\r\n{}\r\n", "X: y\r\n".repeat(200));
    assert_eq!(raw(store.addr(), many).await.unwrap().status, 431);
    let long = format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "x".repeat(70_000));
    let status = raw(store.addr(), long).await.unwrap().status;
    assert!([414, 431].contains(&status), "{status}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_is_sent_the_store_lives(requests in prop::collection::vec(
        ("(GET|PUT|HEAD|DELETE|POST|X)?", "[ -~]{0,40}", "([A-Za-z0-9-]{1,12}: [ -~]{0,20}\r\n){0,3}", prop::collection::vec(any::<u8>(), 0..40)), 1..8,
    )) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = store("").await;
            for (method, target, headers, body) in requests {
                let mut stream = TcpStream::connect(store.addr()).await.unwrap();
                let head = format!("{method} /{target} HTTP/1.1\r\nHost: h\r\n{headers}\r\n");
                stream.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
                stream.shutdown().await.unwrap();
                drop(stream.read_to_end(&mut Vec::new()).await);
            }
            assert_eq!(put(&store, "alive", b"yes").await.unwrap().status, 200);
        });
    }
}
