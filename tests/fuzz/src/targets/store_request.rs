//! Requests to the development store, and their signatures.

use std::time::{Duration, SystemTime};

use encord_dev_store::sign::{Credentials, DEFAULT_SKEW, Keys, Presign, Scheme, SignatureError, Signer, verify};
use encord_dev_store::{DevStore, Running};
use encord_http::{HeaderMap, HeaderName, HeaderValue, Method};
use http::Uri;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// In an input, separates the pieces of a request, which are sent separately.
const PIECE_SEPARATOR: u8 = 0xff;

const LIFE: Duration = Duration::from_secs(60);

/// For any bytes on a connection, the answer is HTTP without secrets, and the store still serves other connections.
pub(super) fn check(mut data: &[u8]) {
    let [mode] = crate::take(&mut data);
    let scheme = if mode & 1 == 0 { Scheme::Gcs } else { Scheme::S3 };
    let is_open = mode & 2 != 0;
    let signed = if mode & 4 != 0 { sign_request_line(data, scheme) } else { None };
    let (sent, signature) = signed.map_or_else(|| (data.to_vec(), None), |(sent, signature)| (sent, Some(signature)));
    signatures(data, scheme);

    crate::scratch::block_on(async {
        let store = DevStore::builder().scheme(scheme).open(is_open).clock(now).start().await.expect("it starts");
        let talk = talk(&store, &sent, mode & 8 != 0);
        let answer = tokio::time::timeout(Duration::from_secs(3600), talk).await.expect("it ends");
        let answer = answer.unwrap_or_default();
        answers(&answer, is_head(&sent));
        let told = format!("{} {:?}", answer.escape_ascii(), store.requests());
        assert!(!told.contains(Credentials::DEVELOPMENT_SECRET), "{told}");
        assert!(signature.as_ref().is_none_or(|signature| !told.contains(signature)), "{told}");
        let objects = store.objects();
        assert!(objects.iter().all(|object| (1..=1024).contains(&object.key.len())));
        assert!(is_open || signature.is_some() || objects.is_empty(), "kept without a signature: {objects:?}");
        tokio::time::timeout(Duration::from_secs(3600), still_serves(&store)).await.expect("it ends");
    });
}

/// 2024-01-01T00:00:00Z.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_704_067_200)
}

async fn talk(store: &Running, data: &[u8], hangs_up: bool) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(store.addr()).await?;
    stream.set_nodelay(true)?;
    for piece in data.split(|byte| *byte == PIECE_SEPARATOR) {
        stream.write_all(piece).await?;
        tokio::task::yield_now().await;
    }
    if hangs_up {
        return Ok(Vec::new());
    }
    stream.shutdown().await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}

/// Checks that each answer has the stated length, and that errors are XML.
fn answers(mut answer: &[u8], is_head: bool) {
    while !answer.is_empty() {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut response = httparse::Response::new(&mut headers);
        let parsed = httparse::ParserConfig::default().parse_response(&mut response, answer).expect("HTTP");
        let httparse::Status::Complete(end) = parsed else { panic!("half a head: {}", answer.escape_ascii()) };
        let code = response.code.expect("a status");
        if is_head {
            return;
        }
        let length = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
        let length = length.map_or(0, |header| {
            std::str::from_utf8(header.value).ok().and_then(|length| length.parse().ok()).expect("a length")
        });
        let body = &answer[end..end + length];
        if code >= 400 && length > 0 {
            let body = std::str::from_utf8(body).expect("UTF-8");
            assert!(body.starts_with("<?xml") && body.ends_with("</Error>"), "{body}");
            assert!(!body.contains(|letter: char| letter.is_ascii_control() && !matches!(letter, '\n' | '\t')));
        }
        answer = &answer[end + length..];
    }
}

/// Whether one of the requests may be a `HEAD`, whose answer states a length and has no body.
fn is_head(sent: &[u8]) -> bool {
    sent.windows(4).any(|word| word == b"HEAD")
}

async fn still_serves(store: &Running) {
    let url = store.presign_put("probe").expect("signed");
    let target = url.strip_prefix(&store.base_url()).expect("its own URL");
    let request = format!("PUT {target} HTTP/1.1\r\nHost: {}\r\nContent-Length: 4\r\n\r\nmeow", store.addr());
    let answer = talk(store, request.as_bytes(), false).await.expect("an answer");
    assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", answer.escape_ascii());
    assert_eq!(store.read("probe").await.expect("kept").as_deref(), Some(&b"meow"[..]));
}

/// Returns a request whose target is signed for the host `h`, and the signature.
fn sign_request_line(data: &[u8], scheme: Scheme) -> Option<(Vec<u8>, String)> {
    let line = std::str::from_utf8(data.split(|byte| *byte == b'\r').next()?).ok()?;
    let (method, target) = line.strip_suffix(" HTTP/1.1")?.split_once(' ')?;
    let url = format!("http://h{target}");
    let request =
        Presign { method: method.parse().ok()?, url: &url, headers: HeaderMap::new(), expires: LIFE, at: now() };
    let url = Signer::new(scheme, Credentials::development()).presign(&request).ok()?;
    let (_, signature) = url.rsplit_once('=')?;
    let line = format!("{method} {} HTTP/1.1", url.strip_prefix("http://h")?).into_bytes();
    Some(([&line, &data[data.iter().position(|byte| *byte == b'\r')?..]].concat(), signature.to_owned()))
}

/// Checks that a signed URL is valid until it expires, and not with another path.
fn signatures(data: &[u8], scheme: Scheme) {
    let mut lines = [httparse::EMPTY_HEADER; 32];
    let mut request = httparse::Request::new(&mut lines);
    if !matches!(request.parse(data), Ok(httparse::Status::Complete(_))) {
        return;
    }
    let (Some(Ok(method)), Some(target)) = (request.method.map(str::parse::<Method>), request.path) else { return };
    let mut headers = HeaderMap::new();
    for line in request.headers.iter().filter(|line| !line.name.eq_ignore_ascii_case("host")) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(line.name), HeaderValue::from_bytes(line.value)) {
            headers.append(name, value);
        }
    }
    let url = format!("http://h{target}");
    let request = Presign { method: method.clone(), url: &url, headers: headers.clone(), expires: LIFE, at: now() };
    let Ok(signed) = Signer::new(scheme, Credentials::development()).presign(&request) else { return };
    let Ok(uri) = signed.parse::<Uri>() else { return };
    if uri.authority().is_none_or(|authority| authority.as_str() != "h") {
        return;
    }
    headers.insert("host", HeaderValue::from_static("h"));

    let keys = Keys::from_iter([Credentials::development()]);
    let verified = |uri: &Uri, at| verify((&method, uri, &headers), &keys, at, DEFAULT_SKEW);
    match verified(&uri, now()) {
        Ok(good) => {
            assert_eq!((good.scheme, good.expires_at), (scheme, now() + LIFE));
            let late = verified(&uri, now() + LIFE * 2);
            assert!(matches!(late, Err(SignatureError::Expired { .. })), "{late:?}");
            let other = verified(&signed.replacen('?', "x?", 1).parse().expect("a URL"), now());
            assert!(matches!(other, Err(SignatureError::Mismatch { .. })), "{other:?}");
        }
        // The target has a parameter, or the request a header, of the other service.
        Err(error) => assert!(url.to_ascii_lowercase().contains("x-") || url.contains('%'), "{error}: {signed}"),
    }
}
