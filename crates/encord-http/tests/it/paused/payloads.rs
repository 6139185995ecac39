//! Payloads that wait for the server's word, and interim responses.

use encord_http::{EXPECT_CONTINUE_MIN_BYTES, Payload};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;
use crate::bodies::large;

const GO_ON: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
const HINTS: &[u8] = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";

/// Reads so many bytes, however long the system takes to bring them.
async fn read(stream: &mut TcpStream, bytes: usize) -> std::io::Result<()> {
    let _frozen = freeze();
    stream.read_exact(&mut vec![0; bytes]).await.map(drop)
}

/// Reads a payload of 64 MiB, of which so much has been read, in more than 200 s: the last quarter, which is more than the
/// system's buffers hold, at once.
async fn read_slowly(stream: &mut TcpStream, mut had: usize) -> std::io::Result<()> {
    while had < 48 << 20 {
        sleep(Duration::from_secs(10)).await;
        read(stream, PIECE).await?;
        had += PIECE;
    }
    let _frozen = freeze();
    read(stream, (64 << 20) - had).await?;
    stream.write_all(&raw(200, "", "")).await
}

/// Expects a payload of 64 MiB to be sent to a server that reads slowly, with clocks of 30 s for what comes after it.
async fn check_slowly(host: &str) {
    let settings = RequestsSettings { connect_timeout: seconds(30), read_timeout: seconds(30), ..once() };
    let request = Request::put(format!("http://{host}/"), vec![0; 64 << 20]).profile(Profile::Stall);
    let began = Instant::now();
    Client::new(settings).send(&request).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(200), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ignores_expect_gets_the_payload_all_the_same() {
    keep_pace();
    let default = once();
    let connect = RequestsSettings { connect_timeout: seconds(1), ..default };
    let write = RequestsSettings { write_timeout: seconds(1), ..default };
    // The wait is never longer than half of what the clocks allow.
    for (settings, wait) in [(default, 1000), (connect, 500), (write, 500)] {
        let (tell, mut told) = unbounded_channel();
        let host = start(move |mut stream, _| {
            let tell = tell.clone();
            async move {
                read_head(&mut stream).await;
                tell.send(Instant::now()).unwrap();
                stream.peek(&mut [0]).await?;
                let _frozen = freeze();
                tell.send(Instant::now()).unwrap();
                read(&mut stream, usize::try_from(EXPECT_CONTINUE_MIN_BYTES).unwrap()).await?;
                stream.write_all(&raw(200, "", "")).await?;
                tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
            }
        })
        .await;
        let frozen = freeze();
        let request = Request::put(format!("http://{host}/"), large()).profile(Profile::Stall);
        let sending = tokio::spawn(async move { Client::new(settings).send(&request).await });
        let head = told.recv().await.unwrap();
        drop(frozen);
        sending.await.unwrap().unwrap();
        let waited = (told.recv().await.unwrap() - head).as_millis();
        assert!((wait..wait + 20).contains(&waited), "{waited} ms instead of {wait}");
    }
}

/// A server that refuses so many payloads unread, then ignores `Expect`; and how many bytes of each it has read.
async fn reluctant(refusals: usize, refusal: u16, answer: u16) -> (String, UnboundedReceiver<u64>) {
    let (tell, told) = unbounded_channel();
    let host = start(move |mut stream, number| {
        let tell = tell.clone();
        async move {
            read_head(&mut stream).await;
            let read = if number < refusals {
                // It answers and goes on reading, so whatever is sent is counted.
                stream.write_all(&raw(refusal, "", "no")).await?;
                tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?
            } else {
                stream.peek(&mut [0]).await?;
                read(&mut stream, usize::try_from(EXPECT_CONTINUE_MIN_BYTES).unwrap()).await?;
                stream.write_all(&raw(answer, "Connection: close\r\n", "")).await?;
                EXPECT_CONTINUE_MIN_BYTES
            };
            tell.send(read).unwrap();
            Ok(0)
        }
    });
    (host.await, told)
}

/// A payload that can be read once and is long enough to wait for the server's word.
fn put_once(host: &str) -> Request {
    let bytes = vec![7; usize::try_from(EXPECT_CONTINUE_MIN_BYTES).unwrap()];
    let payload = Payload::once(http_body_util::Full::new(bytes.into()));
    Request::put(format!("http://{host}/"), payload).profile(Profile::Stall)
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_can_be_read_once_and_was_refused_unread_is_still_there() {
    keep_pace();
    let (host, mut told) = reluctant(1, 403, 200).await;
    let request = put_once(&host);
    let client = Client::new(RequestsSettings::default());
    let error = client.send(&request).await.unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), error.attempts().len()), (403, 1));
    assert_eq!(told.recv().await, Some(0));
    client.send(&request).await.unwrap();
    assert_eq!(told.recv().await, Some(EXPECT_CONTINUE_MIN_BYTES));
}

