//! Responses as streams, gzip, redirects, deadlines, trace ids: what the client offers beside budgets and clocks.

use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use encord_http::{Client, FaultKind, HeaderValue, Jitter, Phase, Request, StopReason, header};

use crate::budgets::settings;
use crate::server::{Act, Server, Step, answer, raw, status};

fn client() -> Client {
    Client::new(settings(0, 0, 0.0))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An answer with a body of these bytes under `Content-Encoding: gzip`.
fn gzipped(body: &[u8]) -> Act {
    let mut bytes =
        format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    Act::Answer(bytes)
}

#[test]
fn a_client_can_be_shared() {
    fn check<T: Send + Sync + Clone + 'static>() {}
    check::<Client>();
}

#[tokio::test]
async fn a_response_can_be_read_piece_by_piece() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc".to_vec();
    let steps = vec![Step::Write(head), Step::Pause(Duration::from_millis(20)), Step::Write(b"def".to_vec())];
    let server = Server::start([Act::Steps(steps)]);
    let client = client();
    for _ in 0..2 {
        let mut response = client.stream(&Request::get(server.url("/"))).await.unwrap();
        assert_eq!((response.status().as_u16(), response.attempts()[0].phase), (200, Phase::Reading));
        let mut pieces = Vec::new();
        while let Some(piece) = response.body_mut().chunk().await.unwrap() {
            pieces.push(piece);
        }
        assert_eq!(pieces, ["abc", "def"]);
    }
    assert!(server.seen().iter().all(|seen| seen.connection == 0), "read to its end, the connection is used again");
}

#[tokio::test]
async fn a_response_that_is_not_read_to_its_end_closes_its_connection() {
    let server = Server::start([Act::Answer(raw(200, "", &"x".repeat(1 << 20)))]);
    let client = client();
    let mut response = client.stream(&Request::get(server.url("/"))).await.unwrap();
    response.body_mut().chunk().await.unwrap();
    drop(response);
    client.send(&Request::get(server.url("/"))).await.unwrap();
    assert_eq!(server.seen().iter().map(|seen| seen.connection).collect::<Vec<_>>(), [0, 1]);
}

