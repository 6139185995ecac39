//! Clocks and waits to the millisecond: time is paused and moves on only when client and server have nothing to do. The server is
//! part of the test's runtime, so that its pauses are on the same clock.

mod accounts;
mod connecting;
mod pauses;
mod payloads;
mod retry_after;

use std::sync::mpsc;
use std::time::Duration;

use encord_http::{Client, Error, FaultKind, Limit, Phase, Profile, Request, StopReason};
use encord_http_settings::{RequestsSettings, Timeout};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

use crate::server::raw;

/// What a connection does after the head of its request: a pause in seconds, then bytes, and so on.
type Script = Vec<(u64, Vec<u8>)>;

/// Serves each connection by its own script; the last one is repeated. The host and port.
async fn serve(scripts: Vec<Script>) -> String {
    start(move |stream, number| play(stream, scripts[number.min(scripts.len() - 1)].clone())).await
}

async fn play(mut stream: TcpStream, script: Script) -> std::io::Result<u64> {
    read_head(&mut stream).await;
    for (pause, bytes) in script {
        sleep(Duration::from_secs(pause)).await;
        stream.write_all(&bytes).await?;
    }
    // Until the client hangs up.
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
}

async fn start<F>(talk: impl Fn(TcpStream, usize) -> F + Send + Sync + 'static) -> String
where
    F: Future<Output = std::io::Result<u64>> + Send + 'static,
{
    start_on(TcpListener::bind("127.0.0.1:0").await.unwrap(), talk)
}

fn start_on<F>(listener: TcpListener, talk: impl Fn(TcpStream, usize) -> F + Send + Sync + 'static) -> String
where
    F: Future<Output = std::io::Result<u64>> + Send + 'static,
{
    let host = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        for number in 0.. {
            tokio::spawn(talk(listener.accept().await.unwrap().0, number));
        }
    });
    host
}

/// A listener whose connections have a receive buffer of about so many bytes, which does not grow.
async fn with_buffer(bytes: usize) -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    SockRef::from(&listener).set_recv_buffer_size(bytes).unwrap();
    listener
}

/// Keeps time from running ahead of what is on its way through the system: it moves on in small steps.
fn keep_pace() {
    tokio::spawn(async {
        loop {
            sleep(Duration::from_millis(250)).await;
            std::thread::sleep(Duration::from_micros(20));
        }
    });
}

/// Keeps time from moving on by itself until this is dropped, whatever the system is slow with.
fn freeze() -> mpsc::Sender<()> {
    let (guard, dropped) = mpsc::channel();
    // The runtime waits for what blocks.
    tokio::task::spawn_blocking(move || dropped.recv());
    guard
}

/// Lets the system catch up while time stands still, as it does unless all tasks wait.
async fn settle() {
    for _ in 0..20 {
        std::thread::sleep(Duration::from_millis(1));
        tokio::task::yield_now().await;
    }
}

async fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
}

fn silent() -> Script {
    Vec::new()
}

fn answers(code: u16, headers: &str) -> Script {
    vec![(0, raw(code, &format!("Connection: close\r\n{headers}"), ""))]
}

/// The defaults of the SDK, without retries.
fn once() -> RequestsSettings {
    RequestsSettings { max_retries: 0, connection_retries: 0, ..RequestsSettings::default() }
}

fn seconds(seconds: u64) -> Timeout {
    Timeout::from_secs(seconds).unwrap()
}

/// Timers tick in milliseconds, and round up.
#[track_caller]
fn check_elapsed(began: Instant, seconds: f64) {
    let (elapsed, due) = (began.elapsed(), Duration::from_secs_f64(seconds));
    assert!(elapsed >= due && elapsed < due + Duration::from_millis(20), "{elapsed:?} instead of {due:?}");
}

#[track_caller]
fn check_limit(error: &Error, limit: Limit, phase: Phase) {
    assert_eq!((error.fault().unwrap().kind(), error.phase()), (FaultKind::TimedOut(limit), phase), "{error}");
}

const PIECE: usize = 2 << 20;
const PIECES: usize = 31;

