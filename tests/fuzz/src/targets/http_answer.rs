//! Answers of servers and proxies.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use encord_http::rustls::{ClientConfig, RootCertStore};
use encord_http::{Client, Error, Method, Proxy, Request};
use encord_http_settings::{BackoffFactor, RequestsSettings, Timeout};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// In an input, separates the pieces of an answer, which are sent separately.
const PIECE_SEPARATOR: u8 = 0xff;
/// In an input, separates the answers. Each request gets the next one.
const ANSWER_SEPARATOR: u8 = 0xfe;

/// A request ends with a response or an error, for any answers in any pieces.
pub(super) fn check(mut data: &[u8]) {
    let [mode] = crate::take(&mut data);
    let mode = Mode(mode);
    let answers: Vec<Vec<&[u8]>> = data
        .split(|byte| *byte == ANSWER_SEPARATOR)
        .map(|answer| answer.split(|byte| *byte == PIECE_SEPARATOR).collect())
        .collect();
    let outcome = talk(mode, &answers);
    // With several answers, the result depends on when the client notices a closed connection.
    if mode.retries() == 0 && !mode.is_proxied() {
        let whole: Vec<Vec<u8>> = answers.iter().map(|pieces| pieces.concat()).collect();
        let outcome_of_whole = talk(mode, &whole.iter().map(|answer| vec![&answer[..]]).collect::<Vec<_>>());
        match (&outcome, &outcome_of_whole) {
            // The body of an error may be incomplete.
            (Some((status, body)), Some((same, whole))) if *status >= 400 => {
                assert_eq!(status, same);
                assert!(body.starts_with(whole) || whole.starts_with(body));
            }
            _ => assert_eq!(outcome, outcome_of_whole),
        }
        if let (Some((status, body)), Some(answer)) = (&outcome, whole.first()) {
            agrees(mode, *status, body, answer);
        }
    }
}

/// The options of a test.
#[derive(Clone, Copy)]
struct Mode(u8);

impl Mode {
    fn method(self) -> Method {
        [Method::GET, Method::PUT, Method::HEAD, Method::POST][usize::from(self.0 & 3)].clone()
    }

    fn is_streamed(self) -> bool {
        self.0 & 4 != 0
    }

    /// Whether all requests go to the peer, even after a redirect.
    fn is_proxied(self) -> bool {
        self.0 & 8 != 0
    }

    fn is_tunnelled(self) -> bool {
        self.0 & 16 != 0
    }

    fn retries(self) -> u32 {
        u32::from(self.0 >> 5 & 1)
    }

    /// Whether the peer keeps the connection open after the answer.
    fn stays(self) -> bool {
        self.0 & 64 != 0
    }
}

/// Sends a request. Returns the status and the body of the response, if there was one.
fn talk(mode: Mode, answers: &[Vec<&[u8]>]) -> Option<(u16, Vec<u8>)> {
    crate::scratch::block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let host = listener.local_addr().expect("an address").to_string();
        let answers = answers.iter().map(|pieces| pieces.iter().map(|piece| piece.to_vec()).collect()).collect();
        let mut peer = JoinSet::new();
        peer.spawn(serve(listener, answers, mode.stays()));
        // The limit is longer than all timeouts and waits together.
        let outcome = tokio::time::timeout(Duration::from_secs(3600), send(mode, &host)).await;
        outcome.expect("it ends")
    })
}

async fn serve(listener: TcpListener, answers: Vec<Vec<Vec<u8>>>, stays: bool) {
    let mut answers = answers.into_iter();
    let mut last = Vec::new();
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        last = answers.next().unwrap_or(last);
        connections.spawn(answer(stream, last.clone(), stays));
    }
}

async fn answer(mut stream: TcpStream, pieces: Vec<Vec<u8>>, stays: bool) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    for piece in pieces {
        stream.write_all(&piece).await?;
        // Lets the client read the piece.
        tokio::task::yield_now().await;
    }
    if !stays {
        stream.shutdown().await?;
    }
    // Unread bytes would reset the connection, and the answer would be lost.
    let mut rest = [0; 4096];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

