//! A process that was stopped, or slept with the laptop: what came in time counts, however late it is looked at.

use super::*;

/// Answers when the test says so, on a thread of its own: it goes on while the client is stopped.
fn start_thread(answer: Vec<u8>) -> (String, mpsc::Sender<()>, mpsc::Receiver<()>) {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let (go, wait) = mpsc::channel::<()>();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut read = Vec::new();
        while !read.ends_with(b"payload") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            read.push(byte[0]);
        }
        tell.send(()).unwrap();
        wait.recv().unwrap();
        stream.write_all(&answer).unwrap();
        tell.send(()).unwrap();
        // Open until the client hangs up.
        drop(stream.read(&mut [0]));
    });
    (host, go, told)
}

#[tokio::test(start_paused = true)]
async fn r7_r9_an_answer_that_came_while_the_process_was_stopped_counts() {
    for profile in [Profile::Total, Profile::Stall] {
        let (host, go, told) = start_thread(raw(200, "", "late"));
        let frozen = freeze();
        let request = Request::put(format!("http://{host}/"), "payload").profile(profile);
        let sending = tokio::spawn(async move { Client::new(once()).send(&request).await });
        while told.try_recv().is_err() {
            tokio::task::yield_now().await;
        }
        settle().await;
        // Nothing of the client runs from here until its limits are long over.
        go.send(()).unwrap();
        told.recv().unwrap();
        tokio::time::advance(Duration::from_secs(3600)).await;
        drop(frozen);
        let response = sending.await.unwrap().unwrap();
        assert_eq!(response.attempts().len(), 1, "{profile:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn r7_what_did_not_come_is_given_up_a_second_later() {
    let (host, _go, told) = start_thread(Vec::new());
    let frozen = freeze();
    let request = Request::put(format!("http://{host}/"), "payload");
    let sending = tokio::spawn(async move { Client::new(once()).send(&request).await });
    while told.try_recv().is_err() {
        tokio::task::yield_now().await;
    }
    settle().await;
    tokio::time::advance(Duration::from_secs(3600)).await;
    let resumed = Instant::now();
    drop(frozen);
    let error = sending.await.unwrap().unwrap_err();
    check_limit(&error, Limit::FirstByte, Phase::Waiting);
    check_elapsed(resumed, 1.0);
}
