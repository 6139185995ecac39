//! What is told of requests whose every attempt ran out of time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// The defaults of the SDK, with two retries.
fn client() -> Client {
    Client::new(RequestsSettings { max_retries: 2, ..RequestsSettings::default() })
}

/// Expects each attempt to run into a limit of 180 s at a server that does this. `{host}` in the text stands for the server's.
async fn check<F>(request: fn(String) -> Request, talk: impl Fn(TcpStream) -> F + Send + Sync + 'static, text: &str)
where
    F: Future<Output = std::io::Result<u64>> + Send + 'static,
{
    keep_pace();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    let host = start_on(with_buffer(128 * 1024).await, move |stream, _| {
        count.fetch_add(1, Ordering::Relaxed);
        talk(stream)
    });
    let began = Instant::now();
    let error = client().send(&request(format!("http://{host}/p?s3cret"))).await.unwrap_err();
    check_elapsed(began, 180.0 + 1.5 + 180.0 + 3.0 + 180.0);
    assert_eq!(error.to_string(), text.replace("{host}", &host));
    assert_eq!(connections.load(Ordering::Relaxed), 3);
}

/// These bytes, one a second.
fn drip(bytes: Vec<u8>) -> Script {
    bytes.into_iter().map(|byte| (1, vec![byte])).collect()
}

#[tokio::test(start_paused = true)]
async fn r7_accepted_and_never_answered() {
    let text = "PUT {host}/p failed while waiting: connect_timeout ran out before the first byte of the response (3 \
                attempts: timed_out, timed_out after 1.5s, timed_out after 3s; max_retries = 2 used up)";
    check(|url| Request::put(url, "payload"), |stream| play(stream, silent()), text).await;
}

#[tokio::test(start_paused = true)]
async fn r8_a_peer_that_stops_reading_in_the_middle() {
    let text = "PUT {host}/p failed while sending: write_timeout ran out before the payload was sent (3 attempts: \
                timed_out, timed_out after 1.5s, timed_out after 3s; max_retries = 2 used up)";
    let talk = |mut stream: TcpStream| async move {
        let frozen = freeze();
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        stream.read_exact(&mut vec![0; 20 << 20]).await?;
        settle().await;
        drop(frozen);
        sleep(Duration::from_secs(1000)).await;
        drop(stream);
        Ok(0)
    };
    check(|url| Request::put(url, vec![0; 64 << 20]).profile(Profile::Stall), talk, text).await;
}

#[tokio::test(start_paused = true)]
async fn r9_a_head_and_a_body_that_drip() {
    let text = "GET {host}/p failed while reading: read_timeout ran out before the response was complete (3 attempts: \
                timed_out, timed_out after 1.5s, timed_out after 3s; max_retries = 2 used up)";
    for bytes in [raw(200, &"X-Kind: cat\r\n".repeat(50), ""), raw(200, "", &"x".repeat(1000))] {
        check(Request::get, move |stream| play(stream, drip(bytes.clone())), text).await;
    }
}

#[tokio::test(start_paused = true)]
async fn r9_the_read_clock_goes_on_while_a_response_is_streamed() {
    keep_pace();
    let host = serve(vec![drip(raw(200, "", &"x".repeat(1000)))]).await;
    let began = Instant::now();
    let mut response = client().stream(&Request::get(format!("http://{host}/"))).await.unwrap();
    let fault = loop {
        match response.body_mut().chunk().await {
            Ok(piece) => assert!(piece.is_some(), "the end came before the limit"),
            Err(fault) => break fault,
        }
    };
    assert_eq!(fault.kind(), FaultKind::TimedOut(Limit::Read));
    check_elapsed(began, 180.0);
}