#[tokio::test(start_paused = true)]
async fn r1_a_payload_that_can_be_read_once_is_retried_until_it_is_read() {
    keep_pace();
    let (host, mut told) = reluctant(2, 503, 503).await;
    let error = Client::new(RequestsSettings::default()).send(&put_once(&host)).await.unwrap_err();
    assert_eq!((error.stop_reason(), error.attempts().len()), (StopReason::NotReplayable, 3));
    for expected in [0, 0, EXPECT_CONTINUE_MIN_BYTES] {
        assert_eq!(told.recv().await, Some(expected));
    }
}

#[tokio::test(start_paused = true)]
async fn r9_interim_responses_start_no_clock() {
    keep_pace();
    let host = start_on(with_buffer(128 * 1024).await, |mut stream, _| async move {
        read_head(&mut stream).await;
        stream.write_all(&[GO_ON, HINTS].concat()).await?;
        read_slowly(&mut stream, 0).await?;
        Ok(0)
    });
    check_slowly(&host).await;
}

#[tokio::test(start_paused = true)]
async fn r9_a_word_that_comes_late_starts_no_clock() {
    keep_pace();
    let host = start_on(with_buffer(128 * 1024).await, |mut stream, _| async move {
        read_head(&mut stream).await;
        stream.peek(&mut [0]).await?;
        read(&mut stream, 1 << 20).await?;
        stream.write_all(&[GO_ON, HINTS].concat()).await?;
        read(&mut stream, 1 << 20).await?;
        stream.write_all(GO_ON).await?;
        read_slowly(&mut stream, 2 << 20).await?;
        Ok(0)
    });
    check_slowly(&host).await;
}

/// Expects these pieces, at these seconds, not to be taken for the first byte of the response.
async fn check_interim(script: Script, settings: RequestsSettings) {
    keep_pace();
    let host = serve(vec![script]).await;
    let settings = RequestsSettings { connect_timeout: seconds(60), ..settings };
    for profile in [Profile::Total, Profile::Stall] {
        let request = Request::put(format!("http://{host}/"), "x").profile(profile);
        let began = Instant::now();
        let error = Client::new(settings).send(&request).await.unwrap_err();
        check_limit(&error, Limit::FirstByte, Phase::Waiting);
        check_elapsed(began, 60.0);
    }
}

#[tokio::test(start_paused = true)]
async fn r7_an_interim_response_is_not_the_first_byte() {
    check_interim(vec![(20, GO_ON.to_vec())], once()).await;
}

#[tokio::test(start_paused = true)]
async fn r7_an_interim_response_in_pieces_is_not_the_first_byte_either() {
    // At `write_timeout`, long met, the client looks at its clock again, and sees what may be the response.
    let settings = RequestsSettings { write_timeout: seconds(10), ..once() };
    check_interim(vec![(0, b"HTTP/1.1 10".to_vec()), (20, b"3 Early Hints\r\n\r\n".to_vec())], settings).await;
}

#[tokio::test(start_paused = true)]
async fn r8_a_payload_that_the_system_has_taken_is_sent() {
    keep_pace();
    // As small a buffer as the system allows.
    let host = start_on(with_buffer(1).await, |stream, _| async move {
        sleep(Duration::from_secs(1000)).await;
        drop(stream);
        Ok(0)
    });
    let request = Request::put(format!("http://{host}/"), vec![0; 1000]).profile(Profile::Stall);
    let began = Instant::now();
    let error = Client::new(once()).send(&request).await.unwrap_err();
    check_limit(&error, Limit::FirstByte, Phase::Waiting);
    check_elapsed(began, 180.0);
}
