//! Budgets and waits as a server sees them.

use std::time::Duration;

use encord_http::{Budget, Client, Error, Payload, Request, StopReason};
use encord_http_settings::{BackoffFactor, RequestsSettings, Timeout};

use crate::server::{Act, Server, answer, status};

pub(crate) fn settings(max_retries: u32, connection_retries: u32, factor: f64) -> RequestsSettings {
    let limit = Timeout::from_secs(20).unwrap();
    RequestsSettings {
        max_retries,
        connection_retries,
        backoff_factor: BackoffFactor::new(factor).unwrap(),
        connect_timeout: limit,
        read_timeout: limit,
        write_timeout: limit,
    }
}

pub(crate) async fn fail(settings: RequestsSettings, request: Request) -> Error {
    Client::new(settings).send(&request).await.unwrap_err()
}

#[tokio::test]
async fn r1_max_retries_n_means_n_plus_1_attempts() {
    for n in [0, 1, 15] {
        let server = Server::start([status(503)]);
        let error = fail(settings(n, 0, 0.0), Request::get(server.url("/"))).await;
        assert_eq!(server.seen().len(), n as usize + 1);
        assert_eq!(error.attempts().len(), n as usize + 1);
        assert_eq!(error.stop_reason(), StopReason::BudgetUsedUp { budget: Budget::MaxRetries, allowed: n });
    }
}

#[tokio::test]
async fn r2_the_first_wait_is_the_factor_and_each_next_is_double() {
    let server = Server::start([status(503), status(503), status(200)]);
    let response = Client::new(settings(3, 0, 0.05)).send(&Request::get(server.url("/"))).await.unwrap();
    let waited: Vec<_> = response.attempts().iter().map(|a| a.waited.as_secs_f64()).collect();
    assert_eq!(waited, [0.0, 0.05, 0.1]);
    let pauses = server.pauses();
    assert!(pauses[0] >= Duration::from_millis(50) && pauses[1] >= Duration::from_millis(100), "{pauses:?}");
}

#[tokio::test]
async fn r4_post_is_sent_once_unless_marked_idempotent() {
    for act in [status(503), Act::Close, Act::Reset] {
        let server = Server::start([act.clone()]);
        let error = fail(settings(3, 3, 0.0), Request::post(server.url("/"), "x")).await;
        assert_eq!((server.seen().len(), error.stop_reason()), (1, StopReason::NotIdempotent));

        let server = Server::start([act]);
        let error = fail(settings(3, 3, 0.0), Request::post(server.url("/"), "x").idempotent(true)).await;
        assert_eq!((server.seen().len(), error.attempts().len()), (4, 4));
    }
}

#[tokio::test]
async fn r6_retry_after_is_waited_for_and_too_long_is_said() {
    let server = Server::start([answer(503, "Retry-After: 1\r\n", ""), status(200)]);
    let client = Client::builder(settings(1, 0, 0.0)).retry_after_limit(Duration::from_millis(999)).build().unwrap();
    let error = client.send(&Request::get(server.url("/"))).await.unwrap_err();
    let asked = Duration::from_secs(1);
    assert_eq!(error.stop_reason(), StopReason::RetryAfterTooLong { asked, limit: Duration::from_millis(999) });
    assert_eq!(server.seen().len(), 1);

    let server = Server::start([answer(503, "Retry-After: soon\r\n", ""), status(200)]);
    let response = Client::new(settings(1, 0, 0.0)).send(&Request::get(server.url("/"))).await.unwrap();
    assert_eq!(response.attempts()[1].waited, Duration::ZERO, "a malformed value is ignored");
}

#[tokio::test]
async fn r10_the_settings_of_one_request_do_not_leak_into_another() {
    let server = Server::start([status(503)]);
    let client = Client::new(settings(2, 0, 0.0));
    let request = Request::get(server.url("/"));
    for (settings, attempts) in [(Some(settings(5, 0, 0.0)), 6), (None, 3), (Some(settings(0, 0, 0.0)), 1), (None, 3)] {
        let request = settings.map_or_else(|| request.clone(), |settings| request.clone().settings(settings));
        assert_eq!(client.send(&request).await.unwrap_err().attempts().len(), attempts);
    }
}

#[tokio::test]
async fn r11_the_error_tells_the_whole_story_without_the_query() {
    let server = Server::start([answer(503, "Connection: close\r\n", ""), Act::Close, status(502)]);
    let request = Request::put(server.url("/a/b.jpg?sig=s3cret"), Payload::bytes("payload"));
    let error = fail(settings(2, 5, 0.001), request).await;
    let host = server.url("").replace("http://", "");
    let expected = format!(
        "PUT {host}/a/b.jpg failed while waiting: 502 Bad Gateway (3 attempts: 503, closed after 1ms, 502 after 2ms; \
         max_retries = 2 used up)"
    );
    assert_eq!(error.to_string(), expected);
    assert_eq!(format!("{error:?}"), format!("Error({expected})"));
}
