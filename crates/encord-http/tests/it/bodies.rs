//! Payloads of all kinds, and `Expect: 100-continue`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use encord_http::{Client, EXPECT_CONTINUE_FROM, FaultKind, Limit, Payload, Phase, Profile, Request, StopReason};
use encord_http_settings::{RequestsSettings, Timeout};
use http_body::{Body, Frame, SizeHint};

use crate::budgets::settings;
use crate::server::{Act, Server, Step, raw, status};

/// So many pieces of four bytes, which state a length or none.
pub(crate) struct Pieces {
    left: usize,
    stated: Option<u64>,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        let piece = self.left.checked_sub(1).map(|left| {
            self.left = left;
            Ok(Frame::data(Bytes::from_static(b"four")))
        });
        std::task::Poll::Ready(piece)
    }

    fn size_hint(&self) -> SizeHint {
        self.stated.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

pub(crate) fn pieces(count: usize, stated: Option<u64>) -> Pieces {
    Pieces { left: count, stated }
}

fn client(max_retries: u32) -> Client {
    Client::new(settings(max_retries, 3, 0.0))
}

fn millis(ms: u64) -> Timeout {
    Timeout::new(Duration::from_millis(ms)).unwrap()
}

/// Reads a chunked payload of three pieces of four bytes, byte by byte.
pub(crate) fn read_three_chunks() -> Step {
    Step::Read(3 * "4\r\nfour\r\n".len() + "0\r\n\r\n".len())
}

#[tokio::test]
async fn a_factory_makes_the_payload_anew_for_each_attempt() {
    let made = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let payload = Payload::factory(move || {
        count.fetch_add(1, Ordering::Relaxed);
        pieces(3, Some(12))
    });
    let server = Server::start([status(503), Act::Close, status(200)]);
    let response = client(2).send(&Request::put(server.url("/"), payload)).await.unwrap();
    assert_eq!((response.sent(), made.load(Ordering::Relaxed)), (12, 3));
    assert!(server.seen().iter().all(|seen| seen.payload == 12 && seen.head.contains("content-length: 12\r\n")));
}

#[tokio::test]
async fn a_payload_of_unknown_length_is_sent_chunked() {
    let server = Server::start([Act::Steps(vec![read_three_chunks(), Step::Write(raw(200, "", ""))])]);
    for payload in [Payload::factory(|| pieces(3, None)), Payload::once(pieces(3, None))] {
        client(0).send(&Request::put(server.url("/"), payload)).await.unwrap();
    }
    for seen in server.seen() {
        assert!(seen.head.contains("transfer-encoding: chunked\r\n") && !seen.head.contains("content-length"));
    }
}

#[tokio::test]
async fn r1_a_payload_that_can_be_read_once_is_sent_once() {
    let server = Server::start([status(503), status(200)]);
    let request = Request::put(server.url("/a"), Payload::once(pieces(3, Some(12))));
    let error = client(3).send(&request).await.unwrap_err();
    assert_eq!((error.reason(), server.seen().len()), (StopReason::NotReplayable, 1));
    let host = server.host();
    let expected = format!(
        "PUT {host}/a failed while waiting: 503 Service Unavailable (1 attempt: 503; not retried, because the payload can \
         be read only once)"
    );
    assert_eq!(error.to_string(), expected);
    // Sent again, the request has nothing left to send.
    let error = client(3).send(&request).await.unwrap_err();
    assert_eq!(error.fault().unwrap().detail(), "the stream can be read only once and has been read");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_stream_must_keep_its_stated_length() {
    for (stated, why) in [
        (13, "the stream ended before its stated length"),
        (11, "the stream is longer than its stated length"),
        // The first pieces are as long as all of it was to be: the rest must not be lost unnoticed.
        (8, "the stream is longer than its stated length"),
        (4, "the stream is longer than its stated length"),
        (0, ""),
    ] {
        let server = Server::start([status(200)]);
        let payload = Payload::factory(move || pieces(3, Some(stated)));
        match client(3).send(&Request::put(server.url("/"), payload)).await {
            Ok(response) => assert_eq!((response.sent(), stated), (0, 0)),
            Err(error) => {
                assert_eq!((error.fault().unwrap().kind(), error.fault().unwrap().detail()), (FaultKind::Payload, why));
                assert_eq!((error.reason(), error.attempts().len()), (StopReason::Final, 1));
            }
        }
        // The server never has as much as it was told, so it cannot take it for whole.
        assert!(server.seen().iter().all(|seen| (seen.payload as u64) < stated || stated == 0));
    }
}

fn large() -> Payload {
    Payload::bytes(vec![7; usize::try_from(EXPECT_CONTINUE_FROM).unwrap()])
}

fn go_on() -> Step {
    Step::Write(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec())
}

#[tokio::test]
async fn a_large_payload_waits_for_the_servers_word() {
    let server = Server::start([Act::Steps(vec![go_on(), Step::ReadAll, Step::Write(raw(200, "", ""))])]);
    client(0).send(&Request::put(server.url("/"), large())).await.unwrap();
    assert_eq!(server.seen()[0].payload as u64, EXPECT_CONTINUE_FROM);
    assert!(server.seen()[0].head.contains("expect: 100-continue\r\n"));
    client(0).send(&Request::put(server.url("/"), vec![7; 1 << 20])).await.unwrap();
    assert!(!server.seen()[1].head.contains("expect"), "a smaller one does not");
}

#[tokio::test]
async fn a_server_that_ignores_expect_gets_the_payload_all_the_same() {
    let server = Server::start([status(200)]);
    // The wait is never longer than half of what the clocks allow.
    let settings = RequestsSettings { write_timeout: millis(400), ..settings(0, 0, 0.0) };
    let began = Instant::now();
    let request = Request::put(server.url("/"), large()).profile(Profile::Stall);
    Client::new(settings).send(&request).await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(200), "{:?}", began.elapsed());
    assert_eq!(server.seen()[0].payload as u64, EXPECT_CONTINUE_FROM);
}

#[tokio::test]
async fn a_payload_that_is_refused_is_not_sent() {
    // It answers and goes on reading, so whatever was sent would be counted.
    let refuse = Act::Steps(vec![Step::Write(raw(403, "", "no")), Step::ReadAll]);
    let server = Server::start([refuse]);
    let error = client(3).send(&Request::put(server.url("/"), large())).await.unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), error.attempts().len()), (403, 1));
    // The connection is not used again: what follows on it would be taken for the payload.
    let _ = client(0).send(&Request::get(server.url("/"))).await;
    assert_eq!(server.seen()[0].payload, 0);
}