async fn send(mode: Mode, host: &str) -> Option<(u16, Vec<u8>)> {
    let limit = Timeout::from_secs(5).expect("a limit");
    let settings = RequestsSettings {
        max_retries: mode.retries(),
        backoff_factor: BackoffFactor::new(0.5).expect("a factor"),
        connection_retries: 0,
        connect_timeout: limit,
        read_timeout: limit,
        write_timeout: limit,
    };
    let client = Client::builder(settings).rustls_config(tls());
    let (client, scheme, place) = if mode.is_proxied() {
        let proxy = Proxy::new(format!("http://{host}")).expect("a proxy");
        (client.proxy(proxy), if mode.is_tunnelled() { "https" } else { "http" }, "host.invalid")
    } else {
        (client.no_proxy(), "http", host)
    };
    let client = client.build().expect("a client");
    let payload: &[u8] = if matches!(mode.method(), Method::PUT | Method::POST) { b"meow" } else { b"" };
    let request = Request::new(mode.method(), format!("{scheme}://{place}/p{}", crate::SECRET)).payload(payload);
    let request = request.follow_redirects(if mode.is_proxied() { 2 } else { 0 });

    let most = 1 + mode.retries() as usize;
    if mode.is_streamed() {
        match client.stream(&request).await {
            Ok(mut response) => {
                hides(&format!("{response:?}"));
                assert!(response.status().as_u16() < 400 && response.attempts().len() <= 3 * most);
                let mut body = Vec::new();
                loop {
                    match response.body_mut().chunk().await {
                        Ok(Some(piece)) => {
                            assert!(!piece.is_empty());
                            body.extend_from_slice(&piece);
                            // Enough: a compression bomb would not end.
                            if body.len() > 1 << 20 {
                                return None;
                            }
                        }
                        Ok(None) => return Some((response.status().as_u16(), body)),
                        Err(fault) => {
                            hides(&format!("{fault} {fault:?}"));
                            return None;
                        }
                    }
                }
            }
            Err(error) => failed(&error, most),
        }
    } else {
        match client.send(&request).await {
            Ok(response) => {
                hides(&format!("{response:?}"));
                assert!(response.status().as_u16() < 400 && response.attempts().len() <= 3 * most);
                assert!(response.body().len() <= encord_http::MAX_BODY_BYTES);
                Some((response.status().as_u16(), response.into_body().to_vec()))
            }
            Err(error) => failed(&error, most),
        }
    }
}

/// Checks an error. Returns the status and the body of the answer, if there was one.
fn failed(error: &Error, most: usize) -> Option<(u16, Vec<u8>)> {
    hides(&format!("{error} {error:?} {:?}", error.attempts()));
    assert!((1..=3 * most).contains(&error.attempts().len()), "{error}");
    let status = error.status()?.as_u16();
    assert!(status >= 400, "{error}");
    assert!(error.body().len() <= encord_http::MAX_ERROR_BODY_BYTES);
    Some((status, error.body().to_vec()))
}

fn hides(told: &str) {
    assert!(!told.contains(crate::SECRET), "{told}");
}

/// Checks that a second parser finds the same status, and the same body if the answer has a simple `Content-Length`.
fn agrees(mode: Mode, status: u16, body: &[u8], mut answer: &[u8]) {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 100];
        let mut response = httparse::Response::new(&mut headers);
        let parsed = httparse::ParserConfig::default().parse_response(&mut response, answer);
        let Ok(httparse::Status::Complete(end)) = parsed else { return };
        let code = response.code.unwrap_or_default();
        if (100..200).contains(&code) && code != 101 {
            answer = &answer[end..];
            continue;
        }
        assert_eq!(status, code);
        let all = |name: &str| {
            response
                .headers
                .iter()
                .filter(|header| header.name.eq_ignore_ascii_case(name))
                .map(|header| header.value)
                .collect()
        };
        let (lengths, coded): (Vec<&[u8]>, Vec<&[u8]>) = (all("content-length"), all("transfer-encoding"));
        let encoded: Vec<&[u8]> = all("content-encoding");
        if mode.method() == Method::HEAD || matches!(code, 101 | 204 | 304) {
            assert!(body.is_empty());
        } else if let ([length], [], []) = (&lengths[..], &coded[..], &encoded[..])
            && let Some(length) = std::str::from_utf8(length).ok().and_then(|length| length.parse::<usize>().ok())
            && status < 400
        {
            assert_eq!(body, &answer[end..end + length]);
        }
        return;
    }
}

/// A configuration without trusted roots, because the roots of the platform load slowly.
fn tls() -> Arc<ClientConfig> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    let make = || {
        let provider = Arc::new(encord_http::rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        Arc::new(config.expect("versions").with_root_certificates(RootCertStore::empty()).with_no_client_auth())
    };
    Arc::clone(CONFIG.get_or_init(make))
}
