//! Answers of all kinds, and what they are taken for.

use encord_http::{Client, Payload, Phase, Request, StatusCode};

use crate::budgets::{fail, settings};
use crate::server::{Act, Server, answer, status};

#[tokio::test]
async fn a_response_comes_with_body_headers_and_account() {
    let server = Server::start([status(500), answer(200, "X-Kind: cat\r\n", "meow")]);
    let response = Client::new(settings(1, 0, 0.0)).send(&Request::get(server.url("/?q=1"))).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["x-kind"], "cat");
    assert_eq!(response.attempts()[1].phase, Phase::Done);
    assert_eq!(&response.body()[..], b"meow");
    assert!(server.seen()[0].head.starts_with("GET /?q=1 HTTP/1.1\r\n"));
}

#[tokio::test]
async fn an_error_does_not_keep_the_buffer_that_its_answer_was_read_into() {
    let server = Server::start([answer(404, "X-A: 1234567\r\nX-B: 12345678\r\n", "<Error/>")]);
    let error = fail(settings(0, 0, 0.0), Request::get(server.url("/"))).await;
    let place = |name| {
        let value: &[u8] = error.headers().get(name).unwrap().as_ref();
        value.as_ptr().addr()
    };
    // As far from each other as on the wire, which no two allocations are.
    let apart = "1234567\r\nX-B: ".len();
    assert_ne!(place("x-a") + apart, place("x-b"));
    let body = error.body().clone();
    drop(error);
    assert_eq!(body.try_into_mut().unwrap().capacity(), "<Error/>".len());
}

#[tokio::test]
async fn redirects_are_returned() {
    let server = Server::start([answer(307, "Location: /elsewhere\r\n", "")]);
    let response = Client::new(settings(3, 3, 0.0)).send(&Request::get(server.url("/"))).await.unwrap();
    assert_eq!((response.status().as_u16(), server.seen().len()), (307, 1));
}

#[tokio::test]
async fn r5_half_an_answer_is_retried() {
    let halves = [
        Act::Close,
        Act::Reset,
        Act::AnswerAndClose(b"HTTP/1.1 200 OK\r\nContent-".to_vec()),
        Act::AnswerAndClose(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123".to_vec()),
        Act::AnswerAndClose(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n123\r\n".to_vec()),
    ];
    for half in halves {
        let server = Server::start([half.clone(), answer(200, "", "whole")]);
        let response = Client::new(settings(1, 0, 0.0)).send(&Request::get(server.url("/"))).await.unwrap();
        assert_eq!((&response.body()[..], response.attempts().len()), (&b"whole"[..], 2), "{half:?}");
    }
}

#[tokio::test]
async fn u8_an_empty_payload_has_a_content_length_too() {
    let server = Server::start([status(200)]);
    let client = Client::new(settings(0, 0, 0.0));
    client.send(&Request::put(server.url("/"), Payload::empty())).await.unwrap();
    client.send(&Request::put(server.url("/"), Payload::bytes("four"))).await.unwrap();
    client.send(&Request::get(server.url("/"))).await.unwrap();
    let lengths =
        server.seen().iter().map(|seen| seen.head.to_lowercase().matches("content-length").count()).collect::<Vec<_>>();
    assert_eq!(lengths, [1, 1, 0], "{:?}", server.seen());
    assert!(server.seen()[0].head.to_lowercase().contains("content-length: 0\r\n"));
}

#[tokio::test]
async fn a_url_that_cannot_be_requested_fails_without_a_network() {
    let error = fail(settings(3, 3, 0.0), Request::get("gopher://h/?s3cret")).await;
    let expected = "GET (invalid URL) failed while preparing: the URL cannot be requested: the URL must begin with http:// \
                    or https:// (1 attempt: url; not retryable)";
    assert_eq!(error.to_string(), expected);
}