#[tokio::test]
async fn a_server_that_does_not_know_expect_is_asked_without() {
    let server = Server::start([Act::RejectEarly(raw(417, "", "")), status(200)]);
    let response = client(0).send(&Request::put(server.url("/"), large())).await.unwrap();
    assert_eq!(response.attempts().len(), 1, "that is no retry");
    let expected: Vec<_> = server.seen().iter().map(|seen| seen.head.contains("expect")).collect();
    assert_eq!(expected, [true, false]);
}

#[tokio::test]
async fn r9_interim_responses_start_no_clock() {
    // The payload takes longer than `read_timeout`, which must not run before the payload is sent, and the first byte of the
    // response longer than `connect_timeout` after the interim ones.
    let hints = Step::Write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".to_vec());
    let slowly = Step::ReadSlowly { chunk: 1 << 20, pause: Duration::from_millis(15) };
    let server = Server::start([Act::Steps(vec![go_on(), hints, slowly, Step::Write(raw(200, "", ""))])]);
    // Sent is what the server's buffers hold, a few megabytes of the 64; they are read well within the limit.
    let settings = RequestsSettings { read_timeout: millis(700), ..settings(0, 0, 0.0) };
    let began = Instant::now();
    let request = Request::put(server.url("/"), vec![7; 64 << 20]).profile(Profile::Stall);
    Client::new(settings).send(&request).await.unwrap();
    assert!(began.elapsed() > Duration::from_millis(900), "too fast to have proved anything");
}

