//! The three clocks on real sockets, with small limits.

use std::time::{Duration, Instant};

use encord_http::{Client, FaultKind, Limit, Payload, Phase, Profile, Request};
use encord_http_settings::{RequestsSettings, Timeout};

use crate::budgets::{fail, settings};
use crate::server::{Act, Server, raw};

fn millis(ms: u64) -> Timeout {
    Timeout::new(Duration::from_millis(ms)).unwrap()
}

/// Expects one attempt that runs into `limit` in `phase`, not before `ms`.
#[track_caller]
fn check(error: &encord_http::Error, began: Instant, limit: Limit, phase: Phase, ms: u64) {
    let elapsed = began.elapsed();
    assert_eq!(error.fault().map(encord_http::Fault::kind), Some(FaultKind::TimedOut(limit)), "{error}");
    assert_eq!(error.phase(), phase, "{error}");
    assert!(elapsed >= Duration::from_millis(ms), "fired after {elapsed:?}");
}

/// More than the buffers of both sides of a loopback connection hold.
fn large() -> Payload {
    Payload::bytes(vec![0; 64 << 20])
}

#[tokio::test]
async fn r7_connect_timeout_bounds_the_tls_handshake() {
    let silent = Server::start([Act::StopReading]);
    let settings = RequestsSettings { connect_timeout: millis(100), ..settings(0, 0, 0.0) };
    let began = Instant::now();
    let error = fail(settings, Request::get(silent.url("/").replace("http:", "https:"))).await;
    check(&error, began, Limit::Connect, Phase::Connecting, 100);
}

#[tokio::test]
async fn r7_connect_timeout_bounds_the_first_byte() {
    for profile in [Profile::Total, Profile::Stall] {
        let server = Server::start([Act::Silence]);
        let settings = RequestsSettings { connect_timeout: millis(100), ..settings(0, 0, 0.0) };
        let began = Instant::now();
        let error = fail(settings, Request::put(server.url("/"), "payload").profile(profile)).await;
        check(&error, began, Limit::FirstByte, Phase::Waiting, 100);
    }
}

#[tokio::test]
async fn r8_write_timeout_bounds_a_payload_that_the_peer_does_not_read() {
    for profile in [Profile::Total, Profile::Stall] {
        let server = Server::start([Act::StopReading]);
        let settings = RequestsSettings { write_timeout: millis(150), ..settings(0, 0, 0.0) };
        let began = Instant::now();
        let error = fail(settings, Request::put(server.url("/"), large()).profile(profile)).await;
        check(&error, began, Limit::Write, Phase::Sending, 150);
    }
}

#[tokio::test]
async fn r8_a_payload_that_moves_is_only_bounded_in_total() {
    let slow = || Act::ReadSlowly { chunk: 4 << 20, pause: Duration::from_millis(40) };
    let settings = RequestsSettings { write_timeout: millis(200), ..settings(0, 0, 0.0) };

    let server = Server::start([slow()]);
    let began = Instant::now();
    let error = fail(settings, Request::put(server.url("/"), large())).await;
    check(&error, began, Limit::Write, Phase::Sending, 200);

    let server = Server::start([slow()]);
    let request = Request::put(server.url("/"), large()).profile(Profile::Stall);
    Client::new(settings).send(&request).await.unwrap();
    assert_eq!(server.seen()[0].payload, 64 << 20);
    assert!(began.elapsed() > Duration::from_millis(400), "too fast to have proved anything");
}

#[tokio::test]
async fn r9_read_timeout_is_not_fooled_by_drips() {
    let bytes = raw(200, "", &"x".repeat(1000));
    let server = Server::start([Act::Drip { bytes, pause: Duration::from_millis(10) }]);
    let settings = RequestsSettings { read_timeout: millis(200), ..settings(0, 0, 0.0) };
    let began = Instant::now();
    let error = fail(settings, Request::get(server.url("/"))).await;
    check(&error, began, Limit::Read, Phase::Reading, 200);
}

#[tokio::test]
async fn r10_every_attempt_starts_its_own_clocks() {
    let server = Server::start([Act::Silence, Act::Silence, crate::server::status(200)]);
    let settings = RequestsSettings { connect_timeout: millis(100), ..settings(2, 0, 0.0) };
    let began = Instant::now();
    let response = Client::new(settings).send(&Request::get(server.url("/"))).await.unwrap();
    assert_eq!(response.attempts().len(), 3);
    let seen: Vec<_> = server.seen().iter().map(|seen| seen.at - began).collect();
    assert!(seen[1] >= Duration::from_millis(100) && seen[2] >= Duration::from_millis(200), "{seen:?}");
}

#[tokio::test]
async fn r12_no_limit_can_be_said() {
    let server = Server::start([Act::Drip { bytes: raw(200, "", ""), pause: Duration::from_millis(5) }]);
    let unlimited = RequestsSettings {
        connect_timeout: Timeout::UNLIMITED,
        write_timeout: Timeout::UNLIMITED,
        read_timeout: Timeout::UNLIMITED,
        ..settings(0, 0, 0.0)
    };
    Client::new(unlimited).send(&Request::get(server.url("/"))).await.unwrap();
}
