//! Everything that can go wrong, and the whole account of it: attempts, waits, reason, phase and text.

use std::time::Duration;

use encord_http::{Budget, Client, Error, FaultKind, Payload, Phase, Request, StopReason};
use encord_http_settings::RequestsSettings;

use crate::budgets::{fail, settings};
use crate::server::{Act, Server, Step, answer, raw, refusing_port, status};

const RETRIES_USED_UP: StopReason = StopReason::BudgetUsedUp { budget: Budget::MaxRetries, allowed: 2 };
const CONNECTIONS_USED_UP: StopReason = StopReason::BudgetUsedUp { budget: Budget::ConnectionRetries, allowed: 1 };

const RETRIED: &[u64] = &[0, 1, 2];
const ONCE: &[u64] = &[0];

/// Two retries, one to connect, waits of 1 and 2 ms, clocks that no test runs into unless it means to.
fn patient() -> RequestsSettings {
    settings(2, 1, 0.001)
}

/// Expects a request to fail for good in this way. `{host}` in the text stands for the server's.
struct Expected {
    reason: StopReason,
    phase: Phase,
    /// In milliseconds, one for each attempt.
    waits: &'static [u64],
    text: &'static str,
}

impl Expected {
    #[track_caller]
    fn check(&self, error: &Error, host: &str) {
        assert_eq!(error.to_string(), self.text.replace("{host}", host));
        let waits: Vec<_> = error.attempts().iter().map(|attempt| attempt.waited).collect();
        assert_eq!(waits, self.waits.iter().copied().map(Duration::from_millis).collect::<Vec<_>>(), "{error}");
        assert_eq!((error.stop_reason(), error.phase()), (self.reason, self.phase), "{error}");
    }
}

/// Sends a request to a server that always does the same.
async fn check(settings: RequestsSettings, request: fn(String) -> Request, act: Act, expected: Expected) {
    let server = Server::start([act]);
    let error = fail(settings, request(server.url("/p?s3cret"))).await;
    expected.check(&error, &server.host());
    assert_eq!(server.finish().await.len(), expected.waits.len(), "{error}");
}

fn get(url: String) -> Request {
    Request::get(url)
}

fn put_small(url: String) -> Request {
    Request::put(url, "payload")
}

/// More than the system's buffers hold, and less than what is announced by `Expect`.
fn put_medium(url: String) -> Request {
    Request::put(url, vec![0; 15 << 20])
}

#[tokio::test]
async fn r3_refused() {
    let (_port, closed) = refusing_port();
    for method in ["GET", "POST"] {
        let url = format!("http://{closed}/p?s3cret");
        let request = if method == "GET" { Request::get(url) } else { Request::post(url, "payload") };
        let error = fail(patient(), request).await;
        let text = "{host}/p failed while connecting: connection refused (2 attempts: refused, refused after 1ms; \
                    connection_retries = 1 used up)";
        assert_eq!(error.to_string(), format!("{method} {}", text.replace("{host}", &closed.to_string())));
        assert_eq!((error.stop_reason(), error.phase()), (CONNECTIONS_USED_UP, Phase::Connecting));
        assert_eq!(error.attempts()[1].waited, Duration::from_millis(1));
    }
}

#[tokio::test]
async fn r3_a_name_that_is_not_known() {
    // A label longer than 63 bytes is refused by the resolver itself, whatever the network.
    let host = format!("{}.invalid", "x".repeat(64));
    let error = fail(patient(), Request::get(format!("http://{host}/p?s3cret"))).await;
    let said = error.fault().unwrap().detail();
    let expected = format!(
        "GET {host}/p failed while connecting: the host name could not be resolved: {said} (2 attempts: dns, dns after 1ms; \
         connection_retries = 1 used up)"
    );
    assert_eq!(error.to_string(), expected);
    assert_eq!((error.stop_reason(), error.phase()), (CONNECTIONS_USED_UP, Phase::Connecting));
    assert!(!said.is_empty() && !said.contains("s3cret"));
}