#[tokio::test]
async fn r7_an_interim_response_is_not_the_first_byte() {
    let server = Server::start([Act::Steps(vec![Step::ReadAll, go_on(), Step::Silence])]);
    let settings = RequestsSettings { connect_timeout: millis(150), ..settings(0, 0, 0.0) };
    let error = Client::new(settings).send(&Request::put(server.url("/"), "x")).await.unwrap_err();
    assert_eq!(error.fault().unwrap().kind(), FaultKind::TimedOut(Limit::FirstByte), "{error}");
    assert_eq!(error.phase(), Phase::Waiting);
}

#[tokio::test]
async fn r8_what_the_peer_has_no_room_for_is_not_sent() {
    for payload in [Payload::bytes(vec![0; 15 << 20]), Payload::factory(|| pieces(4 << 20, None))] {
        let server = Server::start_with_tiny_buffer([Act::StopReading]);
        let settings = RequestsSettings { write_timeout: millis(200), ..settings(0, 0, 0.0) };
        let began = Instant::now();
        let request = Request::put(server.url("/"), payload).profile(Profile::Stall);
        let error = Client::new(settings).send(&request).await.unwrap_err();
        assert_eq!((error.fault().unwrap().kind(), error.phase()), (FaultKind::TimedOut(Limit::Write), Phase::Sending));
        assert!(began.elapsed() >= Duration::from_millis(200), "{:?}", began.elapsed());
    }
}

#[tokio::test]
async fn r3_a_payload_that_can_be_read_once_is_sent_when_there_is_a_connection() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let request = Request::post(format!("http://{address}/"), Payload::once(pieces(3, Some(12))));
    let client = Client::new(settings(0, 1000, 0.001));
    let sending = tokio::spawn(async move { client.send(&request).await });
    tokio::time::sleep(Duration::from_millis(3)).await;
    let server = Server::start_at(address, [status(200)]);
    let response = sending.await.unwrap().unwrap();
    assert!(response.attempts().len() > 1, "{response:?}");
    assert_eq!(server.seen()[0].payload, 12);
}

#[tokio::test]
async fn a_payload_that_can_be_read_once_survives_a_connection_that_died_idle() {
    let server = Server::start([Act::AnswerAndReset(raw(200, "", ""))]);
    let client = Client::new(settings(0, 0, 0.0));
    for round in 0..5 {
        client.send(&Request::post(server.url("/"), Payload::once(pieces(3, Some(12))))).await.unwrap();
        server.wait_until_closed(round + 1);
    }
    assert!(server.seen().iter().all(|seen| seen.payload == 12));
}

#[tokio::test]
async fn a_payload_that_can_be_read_once_and_was_refused_unread_is_still_there() {
    let refuse = Act::Steps(vec![Step::Write(raw(403, "", "no")), Step::ReadAll]);
    let server = Server::start([refuse, status(200)]);
    let length = EXPECT_CONTINUE_FROM;
    let bytes = Bytes::from(vec![7; usize::try_from(length).unwrap()]);
    let request = Request::put(server.url("/"), Payload::once(http_body_util::Full::new(bytes)));
    let error = client(3).send(&request).await.unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), error.attempts().len()), (403, 1));
    // The second time the server ignores `Expect`, so half of this is waited for its word.
    let settings = RequestsSettings { connect_timeout: millis(400), ..settings(0, 0, 0.0) };
    client(0).send(&request.settings(settings).profile(Profile::Stall)).await.unwrap();
    assert_eq!(server.seen().iter().map(|seen| seen.payload as u64).collect::<Vec<_>>(), [0, length]);
}

