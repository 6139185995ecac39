//! What is known of a payload that was sent: length, time, checksums, and the count of its bytes.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use encord_http::{Client, Digests, Failed, Meter, Payload, Request, Response};
use http_body_util::Full;

use crate::bodies::pieces;
use crate::budgets::settings;
use crate::server::{Act, Server, raw, status};

const CRC32C: Digests = Digests { crc32c: true, ..Digests::NONE };
const MD5: Digests = Digests { md5: true, ..Digests::NONE };

fn client(max_retries: u32) -> Client {
    Client::new(settings(max_retries, 0, 0.0))
}

async fn put(payload: Payload) -> Response {
    let server = Server::start([status(503), status(200)]);
    client(1).send(&Request::put(server.url("/"), payload)).await.unwrap()
}

/// Sends the payload as bytes, as a file and as a stream, and looks at what is said of it.
async fn check(content: &[u8], crc32c: u32, md5: u128) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    file.as_file().set_modified(modified).unwrap();
    for digests in [Digests::NONE, CRC32C, MD5, Digests::ALL] {
        let stream = Full::new(content.to_vec().into());
        let payloads = [
            (Payload::bytes(content.to_vec()), None),
            (Payload::file(file.path()), Some(modified)),
            (Payload::factory(move || stream.clone()), None),
        ];
        for (payload, modified) in payloads {
            let shown = format!("{payload:?} {digests:?}");
            let response = put(payload.digests(digests)).await;
            let sent = response.payload();
            assert_eq!((sent.length, response.sent()), (content.len() as u64, content.len() as u64), "{shown}");
            assert_eq!((sent.file.and_then(|file| file.modified), sent.complete), (modified, true), "{shown}");
            assert_eq!(sent.checksums.crc32c, digests.crc32c.then_some(crc32c), "{shown}");
            assert_eq!(sent.checksums.md5, digests.md5.then(|| md5.to_be_bytes()), "{shown}");
        }
    }
}

#[tokio::test]
async fn the_checksums_of_a_payload_are_known_when_it_is_sent() {
    check(b"", 0, 0xd41d_8cd9_8f00_b204_e980_0998_ecf8_427e).await;
    check(b"123456789", 0xe306_9283, 0x25f9_e794_323b_4538_85f5_181f_1b62_4d0b).await;
    // Four chunks. The MD5 is what OpenSSL makes of it.
    let million = vec![b'a'; 1_000_000];
    check(&million, crc32c::crc32c(&million), 0x7707_d6ae_4e02_7c70_eea2_a935_c229_6f21).await;
}

#[tokio::test]
async fn a_payload_without_a_length_has_checksums_too() {
    for payload in [Payload::factory(|| pieces(3, None)), Payload::once(pieces(3, None))] {
        let server = Server::start([Act::Steps(vec![
            crate::bodies::read_three_chunks(),
            crate::server::Step::Write(raw(200, "", "")),
        ])]);
        let request = Request::put(server.url("/"), payload.digests(CRC32C));
        let response = client(0).send(&request).await.unwrap();
        let sent = response.payload();
        assert_eq!(
            (sent.length, sent.complete, sent.checksums.crc32c),
            (0, true, Some(crc32c::crc32c(b"fourfourfour")))
        );
    }
}

#[tokio::test]
async fn an_answer_before_the_payload_is_read_has_no_checksums() {
    let server = Server::start([Act::RejectEarly(raw(200, "", ""))]);
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(64 << 20).unwrap();
    // Too short for `Expect`, and without checksums one piece, which hyper has as a whole long before the system has.
    let short = Payload::bytes(vec![0; 15 << 20]);
    let long = Payload::bytes(vec![0; 64 << 20]).digests(Digests::ALL);
    for (payload, length) in [(Payload::file(file.path()).digests(Digests::ALL), 64), (long, 64), (short, 15)] {
        let response = client(0).send(&Request::put(server.url("/"), payload)).await.unwrap();
        let sent = response.payload();
        assert_eq!(
            (sent.length, sent.complete, sent.checksums.crc32c, sent.checksums.md5),
            (length << 20, false, None, None)
        );
    }
}

#[tokio::test]
async fn checksums_are_those_of_the_attempt_that_was_answered() {
    let server = Server::start([status(503), status(200)]);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "before").unwrap();
    let request = Request::put(server.url("/"), Payload::file(file.path()).digests(CRC32C));
    let mut attempts = client(1).begin(request);
    assert!(matches!(attempts.attempt().await, Err(Failed::Retry { .. })));
    std::fs::write(file.path(), "and after").unwrap();
    let response = attempts.attempt().await.unwrap();
    assert_eq!(
        (response.payload().length, response.payload().checksums.crc32c),
        (9, Some(crc32c::crc32c(b"and after")))
    );
}

#[tokio::test]
async fn a_meter_counts_every_payload_byte_of_all_its_requests() {
    let server = Server::start([status(503), Act::Close, status(200)]);
    let meter = Arc::new(Meter::new());
    let put = |payload| Request::put(server.url("/"), payload).meter(Arc::clone(&meter));
    client(2).send(&put(Payload::bytes(vec![0; 1000]))).await.unwrap();
    assert_eq!(meter.bytes(), 3000);
    for digests in [Digests::NONE, Digests::ALL] {
        client(0).send(&put(Payload::bytes(vec![0; 300_000]).digests(digests))).await.unwrap();
    }
    client(0).send(&put(Payload::factory(|| pieces(3, Some(12))))).await.unwrap();
    client(0).send(&Request::put(server.url("/"), "not counted")).await.unwrap();
    assert_eq!(meter.bytes(), 3000 + 600_000 + 12);
}
