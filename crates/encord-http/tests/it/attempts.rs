//! Attempts in the caller's hands.

use std::time::Duration;

use encord_http::{
    Attempts, Budget, Client, Error, ErrorKind, Failed, Fault, FaultKind, HeaderMap, HeaderName, HeaderValue, Payload,
    Request, Response, SignedUrl, StopReason,
};

use crate::budgets::settings;
use crate::server::{Act, Server, answer, status};

fn retry(failed: &Failed) -> Option<(Duration, Budget)> {
    match failed {
        Failed::Retry { after, charged_to } => Some((*after, *charged_to)),
        Failed::Stop(_) => None,
    }
}

fn stop(failed: Failed) -> Option<Error> {
    match failed {
        Failed::Retry { .. } => None,
        Failed::Stop(error) => Some(error),
    }
}

fn put(server: &Server, target: &str) -> Request {
    Request::put(server.url(target), Payload::bytes("payload"))
}

fn account(attempts: &Attempts) -> String {
    attempts.attempts().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn the_waits_are_the_callers_and_the_account_says_how_long_they_were() {
    let server = Server::start([answer(503, "Connection: close\r\nRetry-After: 7\r\n", ""), Act::Close, status(200)]);
    let mut attempts = Client::new(settings(3, 0, 60.0)).begin(put(&server, "/a?sig=s3cret"));
    assert_eq!(server.seen().len(), 0, "nothing is sent before the first attempt");
    assert_eq!(format!("{attempts:?}"), format!("Attempts(PUT {}/a, 0 so far)", server.host()));

    assert_eq!(retry(&attempts.attempt().await.unwrap_err()).unwrap(), (Duration::from_secs(60), Budget::MaxRetries));
    assert_eq!(attempts.retry_after(), Some(Duration::from_secs(7)));
    attempts.set_waited(Duration::from_millis(1));
    assert_eq!(retry(&attempts.attempt().await.unwrap_err()).unwrap(), (Duration::from_secs(120), Budget::MaxRetries));
    assert_eq!(attempts.retry_after(), None);
    attempts.set_waited(Duration::from_secs(200));
    let response = attempts.attempt().await.unwrap();
    assert_eq!((response.sent(), response.attempts()), (7, attempts.attempts()));
    assert_eq!(account(&attempts), "503, closed after 1ms, 200 after 3min 20s");
}

#[tokio::test]
async fn u9_a_url_that_ran_out_is_renewed_within_the_same_account() {
    let server = Server::start([status(503), status(403), status(200)]);
    let mut attempts = Client::new(settings(1, 0, 0.0)).begin(put(&server, "/old?sig=s3cret"));
    retry(&attempts.attempt().await.unwrap_err()).unwrap();
    let error = stop(attempts.attempt().await.unwrap_err()).unwrap();
    assert_eq!(
        (error.kind(), error.stop_reason()),
        (ErrorKind::Status(encord_http::StatusCode::FORBIDDEN), StopReason::Final)
    );

    attempts.set_target(SignedUrl::new(server.url("/new?sig=t0ken")), HeaderMap::new());
    attempts.set_header(HeaderName::from_static("x-renewed"), HeaderValue::from_static("1"));
    assert_eq!(attempts.request().url().to_string(), format!("{}/new", server.host()));
    let response = attempts.attempt().await.unwrap();
    assert_eq!(response.attempts().len(), 3);
    let seen = server.seen();
    assert!(seen[1].head.starts_with("PUT /old?sig=s3cret HTTP/1.1\r\n") && !seen[1].head.contains("x-renewed"));
    assert!(seen[2].head.starts_with("PUT /new?sig=t0ken HTTP/1.1\r\n") && seen[2].head.contains("x-renewed: 1\r\n"));
    let shown = format!("{attempts:?} {:?} {error} {error:?}", attempts.request());
    assert!(!shown.contains("s3cret") && !shown.contains("t0ken"), "{shown}");
}

#[tokio::test]
async fn u9_what_one_target_brought_does_not_go_to_the_next() {
    let headers = |pairs: &[(&'static str, &'static str)]| {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect::<HeaderMap>()
    };
    let server = Server::start([status(403), status(200)]);
    let first = headers(&[("x-amz-security-token", "t0ken"), ("content-type", "image/png"), ("x-both", "first")]);
    let request = put(&server, "/old")
        .header(HeaderName::from_static("content-type"), HeaderValue::from_static("image/jpeg"))
        .target_headers(first);
    let mut attempts = Client::new(settings(1, 0, 0.0)).begin(request);
    attempts.set_header(HeaderName::from_static("content-md5"), HeaderValue::from_static("c0ffee"));
    stop(attempts.attempt().await.unwrap_err()).unwrap();
    attempts.set_target(SignedUrl::new(server.url("/new")), headers(&[("x-both", "second")]));
    attempts.attempt().await.unwrap();
    let [old, new] = [0, 1].map(|index| server.seen()[index].head.clone());
    for line in [
        "x-amz-security-token: t0ken\r\n",
        "content-type: image/png\r\n",
        "x-both: first\r\n",
        "content-md5: c0ffee\r\n",
    ] {
        assert_eq!(old.matches(line).count(), 1, "{line:?} in {old}");
    }
    assert_eq!(old.matches("content-type").count(), 1, "{old}");
    assert!(new.contains("content-type: image/jpeg\r\n") && new.contains("x-both: second\r\n"), "{new}");
    assert!(!new.contains("x-amz") && !new.contains("content-md5") && !new.contains("first"), "{new}");
}

#[tokio::test]
async fn a_renewed_url_does_not_renew_the_budgets() {
    let server = Server::start([status(503), status(403), status(503)]);
    let mut attempts = Client::new(settings(1, 0, 0.0)).begin(put(&server, "/"));
    retry(&attempts.attempt().await.unwrap_err()).unwrap();
    stop(attempts.attempt().await.unwrap_err()).unwrap();
    let error = stop(attempts.attempt().await.unwrap_err()).unwrap();
    assert_eq!(error.stop_reason(), StopReason::BudgetUsedUp { budget: Budget::MaxRetries, allowed: 1 });
    assert_eq!(account(&attempts), "503, 403, 503");
}

#[tokio::test]
async fn an_answer_that_is_rejected_is_charged_as_its_fault() {
    let server = Server::start([status(200)]);
    let mut attempts = Client::new(settings(1, 0, 1.5)).begin(put(&server, "/a?sig=s3cret"));
    attempts.attempt().await.unwrap();
    let rejected = attempts.reject(Fault::integrity("crc32c is 1, not 2"));
    assert_eq!(retry(&rejected).unwrap(), (Duration::from_millis(1500), Budget::MaxRetries));
    attempts.attempt().await.unwrap();
    let error = stop(attempts.reject(Fault::integrity("crc32c is 1, not 2"))).unwrap();
    assert_eq!(error.kind(), ErrorKind::Fault(FaultKind::Integrity));
    let expected = format!(
        "PUT {}/a failed after the answer: the server does not have the data that was sent: crc32c is 1, not 2 \
         (2 attempts: integrity, integrity after 1.5s; max_retries = 1 used up)",
        server.host()
    );
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn redirects_are_followed_within_one_attempt_if_asked_for() {
    let server = Server::start([answer(302, "Location: /b\r\n", ""), status(503), status(200)]);
    let request = Request::get(server.url("/a")).follow_redirects(1);
    let mut attempts = Client::new(settings(1, 0, 0.0)).begin(request);
    retry(&attempts.attempt().await.unwrap_err()).unwrap();
    assert_eq!(attempts.request().url().to_string(), format!("{}/b", server.host()));
    attempts.attempt().await.unwrap();
    let targets: Vec<_> = server.seen().iter().map(|seen| seen.head[..6].to_owned()).collect();
    assert_eq!(
        (targets, account(&attempts)),
        (vec!["GET /a".into(), "GET /b".into(), "GET /b".into()], "503, 200".into())
    );
}

/// An upload is spawned with all that it does between attempts.
#[test]
fn attempts_can_be_spawned() {
    fn is_send<T: Send>(_: &T) {}
    async fn upload(mut attempts: Attempts) -> Option<Response> {
        match attempts.attempt().await {
            Ok(_) => attempts.reject(Fault::integrity("")).wait().await.ok()?,
            Err(failed) => failed.wait().await.ok()?,
        }
        attempts.attempt().await.ok()
    }
    let client = Client::new(settings(0, 0, 0.0));
    is_send(&upload(client.begin(Request::get("http://h/"))));
    is_send(&client.send(&Request::get("http://h/")));
    is_send(&client.stream(&Request::get("http://h/")));
}
