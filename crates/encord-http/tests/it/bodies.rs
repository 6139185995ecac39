//! Payloads of all kinds, and `Expect: 100-continue`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use encord_http::{
    Budget, Client, EXPECT_CONTINUE_MIN_BYTES, Failed, FaultKind, Limit, Payload, Phase, Profile, Request, StopReason,
};
use encord_http_settings::{RequestsSettings, Timeout};
use http_body::{Body, Frame, SizeHint};

use crate::budgets::settings;
use crate::server::{Act, Server, Step, raw, refusing_port, status};

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
    assert_eq!((error.stop_reason(), server.seen().len()), (StopReason::NotReplayable, 1));
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
                assert_eq!((error.stop_reason(), error.attempts().len()), (StopReason::Final, 1));
            }
        }
        // The server never has as much as it was told, so it cannot take it for whole.
        assert!(server.seen().iter().all(|seen| (seen.payload as u64) < stated || stated == 0));
    }
}

pub(crate) fn large() -> Payload {
    Payload::bytes(vec![7; usize::try_from(EXPECT_CONTINUE_MIN_BYTES).unwrap()])
}

fn go_on() -> Step {
    Step::Write(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec())
}

#[tokio::test]
async fn a_large_payload_waits_for_the_servers_word() {
    let server = Server::start([Act::Steps(vec![go_on(), Step::ReadAll, Step::Write(raw(200, "", ""))])]);
    client(0).send(&Request::put(server.url("/"), large())).await.unwrap();
    assert_eq!(server.seen()[0].payload as u64, EXPECT_CONTINUE_MIN_BYTES);
    assert!(server.seen()[0].head.contains("expect: 100-continue\r\n"));
    client(0).send(&Request::put(server.url("/"), vec![7; 1 << 20])).await.unwrap();
    assert!(!server.seen()[1].head.contains("expect"), "a smaller one does not");
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
async fn r8_what_the_peer_has_no_room_for_is_not_sent() {
    let mut payloads = vec![Payload::bytes(vec![0; 15 << 20]), Payload::factory(|| pieces(4 << 20, None))];
    if cfg!(target_os = "linux") {
        // The system takes all of it, and says that it is not sent, or not acknowledged.
        payloads.push(Payload::bytes(vec![0; 200 << 10]));
        payloads.push(Payload::bytes(vec![0; 60 << 10]));
    }
    for payload in payloads {
        let server = Server::start_with_tiny_buffer([Act::StopReading]);
        let settings =
            RequestsSettings { connect_timeout: millis(400), write_timeout: millis(200), ..settings(0, 0, 0.0) };
        let began = Instant::now();
        let request = Request::put(server.url("/"), payload).profile(Profile::Stall);
        let error = Client::new(settings).send(&request).await.unwrap_err();
        assert_eq!((error.fault().unwrap().kind(), error.phase()), (FaultKind::TimedOut(Limit::Write), Phase::Sending));
        assert!(began.elapsed() >= Duration::from_millis(200), "{:?}", began.elapsed());
    }
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn r7_the_first_byte_is_not_due_before_the_peer_has_the_payload() {
    let late = [Step::Pause(Duration::from_millis(100)), Step::ReadAll, Step::Write(raw(200, "", ""))];
    let server = Server::start_with_tiny_buffer([Act::Steps(late.into())]);
    let settings = RequestsSettings { connect_timeout: millis(40), ..settings(0, 5, 0.0) };
    let request = Request::put(server.url("/"), Payload::bytes(vec![0; 60 << 10])).profile(Profile::Stall);
    Client::new(settings).send(&request).await.unwrap();
}

#[tokio::test]
async fn r3_a_payload_that_can_be_read_once_is_sent_when_there_is_a_connection() {
    let (port, address) = refusing_port();
    let request = Request::post(format!("http://{address}/"), Payload::once(pieces(3, Some(12))));
    let mut attempts = Client::new(settings(0, 1, 0.0)).begin(request);
    let refused = attempts.attempt().await;
    assert!(matches!(refused, Err(Failed::Retry { charged_to: Budget::ConnectionRetries, .. })), "{refused:?}");
    port.listen(1).unwrap();
    let server = Server::start_on(port.into(), [status(200)]);
    let done = attempts.attempt().await;
    done.unwrap();
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
async fn an_answer_after_interim_responses_is_the_answer() {
    let interim = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n".to_vec();
    let together = [interim.clone(), raw(200, "", "meow")].concat();
    for steps in [vec![Step::Write(interim), Step::Write(raw(200, "", "meow"))], vec![Step::Write(together)]] {
        let server = Server::start([Act::Steps(steps)]);
        let response = client(0).send(&Request::get(server.url("/"))).await.unwrap();
        assert_eq!((response.status().as_u16(), &response.body()[..]), (200, &b"meow"[..]));
    }
}