#[tokio::test]
async fn a_stream_that_breaks_off_says_so_and_is_not_retried() {
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc".to_vec();
    let server = Server::start([Act::AnswerAndClose(cut), status(200)]);
    let mut response = Client::new(settings(3, 3, 0.0)).stream(&Request::get(server.url("/"))).await.unwrap();
    assert_eq!(response.body_mut().chunk().await.unwrap().unwrap(), "abc");
    assert_eq!(response.body_mut().chunk().await.unwrap_err().kind(), FaultKind::Closed);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn r1_a_streamed_response_is_retried_until_its_head_is_there() {
    let server = Server::start([answer(503, "Connection: close\r\n", ""), Act::Close, answer(200, "", "whole")]);
    let mut response = Client::new(settings(2, 0, 0.0)).stream(&Request::get(server.url("/"))).await.unwrap();
    assert_eq!(response.attempts().len(), 3);
    assert_eq!(response.body_mut().chunk().await.unwrap().unwrap(), "whole");
}

#[tokio::test]
async fn gzip_is_asked_for_and_undone() {
    let text = "meow ".repeat(10_000);
    let server = Server::start([gzipped(&gzip(text.as_bytes()))]);
    let response = client().send(&Request::get(server.url("/"))).await.unwrap();
    assert_eq!(response.body(), text.as_bytes());
    let mut streamed = client().stream(&Request::get(server.url("/"))).await.unwrap();
    let mut read = Vec::new();
    while let Some(piece) = streamed.body_mut().chunk().await.unwrap() {
        read.extend_from_slice(&piece);
    }
    assert_eq!(read, text.as_bytes());
    assert!(server.seen().iter().all(|seen| seen.head.contains("accept-encoding: gzip\r\n")), "{:?}", server.seen());
}

#[tokio::test]
async fn gzip_is_left_alone_when_the_caller_speaks_of_encodings_and_never_asked_for_with_a_payload_or_a_range() {
    let body = gzip(b"meow");
    let server = Server::start([gzipped(&body)]);
    let request = Request::get(server.url("/")).header(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, br"));
    assert_eq!(client().send(&request).await.unwrap().body(), &body);
    // A part of what is stored compressed is no gzip stream.
    let request = Request::get(server.url("/")).header(header::RANGE, HeaderValue::from_static("bytes=0-9"));
    assert_eq!(client().send(&request).await.unwrap().body(), &body);
    assert_eq!(client().send(&Request::put(server.url("/"), "x")).await.unwrap().body(), &body);
    assert!(server.seen()[1..].iter().all(|seen| !seen.head.contains("accept-encoding")));
}

#[tokio::test]
async fn broken_gzip_is_a_fault_and_a_bomb_is_bounded() {
    let mut cut = gzip("meow ".repeat(1000).as_bytes());
    cut.truncate(cut.len() - 12);
    for body in [cut, b"not gzip at all".to_vec()] {
        let server = Server::start([gzipped(&body)]);
        let error = client().send(&Request::get(server.url("/"))).await.unwrap_err();
        assert_eq!(error.fault().unwrap().kind(), FaultKind::Protocol, "{error}");
        assert!(error.fault().unwrap().detail().starts_with("gzip: "), "{error}");
    }
    // No body at all is none.
    let server = Server::start([gzipped(b"")]);
    assert!(client().send(&Request::get(server.url("/"))).await.unwrap().body().is_empty());
    let bomb = gzip(&vec![0; encord_http::MAX_BODY_BYTES + 1]);
    assert!(bomb.len() < 100_000);
    let server = Server::start([gzipped(&bomb)]);
    let error = client().send(&Request::get(server.url("/"))).await.unwrap_err();
    assert_eq!(error.fault().unwrap().kind(), FaultKind::TooLarge, "{error}");
}

fn redirect(to: &str) -> Act {
    answer(302, &format!("Location: {to}\r\n"), "")
}

#[tokio::test]
async fn redirects_are_followed_when_asked_for_and_as_often_as_asked_for() {
    let script = || [redirect("/second?q=1"), redirect("/third"), answer(200, "", "there")];
    let server = Server::start(script());
    let response = client().send(&Request::get(server.url("/first")).follow_redirects(2)).await.unwrap();
    assert_eq!(&response.body()[..], b"there");
    let targets: Vec<_> = server.seen().iter().map(|seen| seen.head.split(' ').nth(1).unwrap().to_owned()).collect();
    assert_eq!(targets, ["/first", "/second?q=1", "/third"]);
    for (most, seen) in [(0, 1), (1, 2)] {
        let server = Server::start(script());
        let response = client().send(&Request::get(server.url("/first")).follow_redirects(most)).await.unwrap();
        assert_eq!((response.status().as_u16(), server.seen().len()), (302, seen));
    }
}

#[tokio::test]
async fn redirects_are_not_followed_with_a_payload_or_to_anything_doubtful() {
    for to in ["relative", "//other.invalid/", "ftp://other.invalid/", ""] {
        let server = Server::start([redirect(to)]);
        let response = client().send(&Request::get(server.url("/")).follow_redirects(5)).await;
        // A URL that cannot be requested fails without a network; all others are handed over.
        assert!(response.is_ok_and(|r| r.status().as_u16() == 302) && server.seen().len() == 1, "{to:?}");
    }
    let server = Server::start([redirect("/second")]);
    let response = client().send(&Request::put(server.url("/"), "x").follow_redirects(5)).await.unwrap();
    assert_eq!((response.status().as_u16(), server.seen().len()), (302, 1));
}

#[tokio::test]
async fn a_redirect_to_another_host_leaves_the_credentials_behind() {
    let other = Server::start([status(200)]);
    let server = Server::start([redirect("/here"), redirect(&other.url("/"))]);
    let request = Request::get(server.url("/"))
        .follow_redirects(5)
        .header(header::AUTHORIZATION, HeaderValue::from_static("s3cret"))
        .header(header::COOKIE, HeaderValue::from_static("s3cret"));
    client().send(&request).await.unwrap();
    let secrets = |server: &Server| server.seen().iter().map(|s| s.head.matches("s3cret").count()).collect::<Vec<_>>();
    assert_eq!((secrets(&server), secrets(&other)), (vec![2, 2], vec![0]));
}

#[tokio::test]
async fn a_deadline_keeps_a_wait_from_being_begun() {
    let server = Server::start([status(503)]);
    let deadline = Duration::from_secs(10);
    let began = Instant::now();
    let request = Request::get(server.url("/")).deadline(deadline);
    let error = Client::new(settings(3, 3, 60.0)).send(&request).await.unwrap_err();
    assert_eq!((error.stop_reason(), server.seen().len()), (StopReason::Deadline { deadline }, 1));
    assert!(began.elapsed() < deadline);
}

#[tokio::test]
async fn r2_jitter_is_only_there_when_asked_for() {
    for jitter in [Jitter::None, Jitter::Full, Jitter::Equal] {
        let server = Server::start([status(503)]);
        let client = Client::builder(settings(4, 0, 0.004)).jitter(jitter).build().unwrap();
        let error = client.send(&Request::get(server.url("/"))).await.unwrap_err();
        for (k, attempt) in error.attempts().iter().enumerate().skip(1) {
            let whole = Duration::from_millis(4 << (k - 1));
            let (least, most) = match jitter {
                Jitter::None => (whole, whole),
                Jitter::Full => (Duration::ZERO, whole),
                Jitter::Equal => (whole / 2, whole),
            };
            assert!((least..=most).contains(&attempt.waited), "{jitter:?} {k}: {:?}", attempt.waited);
        }
    }
}

#[tokio::test]
async fn r2_the_cap_is_that_of_the_client() {
    let waits = async |cap: Option<Duration>| {
        let server = Server::start([status(503)]);
        let client = Client::builder(settings(3, 0, 0.002)).backoff_cap(cap).build().unwrap();
        let error = client.send(&Request::get(server.url("/"))).await.unwrap_err();
        error.attempts().iter().map(|attempt| attempt.waited.as_millis()).collect::<Vec<_>>()
    };
    assert_eq!(waits(Some(Duration::from_millis(3))).await, [0, 2, 3, 3]);
    assert_eq!(waits(None).await, [0, 2, 4, 8]);
}

#[tokio::test]
async fn trace_ids_are_those_of_the_provider_and_the_same_for_all_attempts() {
    let ids = |server: &Server| {
        let id =
            |head: &str| head.lines().find_map(|line| line.strip_prefix("x-cloud-trace-context: ").map(str::to_owned));
        server.seen().iter().map(|seen| id(&seen.head)).collect::<Vec<_>>()
    };
    let server = Server::start([status(503), status(200)]);
    let count = AtomicU32::new(0);
    let provider = move || format!("{:032}/1;o=1", count.fetch_add(1, Ordering::Relaxed));
    let client = Client::builder(settings(1, 0, 0.0)).trace_id_provider(provider).build().unwrap();
    client.send(&Request::get(server.url("/"))).await.unwrap();
    client.send(&Request::get(server.url("/"))).await.unwrap();
    let [first, second] = [format!("{:032}/1;o=1", 0), format!("{:032}/1;o=1", 1)].map(Some);
    assert_eq!(ids(&server), [first.clone(), first, second]);

    let server = Server::start([status(200)]);
    let random = Client::builder(settings(0, 0, 0.0)).random_trace_ids().build().unwrap();
    random.send(&Request::get(server.url("/"))).await.unwrap();
    random.send(&Request::get(server.url("/"))).await.unwrap();
    let random = ids(&server).into_iter().map(Option::unwrap).collect::<Vec<_>>();
    assert_ne!(random[0], random[1]);
    assert!(random.iter().all(|id| id.len() == 38 && id.ends_with("/1;o=1")), "{random:?}");

    let server = Server::start([status(200)]);
    let bad = Client::builder(settings(0, 0, 0.0)).trace_id_provider(|| "a\nb".into()).build().unwrap();
    bad.send(&Request::get(server.url("/"))).await.unwrap();
    Client::new(settings(0, 0, 0.0)).send(&Request::get(server.url("/"))).await.unwrap();
    assert_eq!(ids(&server), [None, None]);
}

#[tokio::test]
async fn the_user_agent_names_the_crate_and_then_the_program() {
    let server = Server::start([status(200)]);
    let version = env!("CARGO_PKG_VERSION");
    client().send(&Request::get(server.url("/"))).await.unwrap();
    let named = Client::builder(settings(0, 0, 0.0)).user_agent_suffix("my-tool/2.3").build().unwrap();
    named.send(&Request::get(server.url("/"))).await.unwrap();
    assert!(server.seen()[0].head.contains(&format!("\r\nuser-agent: encord-http/{version}\r\n")));
    assert!(server.seen()[1].head.contains(&format!("\r\nuser-agent: encord-http/{version} my-tool/2.3\r\n")));
    assert!(Client::builder(settings(0, 0, 0.0)).user_agent_suffix("a\r\nb").build().is_err());
}

#[cfg(feature = "json")]
#[tokio::test]
async fn json_goes_out_and_comes_in() {
    let server = Server::start([answer(200, "", r#"{"uids": ["a", "b"]}"#), answer(200, "", "nonsense")]);
    let request = Request::post(server.url("/"), "").json(&["x", "y"]).unwrap();
    let answer: std::collections::BTreeMap<String, Vec<String>> =
        client().send(&request).await.unwrap().json().unwrap();
    assert_eq!(answer["uids"], ["a", "b"]);
    assert!(server.seen()[0].head.contains("content-type: application/json\r\n"));
    assert_eq!(server.seen()[0].payload, r#"["x","y"]"#.len());
    let nonsense = client().send(&request).await.unwrap();
    assert!(nonsense.json::<Vec<String>>().is_err());
}

#[tokio::test]
async fn u9_only_harmless_headers_go_to_another_origin_and_the_host_is_its_own() {
    let other = Server::start([status(200)]);
    let server = Server::start([redirect("/here"), redirect(&other.url("/"))]);
    let value = HeaderValue::from_static("s3cret");
    let mut of_target = encord_http::HeaderMap::new();
    of_target.insert("x-amz-security-token", value.clone());
    let request = Request::get(server.url("/"))
        .follow_redirects(5)
        .header(header::HOST, HeaderValue::from_static("internal.example"))
        .header(encord_http::HeaderName::from_static("x-api-key"), value)
        .header(header::ACCEPT, HeaderValue::from_static("text/plain"))
        .target_headers(of_target);
    client().send(&request).await.unwrap();
    for seen in server.seen() {
        assert!(seen.head.contains("host: internal.example\r\n"), "{}", seen.head);
        assert_eq!(seen.head.matches("s3cret").count(), 2, "{}", seen.head);
    }
    let head = other.seen()[0].head.clone();
    assert!(head.contains(&format!("host: {}\r\n", other.host())) && head.contains("accept: text/plain\r\n"), "{head}");
    assert!(!head.contains("s3cret") && !head.contains("internal"), "{head}");
}

#[tokio::test]
async fn a_redirect_to_a_port_that_is_none_is_handed_over() {
    for to in ["http://127.0.0.1:99999/", "http://127.0.0.1:0/", "http://127.0.0.1:8080x/"] {
        let server = Server::start([redirect(to)]);
        let response = client().send(&Request::get(server.url("/")).follow_redirects(5)).await.unwrap();
        assert_eq!((response.status().as_u16(), server.seen().len()), (302, 1), "{to}");
    }
}

#[tokio::test]
async fn several_values_of_one_header_arrive() {
    let server = Server::start([status(200)]);
    let name = || encord_http::HeaderName::from_static("x-goog-meta-a");
    let of = |value| HeaderValue::from_static(value);
    client().send(&Request::delete(server.url("/")).header(name(), of("1")).header(name(), of("2"))).await.unwrap();
    let head = server.seen()[0].head.clone();
    assert!(head.starts_with("DELETE / ") && head.contains("x-goog-meta-a: 1\r\nx-goog-meta-a: 2\r\n"), "{head}");
    // Those of a target take the place of all those of the request.
    let mut attempts = client().begin(Request::put(server.url("/"), "x").header(name(), of("1")));
    let headers = [(name(), of("3")), (name(), of("4"))].into_iter().collect();
    attempts.set_target(server.url("/target").into(), headers);
    attempts.attempt().await.unwrap();
    let head = server.seen()[1].head.clone();
    assert!(head.contains("x-goog-meta-a: 3\r\nx-goog-meta-a: 4\r\n") && !head.contains("a: 1"), "{head}");
}

#[tokio::test]
async fn a_body_is_a_body_of_http_body() {
    use http_body_util::BodyExt;
    let server = Server::start([answer(200, "", "meow")]);
    let response = client().stream(&Request::get(server.url("/"))).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "meow");
}

#[tokio::test]
async fn a_trace_id_is_the_same_over_all_hops() {
    let server = Server::start([redirect("/b"), status(503), status(200)]);
    let count = AtomicU32::new(0);
    let provider = move || format!("id-{}", count.fetch_add(1, Ordering::Relaxed));
    let client = Client::builder(settings(1, 0, 0.0)).trace_id_provider(provider).build().unwrap();
    client.send(&Request::get(server.url("/a")).follow_redirects(3)).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|seen| seen.head.contains("x-cloud-trace-context: id-0\r\n")), "{seen:?}");
}