#[tokio::test]
async fn r1_a_payload_that_can_be_read_once_is_retried_until_it_is_read() {
    let refuse = || Act::Steps(vec![Step::Write(raw(503, "", "no")), Step::ReadAll]);
    let read = Act::Steps(vec![Step::ReadAll, Step::Write(raw(503, "Connection: close\r\n", ""))]);
    let server = Server::start([refuse(), refuse(), read]);
    let bytes = Bytes::from(vec![7; usize::try_from(EXPECT_CONTINUE_FROM).unwrap()]);
    let settings = RequestsSettings { connect_timeout: Timeout::from_secs(60).unwrap(), ..settings(5, 0, 0.0) };
    let request =
        Request::put(server.url("/"), Payload::once(http_body_util::Full::new(bytes))).profile(Profile::Stall);
    let error = Client::new(settings).send(&request).await.unwrap_err();
    assert_eq!((error.reason(), error.attempts().len()), (StopReason::NotReplayable, 3));
}

#[tokio::test]
async fn r9_a_word_that_comes_late_starts_no_clock() {
    // The payload takes much longer than the clocks, which neither its start nor the interim responses must start.
    let settings = RequestsSettings { connect_timeout: millis(500), read_timeout: millis(500), ..settings(0, 0, 0.0) };
    let slowly = Step::ReadSlowly { chunk: 2 << 20, pause: Duration::from_millis(40) };
    let hints = Step::Write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".to_vec());
    let ok = Step::Write(raw(200, "", ""));
    let late = vec![Step::Read(1 << 20), go_on(), hints, Step::Read(2 << 20), go_on(), slowly, ok];
    let server = Server::start([Act::Steps(late)]);
    let request = Request::put(server.url("/"), vec![0; 64 << 20]).profile(Profile::Stall);
    let began = Instant::now();
    Client::new(settings).send(&request).await.unwrap();
    assert!(began.elapsed() > Duration::from_secs(1), "too fast to have proved anything");
    assert_eq!(server.seen()[0].payload, 64 << 20);
}

#[tokio::test]
async fn r7_an_interim_response_in_pieces_is_not_the_first_byte_either() {
    // At `write_timeout`, long met, the client looks at its clock again, and sees what may be the response.
    let settings = RequestsSettings { connect_timeout: millis(300), write_timeout: millis(50), ..settings(0, 0, 0.0) };
    let write = |bytes: &[u8]| Step::Write(bytes.to_vec());
    let pause = Step::Pause(Duration::from_millis(100));
    let steps = vec![Step::ReadAll, write(b"HTTP/1.1 10"), pause, write(b"3 Early Hints\r\n\r\n"), Step::Silence];
    let server = Server::start([Act::Steps(steps)]);
    let request = Request::put(server.url("/"), "x").profile(Profile::Stall);
    let error = Client::new(settings).send(&request).await.unwrap_err();
    assert_eq!((error.fault().unwrap().kind(), error.phase()), (FaultKind::TimedOut(Limit::FirstByte), Phase::Waiting));
}

#[tokio::test]
async fn an_answer_after_interim_responses_is_the_answer() {
    let interim = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n".to_vec();
    let together = [interim.clone(), raw(200, "", "meow")].concat();
    for steps in [vec![Step::Write(interim), Step::Write(raw(200, "", "meow"))], vec![Step::Write(together)]] {
        let server = Server::start([Act::Steps(steps)]);
        let response = client(0).send(&Request::get(server.url("/"))).await.unwrap();
        assert_eq!((response.status().as_u16(), &response.body()[..]), (200, &b"meow"[..]));
    }
}

#[tokio::test]
async fn r8_a_payload_that_the_system_has_taken_is_sent() {
    let settings = RequestsSettings { connect_timeout: millis(100), ..settings(0, 0, 0.0) };
    let server = Server::start_with_tiny_buffer([Act::StopReading]);
    let request = Request::put(server.url("/"), vec![0; 1000]).profile(Profile::Stall);
    let error = Client::new(settings).send(&request).await.unwrap_err();
    assert_eq!((error.fault().unwrap().kind(), error.phase()), (FaultKind::TimedOut(Limit::FirstByte), Phase::Waiting));
}