#[tokio::test]
async fn r5_reset_before_during_and_after_the_payload() {
    let expected = |phase| Expected {
        reason: RETRIES_USED_UP,
        phase,
        waits: RETRIED,
        text: match phase {
            Phase::Sending => {
                "PUT {host}/p failed while sending: the connection was reset (3 attempts: reset, reset after 1ms, reset \
                 after 2ms; max_retries = 2 used up)"
            }
            _ => {
                "PUT {host}/p failed while waiting: the connection was reset (3 attempts: reset, reset after 1ms, reset \
                 after 2ms; max_retries = 2 used up)"
            }
        },
    };
    check(patient(), put_medium, Act::Reset, expected(Phase::Sending)).await;
    let during = Act::Steps(vec![Step::Read(1 << 20), Step::Reset]);
    check(patient(), put_medium, during, expected(Phase::Sending)).await;
    let after = Act::Steps(vec![Step::ReadAll, Step::Reset]);
    check(patient(), put_medium, after.clone(), expected(Phase::Waiting)).await;
    check(patient(), put_small, after, expected(Phase::Waiting)).await;
}

#[tokio::test]
async fn r5_half_a_head() {
    let expected = Expected {
        reason: RETRIES_USED_UP,
        phase: Phase::Reading,
        waits: RETRIED,
        text: "GET {host}/p failed while reading: the connection was closed before the answer was complete (3 attempts: \
               closed, closed after 1ms, closed after 2ms; max_retries = 2 used up)",
    };
    check(patient(), get, Act::AnswerAndClose(b"HTTP/1.1 200 OK\r\nContent-".to_vec()), expected).await;
}

#[tokio::test]
async fn r5_half_a_body() {
    let halves = [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n123\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n12",
    ];
    for half in halves {
        let expected = Expected {
            reason: RETRIES_USED_UP,
            phase: Phase::Reading,
            waits: RETRIED,
            text: "GET {host}/p failed while reading: the connection was closed before the answer was complete (3 \
                   attempts: closed, closed after 1ms, closed after 2ms; max_retries = 2 used up)",
        };
        check(patient(), get, Act::AnswerAndClose(half.into()), expected).await;
    }
}

#[tokio::test]
async fn r5_a_body_that_is_reset() {
    let expected = Expected {
        reason: RETRIES_USED_UP,
        phase: Phase::Reading,
        waits: RETRIED,
        text: "GET {host}/p failed while reading: the connection was reset (3 attempts: reset, reset after 1ms, reset after \
               2ms; max_retries = 2 used up)",
    };
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123".to_vec();
    check(patient(), get, Act::AnswerAndReset(half), expected).await;
}

#[tokio::test]
async fn a_head_without_end_or_of_a_thousand_lines_is_too_large() {
    const LENGTH: &str = "GET {host}/p failed while reading: the answer is too large: a head of more than 64 KiB (1 attempt: \
                          too_large; not retryable)";
    const LINES: &str = "GET {host}/p failed while reading: the answer is too large: a head of more than 100 lines (1 attempt: \
                         too_large; not retryable)";
    let endless = |line: &str| {
        Act::Steps(vec![Step::Write(b"HTTP/1.1 200 OK\r\n".to_vec()), Step::WriteForever(line.as_bytes().to_vec())])
    };
    let lines = "X: y\r\n".repeat(1000);
    for (act, text) in [
        (endless("X-Filler: filler filler filler filler filler filler filler filler filler filler\r\n"), LINES),
        (endless("filler"), LENGTH),
        (Act::Answer(raw(200, &lines, "")), LINES),
    ] {
        let expected = Expected { reason: StopReason::Final, phase: Phase::Reading, waits: ONCE, text };
        check(patient(), get, act, expected).await;
    }
}

#[tokio::test]
async fn a_head_of_a_hundred_lines_is_read() {
    let lines = "X: y\r\n".repeat(99);
    let server = Server::start([answer(200, &lines, "")]);
    let response = Client::new(patient()).send(&Request::get(server.url("/"))).await.unwrap();
    assert_eq!(response.headers().len(), 100);
}

#[tokio::test]
async fn a_body_of_100_gb_is_refused_unread() {
    let expected = Expected {
        reason: StopReason::Final,
        phase: Phase::Reading,
        waits: ONCE,
        text: "GET {host}/p failed while reading: the answer is too large: more than 67108864 bytes (1 attempt: too_large; \
               not retryable)",
    };
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\nxxx".to_vec();
    check(patient(), get, Act::Steps(vec![Step::Write(head), Step::Silence]), expected).await;
}

#[tokio::test]
async fn an_error_of_100_gb_is_its_status_and_the_first_of_it() {
    let head = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 100000000000\r\n\r\n".to_vec();
    let server = Server::start([Act::Steps(vec![Step::Write(head), Step::WriteForever(b"<Error/>".repeat(1000))])]);
    let error = fail(patient(), Request::get(server.url("/"))).await;
    assert_eq!((error.status().map(|s| s.as_u16()), error.stop_reason()), (Some(403), StopReason::Final));
    assert_eq!(error.body().len(), encord_http::MAX_ERROR_BODY_BYTES);
    assert!(error.body().starts_with(b"<Error/><Error/>"));
}

