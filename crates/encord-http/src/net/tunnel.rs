//! Opens a tunnel through a proxy to the host of an `https` URL (RFC 9110 §9.3.6).

use std::io;

use encord_signed_url::Origin;
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::fault::{Fault, FaultKind};
use crate::net::connection::Stream;
use crate::proxy::Proxy;
use crate::rules::retryable::budget_of_status;

/// How much of the head of an answer to `CONNECT` is read.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// Asks the proxy at the other end of `stream` for a tunnel to `origin`.
pub(crate) async fn open(stream: &mut Stream, origin: &Origin, proxy: &Proxy) -> Result<(), Fault> {
    let head = match exchange(stream, origin, proxy).await {
        Ok(head) => head,
        Err(e) => {
            let detail = format!("proxy {proxy} closed the connection before it answered CONNECT");
            return Err(Fault::new(FaultKind::Unreachable, detail).with_source(e));
        }
    };
    let Some(status) = status(&head) else {
        return Err(Fault::new(FaultKind::Proxy, format!("the answer of proxy {proxy} to CONNECT is not HTTP/1")));
    };
    let kind = match status {
        status if status.is_success() => return Ok(()),
        // R3: the proxy answers, but it got no connection to the host. Another try may succeed. (tinyproxy answers 500, other
        // proxies 502 and 503.)
        status if budget_of_status(status, false, None).is_some() => FaultKind::Unreachable,
        _ => FaultKind::Proxy,
    };
    Err(Fault::new(kind, format!("proxy {proxy} answered {status} to CONNECT")))
}

/// Sends the request and reads the head of the answer.
async fn exchange(stream: &mut Stream, origin: &Origin, proxy: &Proxy) -> io::Result<Vec<u8>> {
    let (host, port) = (origin.host(), origin.port());
    let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n").into_bytes();
    if let Some(authorization) = proxy.authorization() {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(authorization.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    stream.write_all(&request).await?;
    stream.flush().await?;
    let mut head = Vec::new();
    // Reads byte by byte, because the bytes after the head belong to the tunnel.
    while !head.ends_with(b"\r\n\r\n") && head.len() < MAX_HEAD_BYTES {
        head.push(stream.read_u8().await?);
    }
    Ok(head)
}

/// Returns the status of a complete HTTP/1 head.
fn status(head: &[u8]) -> Option<StatusCode> {
    let line = head.strip_suffix(b"\r\n\r\n")?.strip_prefix(b"HTTP/1.")?;
    match line {
        [b'0' | b'1', b' ', code @ ..] => {
            let end = code.iter().position(|&byte| byte == b' ' || byte == b'\r').unwrap_or(code.len());
            StatusCode::from_bytes(&code[..end]).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::status;

    #[track_caller]
    fn check(head: &str, expected: Option<u16>) {
        assert_eq!(status(head.as_bytes()).map(|status| status.as_u16()), expected, "{head:?}");
    }

    #[test]
    fn the_status_of_a_head() {
        check("HTTP/1.1 200 Connection established\r\n\r\n", Some(200));
        check("HTTP/1.0 407 \r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n", Some(407));
        check("HTTP/1.1 502\r\n\r\n", Some(502));
        check("HTTP/1.1 502\r\nVia: x y\r\n\r\n", Some(502));
        check("HTTP/1.1 2000 OK\r\n\r\n", None);
        check("HTTP/2 200 OK\r\n\r\n", None);
        check("HTTP/1.1 200 OK", None);
        check("SSH-2.0-OpenSSH\r\n\r\n", None);
        check("", None);
    }
}
