//! Requests byte by byte, on a connection of their own.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use encord_dev_store::sign::{Credentials, Presign, Scheme, Signer};
use encord_dev_store::{DevStore, Running};
use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Reads one answer, whose length must be given.
    pub(crate) async fn read(stream: &mut TcpStream, has_body: bool) -> io::Result<Self> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        let head = String::from_utf8(head).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Self { status, head, body: Vec::new() };
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        if has_body {
            answer.body.resize(length, 0);
            stream.read_exact(&mut answer.body).await?;
        }
        Ok(answer)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// What is in this element of the XML.
    pub(crate) fn element(&self, name: &str) -> Option<&str> {
        let (_, after) = self.text().split_once(&format!("<{name}>"))?;
        Some(after.split_once(&format!("</{name}>"))?.0)
    }
}

/// Sends bytes as they are, and reads one answer.
pub(crate) async fn raw(addr: SocketAddr, bytes: impl AsRef<[u8]>) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(addr).await?;
    stream.write_all(bytes.as_ref()).await?;
    let has_body = !bytes.as_ref().starts_with(b"HEAD ");
    Answer::read(&mut stream, has_body).await
}

/// The head of a request, with `Content-Length` where there is a body.
pub(crate) fn head(method: &str, url: &str, headers: &[(&str, &str)], length: Option<usize>) -> String {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, target) = rest.split_at(rest.find('/').unwrap());
    let headers: String = headers.iter().flat_map(|(name, value)| [*name, ": ", *value, "\r\n"]).collect();
    let length = length.map_or(String::new(), |length| format!("Content-Length: {length}\r\n"));
    format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n{headers}{length}\r\n")
}

pub(crate) async fn send(
    addr: SocketAddr,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Answer> {
    let length = (method == "PUT").then_some(body.len());
    raw(addr, [head(method, url, headers, length).as_bytes(), body].concat()).await
}

/// Uploads to a URL that is good.
pub(crate) async fn put(store: &Running, key: &str, body: &[u8]) -> io::Result<Answer> {
    send(store.addr(), "PUT", &store.presign_put(key).unwrap(), &[], body).await
}

/// A URL for any method, signed by the development key.
pub(crate) fn signed(scheme: Scheme, method: &Method, url: &str) -> String {
    let now = std::time::SystemTime::now();
    let request = Presign { method: method.clone(), ..Presign::put(url, Duration::from_secs(60), now) };
    Signer::new(scheme, Credentials::development()).presign(&request).unwrap()
}

pub(crate) async fn get(store: &Running, method: Method, url: &str) -> Answer {
    send(store.addr(), method.as_str(), &signed(Scheme::Gcs, &method, url), &[], b"").await.unwrap()
}

pub(crate) async fn store(faults: &str) -> Running {
    DevStore::builder().faults(faults.parse().unwrap()).start().await.unwrap()
}

/// What became of the requests, in order.
pub(crate) fn log(store: &Running) -> Vec<String> {
    store.requests().iter().map(ToString::to_string).collect()
}