#[tokio::test]
async fn what_is_not_http_is_final() {
    let garbage = [
        (&b"SSH-2.0-OpenSSH_9.6\r\n\r\n"[..], "invalid HTTP version parsed"),
        (b"HTTP/1.1 abc\r\n\r\n", "invalid HTTP status-code parsed"),
        (b"\0\0\0\0\r\n\r\n", "invalid HTTP version parsed"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "invalid HTTP header parsed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "invalid content-length parsed"),
    ];
    for (bytes, why) in garbage {
        let server = Server::start([Act::AnswerAndClose(bytes.to_vec())]);
        let error = fail(patient(), Request::get(server.url("/p?s3cret"))).await;
        let expected = format!(
            "GET {}/p failed while reading: the answer is malformed: {why} (1 attempt: protocol; not retryable)",
            server.host()
        );
        assert_eq!(error.to_string(), expected);
        assert_eq!((error.fault().unwrap().kind(), server.seen().len()), (FaultKind::Protocol, 1));
    }
}

#[tokio::test]
async fn r5_every_retryable_status_and_its_neighbours() {
    let retryable = [408, 429, 500, 502, 503, 504, 509, 520, 524, 529, 530];
    for code in [400, 401, 403, 404, 405, 407, 408, 409, 410, 412, 413, 414, 417, 418, 425, 428, 429, 430, 499]
        .into_iter()
        .chain([500, 501, 502, 503, 504, 505, 507, 509, 511, 519, 520, 524, 525, 529, 530, 531, 599])
    {
        let server = Server::start([answer(code, "", "<Error/>")]);
        let error = fail(patient(), Request::get(server.url("/p?s3cret"))).await;
        let account = if retryable.contains(&code) {
            format!("3 attempts: {code}, {code} after 1ms, {code} after 2ms; max_retries = 2 used up")
        } else {
            format!("1 attempt: {code}; not retryable")
        };
        let status = error.status().unwrap();
        assert_eq!(error.to_string(), format!("GET {}/p failed while waiting: {status} ({account})", server.host()));
        assert_eq!((error.phase(), status.as_u16(), &error.body()[..]), (Phase::Waiting, code, &b"<Error/>"[..]));
        assert_eq!(server.seen().len(), error.attempts().len());
    }
}

/// Of a server that reads next to nothing, with all kinds of payloads, the status must come every time: what the write runs
/// into is a broken pipe or a reset.
#[tokio::test]
async fn an_early_rejection_is_always_reported_with_its_status() {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(64 << 20).unwrap();
    let chunked = || http_body_util::StreamBody::new(futures_util::stream::repeat_with(frame));
    let payloads = [
        Payload::bytes(vec![0; 1 << 20]),
        Payload::bytes(vec![0; 15 << 20]),
        Payload::bytes(vec![0; 64 << 20]),
        Payload::file(file.path()),
        Payload::factory(chunked),
    ];
    let go_on = || Step::Write(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec());
    for code in [403, 413] {
        let refuse = || Step::Write(raw(code, "Connection: close\r\n", "no"));
        let at_once = Act::Steps(vec![refuse(), Step::Close]);
        let midway = Act::Steps(vec![go_on(), Step::Read(300_000), refuse(), Step::Close]);
        let server = Server::start([at_once, midway].iter().cycle().take(60).cloned().collect::<Vec<_>>());
        let client = Client::new(patient());
        for round in 0..12 {
            for payload in &payloads {
                let error = client.send(&Request::put(server.url("/"), payload.clone())).await.unwrap_err();
                assert_eq!(error.status().map(|s| s.as_u16()), Some(code), "round {round}, {payload:?}: {error}");
                assert_eq!((error.attempts().len(), &error.body()[..]), (1, &b"no"[..]), "{error}");
            }
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a piece of a stream is a result")]
fn frame() -> Result<http_body::Frame<bytes::Bytes>, std::io::Error> {
    static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];
    Ok(http_body::Frame::data(bytes::Bytes::from_static(&ZEROS)))
}

#[tokio::test]
async fn r5_a_connection_that_the_server_closes_between_requests_costs_nothing() {
    let server = Server::start([Act::AnswerAndClose(raw(200, "", ""))]);
    let client = Client::new(settings(0, 0, 0.0));
    for round in 0..10 {
        let response = client.send(&Request::post(server.url("/"), "payload")).await.unwrap();
        assert_eq!(response.attempts().len(), 1);
        server.wait_until_closed(round + 1);
        // Closed in peace, it leaves the pool as soon as the runtime hears of it.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(server.seen().len(), 10);
}

#[tokio::test]
async fn r5_a_reused_connection_that_dies_under_an_idempotent_request_costs_nothing_once() {
    for died in [Act::Close, Act::Reset] {
        let server = Server::start([status(200), died, status(200)]);
        let client = Client::new(settings(0, 0, 60.0));
        client.send(&Request::get(server.url("/"))).await.unwrap();
        let response = client.send(&Request::put(server.url("/"), "payload")).await.unwrap();
        assert_eq!(response.attempts()[0].to_string(), "200 (sent again on a new connection)");
        assert_eq!((response.attempts().len(), response.attempts()[0].resent), (1, true));
        assert_eq!(server.seen().iter().map(|seen| seen.connection).collect::<Vec<_>>(), [0, 0, 1]);
    }
}

#[tokio::test]
async fn r5_a_second_connection_that_dies_costs_an_attempt() {
    let server = Server::start([status(200), Act::Close, Act::Close, status(200)]);
    let client = Client::new(settings(1, 0, 0.001));
    client.send(&Request::get(server.url("/"))).await.unwrap();
    let response = client.send(&Request::get(server.url("/"))).await.unwrap();
    let account: Vec<_> = response.attempts().iter().map(ToString::to_string).collect();
    assert_eq!(account, ["closed (sent again on a new connection)", "200 after 1ms"]);
    assert_eq!(server.seen().iter().map(|seen| seen.connection).collect::<Vec<_>>(), [0, 0, 1, 2]);
}

#[tokio::test]
async fn r5_a_request_that_is_not_idempotent_or_was_half_answered_is_not_sent_again() {
    let half = Act::AnswerAndClose(b"HTTP/1.1 2".to_vec());
    for (request, died) in [(Request::post as fn(String, &'static str) -> Request, Act::Close), (Request::put, half)] {
        let server = Server::start([status(200), died, status(200)]);
        let client = Client::new(settings(0, 0, 0.0));
        client.send(&Request::get(server.url("/"))).await.unwrap();
        let error = client.send(&request(server.url("/"), "payload")).await.unwrap_err();
        assert_eq!((error.attempts().len(), error.attempts()[0].resent), (1, false), "{error}");
        assert_eq!(server.seen().len(), 2);
    }
}

#[tokio::test]
async fn an_answer_that_has_no_body_is_not_waited_for_and_what_follows_it_is_no_answer() {
    let cases = [
        (Request::get as fn(String) -> Request, "HTTP/1.1 204 No Content\r\n", 204),
        (Request::get, "HTTP/1.1 304 Not Modified\r\n", 304),
        (|url| Request::new(encord_http::Method::HEAD, url), "HTTP/1.1 200 OK\r\n", 200),
        (|url| Request::new(encord_http::Method::HEAD, url), "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n", 200),
    ];
    for (request, head, code) in cases {
        for body in ["", "HTTP/1.1 500 Smuggled\r\nContent-Length: 0\r\n\r\n"] {
            let bytes =
                format!("{head}Content-Length: {}\r\n\r\n{body}", if body.is_empty() { 77 } else { body.len() });
            let server = Server::start([Act::Answer(bytes.into()), answer(200, "", "mine")]);
            let client = Client::new(settings(0, 0, 0.0));
            let first = client.send(&request(server.url("/"))).await.unwrap();
            assert_eq!((first.status().as_u16(), &first.body()[..]), (code, &b""[..]));
            let second = client.send(&Request::get(server.url("/"))).await.unwrap();
            assert_eq!((second.status().as_u16(), &second.body()[..]), (200, &b"mine"[..]), "after {head:?} {body:?}");
        }
    }
}

#[tokio::test]
async fn r5_the_status_of_a_head_request_counts() {
    let server = Server::start([Act::Answer(b"HTTP/1.1 503 X\r\nContent-Length: 77\r\n\r\n".to_vec()), status(200)]);
    let request = Request::new(encord_http::Method::HEAD, server.url("/"));
    let response = Client::new(patient()).send(&request).await.unwrap();
    assert_eq!(response.attempts().len(), 2);
}