#[tokio::test(start_paused = true)]
async fn r7_the_first_byte_is_due_at_connect_timeout_and_not_before() {
    keep_pace();
    for profile in [Profile::Total, Profile::Stall] {
        let host = serve(vec![silent()]).await;
        let request = Request::put(format!("http://{host}/"), "payload").profile(profile);
        let began = Instant::now();
        let error = Client::new(once()).send(&request).await.unwrap_err();
        check_limit(&error, Limit::FirstByte, Phase::Waiting);
        check_elapsed(began, 180.0);

        let host = serve(vec![vec![(179, raw(200, "", ""))]]).await;
        let request = Request::put(format!("http://{host}/"), "payload").profile(profile);
        Client::new(once()).send(&request).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn r8_write_timeout_bounds_the_payload_or_its_stalls_to_the_second() {
    keep_pace();
    // A piece a minute, 31 of them: more than ten times 180 s.
    let slow = |mut stream: TcpStream, _| async move {
        read_head(&mut stream).await;
        let mut buffer = vec![0; PIECE];
        for _ in 0..PIECES {
            sleep(Duration::from_secs(60)).await;
            stream.read_exact(&mut buffer).await?;
            settle().await;
        }
        stream.write_all(&raw(200, "", "")).await?;
        Ok(0)
    };
    let host = start(slow).await;
    let request = Request::put(format!("http://{host}/"), vec![0; PIECES * PIECE]);
    let began = Instant::now();
    let error = Client::new(once()).send(&request).await.unwrap_err();
    check_limit(&error, Limit::Write, Phase::Sending);
    check_elapsed(began, 180.0);

    // The last pieces are in the buffers of the system early, so the answer takes longer than the payload.
    let settings = RequestsSettings { connect_timeout: Timeout::UNLIMITED, ..once() };
    let settings = RequestsSettings { read_timeout: Timeout::UNLIMITED, ..settings };
    let began = Instant::now();
    Client::new(settings).send(&request.profile(Profile::Stall)).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1860), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn r8_a_payload_that_does_not_move_is_cut_at_write_timeout() {
    keep_pace();
    let host = start(|stream, _| async move {
        sleep(Duration::from_secs(1000)).await;
        drop(stream);
        Ok(0)
    })
    .await;
    let (small, large) = (15 << 20, 64 << 20);
    for (profile, length, due) in [
        (Profile::Total, small, 180.0),
        (Profile::Stall, small, 180.0),
        // The head moves at once, the payload after a second in which the server could have refused it.
        (Profile::Total, large, 180.0),
        (Profile::Stall, large, 181.0),
    ] {
        let request = Request::put(format!("http://{host}/"), vec![0; length]).profile(profile);
        let began = Instant::now();
        let error = Client::new(once()).send(&request).await.unwrap_err();
        check_limit(&error, Limit::Write, Phase::Sending);
        check_elapsed(began, due);
    }
}

#[tokio::test(start_paused = true)]
async fn r9_the_answer_is_due_at_read_timeout_and_not_before_however_it_drips() {
    keep_pace();
    let dripping = |bytes: usize| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {bytes}\r\n\r\n").into_bytes();
        std::iter::once((10, head)).chain((0..bytes).map(|_| (1, b"x".to_vec()))).collect::<Script>()
    };
    let host = serve(vec![dripping(1000)]).await;
    let began = Instant::now();
    let error = Client::new(once()).send(&Request::get(format!("http://{host}/"))).await.unwrap_err();
    check_limit(&error, Limit::Read, Phase::Reading);
    check_elapsed(began, 180.0);

    let host = serve(vec![dripping(169)]).await;
    let began = Instant::now();
    Client::new(once()).send(&Request::get(format!("http://{host}/"))).await.unwrap();
    check_elapsed(began, 179.0);
}

#[tokio::test(start_paused = true)]
async fn r9_a_stream_is_due_at_read_timeout_however_slowly_it_is_read() {
    keep_pace();
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n".to_vec();
    let host = serve(vec![std::iter::once((0, head)).chain((0..1000).map(|_| (1, b"x".to_vec()))).collect()]).await;
    let began = Instant::now();
    let mut response = Client::new(once()).stream(&Request::get(format!("http://{host}/"))).await.unwrap();
    let fault = loop {
        match response.body_mut().chunk().await {
            // The next piece is there before it is asked for.
            Ok(piece) => assert_ne!(piece, None),
            Err(fault) => break fault,
        }
        sleep(Duration::from_secs(2)).await;
    };
    assert_eq!(fault.kind(), FaultKind::TimedOut(Limit::Read));
    assert!((180..185).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn r9_an_answer_that_begins_before_the_payload_is_sent_starts_the_clock() {
    keep_pace();
    let host = start(|mut stream, _| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 2").await?;
        std::future::pending().await
    })
    .await;
    let settings = RequestsSettings {
        connect_timeout: Timeout::UNLIMITED,
        write_timeout: Timeout::UNLIMITED,
        read_timeout: seconds(30),
        ..once()
    };
    for profile in [Profile::Total, Profile::Stall] {
        let request = Request::put(format!("http://{host}/"), vec![0; 15 << 20]).profile(profile);
        let began = Instant::now();
        let client = Client::new(settings);
        let sending = tokio::time::timeout(Duration::from_secs(3600), client.send(&request));
        let error = sending.await.expect("a limit").unwrap_err();
        check_limit(&error, Limit::Read, Phase::Reading);
        assert!((30..35).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn r9_read_timeout_counts_from_the_payload_sent() {
    keep_pace();
    let settings = RequestsSettings { connect_timeout: seconds(60), read_timeout: seconds(30), ..once() };
    let host = serve(vec![silent()]).await;
    for profile in [Profile::Total, Profile::Stall] {
        let request = Request::put(format!("http://{host}/"), "payload").profile(profile);
        let began = Instant::now();
        let error = Client::new(settings).send(&request).await.unwrap_err();
        check_limit(&error, Limit::Read, Phase::Waiting);
        check_elapsed(began, 30.0);
    }
}

#[tokio::test(start_paused = true)]
async fn r2_r10_the_schedule_is_kept_and_every_attempt_starts_its_own_clocks() {
    keep_pace();
    let host = serve(vec![silent(), silent(), answers(200, "")]).await;
    let began = Instant::now();
    let client = Client::new(RequestsSettings::default());
    let response = client.send(&Request::get(format!("http://{host}/"))).await.unwrap();
    check_elapsed(began, 180.0 + 1.5 + 180.0 + 3.0);
    assert_eq!(response.attempts().len(), 3);

    let host = serve(vec![answers(503, "")]).await;
    let began = Instant::now();
    let error = client.send(&Request::get(format!("http://{host}/p?s3cret"))).await.unwrap_err();
    check_elapsed(began, 1.5 + 3.0 + 6.0);
    let expected = format!(
        "GET {host}/p failed while waiting: 503 Service Unavailable (4 attempts: 503, 503 after 1.5s, 503 after 3s, 503 after \
         6s; max_retries = 3 used up)"
    );
    assert_eq!(error.to_string(), expected);
}

#[tokio::test(start_paused = true)]
async fn r10_the_clocks_of_a_request_are_those_of_its_own_settings() {
    keep_pace();
    let host = serve(vec![silent()]).await;
    let settings = |limit| RequestsSettings { read_timeout: seconds(limit), ..once() };
    let client = Client::new(settings(20));
    let request = Request::get(format!("http://{host}/"));
    for (request, limit) in [(request.clone().settings(settings(1)), 1.0), (request, 20.0)] {
        let began = Instant::now();
        let error = client.send(&request).await.unwrap_err();
        check_limit(&error, Limit::Read, Phase::Waiting);
        check_elapsed(began, limit);
    }
}

#[tokio::test(start_paused = true)]
async fn r12_no_limit_can_be_said() {
    // It takes 1000 s over each phase.
    let host = start(|mut stream, _| async move {
        let pause = || sleep(Duration::from_secs(1000));
        pause().await;
        read_head(&mut stream).await;
        stream.read_exact(&mut vec![0; 15 << 20]).await?;
        pause().await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n").await?;
        pause().await;
        stream.write_all(b"meow").await?;
        Ok(0)
    })
    .await;
    let unlimited = RequestsSettings {
        connect_timeout: Timeout::UNLIMITED,
        write_timeout: Timeout::UNLIMITED,
        read_timeout: Timeout::UNLIMITED,
        ..once()
    };
    let began = Instant::now();
    let request = Request::put(format!("http://{host}/"), vec![0; 15 << 20]);
    let response = Client::new(unlimited).send(&request).await.unwrap();
    assert_eq!(&response.body()[..], b"meow");
    check_elapsed(began, 3000.0);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_is_kept_to_the_millisecond() {
    keep_pace();
    let host = serve(vec![silent()]).await;
    let deadline = Duration::from_secs(200);
    let request = Request::get(format!("http://{host}/")).deadline(deadline);
    let began = Instant::now();
    let error = Client::new(RequestsSettings::default()).send(&request).await.unwrap_err();
    check_elapsed(began, 200.0);
    let expected = format!(
        "GET {host}/ failed while waiting: the deadline of the request passed (2 attempts: timed_out (connect_timeout), deadline \
         after 1.5s; the deadline of 3min 20s leaves no time for another attempt)"
    );
    assert_eq!((error.to_string(), error.stop_reason()), (expected, StopReason::Deadline { deadline }));
}
