//! Reads requests.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// The size of one read of a payload.
const READ_BYTES: usize = 256 * 1024;

/// A request. Its text is Latin-1, so that every byte is one character.
#[derive(Debug, Clone)]
pub struct Request {
    /// When its head was complete.
    pub at: Instant,
    /// The number of its connection, from 0.
    pub connection: usize,
    /// Request line and headers, as the client sent them.
    pub head: String,
    /// The method, such as `PUT`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// `HTTP/1.1`
    pub version: String,
    /// The headers in the order of arrival.
    pub headers: Vec<(String, String)>,
    /// The payload, unless the server discards it.
    pub body: Vec<u8>,
    /// The number of bytes of the payload that were read.
    pub received: usize,
    /// Whether the payload was read to its end.
    pub is_whole: bool,
}

impl Request {
    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Reads the head of the next request. Returns `None` if the connection ends before it.
    pub(crate) async fn read(stream: &mut BufReader<TcpStream>, connection: usize) -> io::Result<Option<Self>> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let line = line(stream).await?;
            if line.is_empty() {
                return Ok(None);
            }
            head += &line;
        }
        let mut request = Self {
            at: Instant::now(),
            connection,
            head: String::new(),
            method: String::new(),
            target: String::new(),
            version: String::new(),
            headers: Vec::new(),
            body: Vec::new(),
            received: 0,
            is_whole: false,
        };
        let mut lines = head.lines();
        let mut words = lines.next().unwrap_or_default().splitn(3, ' ').map(str::to_owned);
        for part in [&mut request.method, &mut request.target, &mut request.version] {
            *part = words.next().unwrap_or_default();
        }
        let headers = lines.filter_map(|line| line.split_once(':'));
        request.headers = headers.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
        request.head = head;
        Ok(Some(request))
    }
}

/// The payload of a request that is being read.
pub(crate) struct Payload {
    is_chunked: bool,
    /// The bytes left of the payload, or of its current chunk.
    left: u64,
    buffer: Vec<u8>,
}

impl Payload {
    pub(crate) fn of(request: &Request) -> Self {
        let is_chunked = request.header("transfer-encoding") == Some("chunked");
        let left = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
        Self { is_chunked, left, buffer: Vec::new() }
    }

    /// The bytes that were read last.
    pub(crate) fn last(&self) -> &[u8] {
        &self.buffer
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.left == 0 && !self.is_chunked
    }

    /// Reads at most `most` bytes; none at the end of the payload.
    pub(crate) async fn read_some(&mut self, stream: &mut BufReader<TcpStream>, most: usize) -> io::Result<&[u8]> {
        if self.is_chunked && self.left == 0 {
            self.left = u64::from_str_radix(line(stream).await?.trim_end(), 16).map_err(io::Error::other)?;
            if self.left == 0 {
                self.is_chunked = false;
                line(stream).await?;
            }
        }
        let most = most.min(READ_BYTES).min(usize::try_from(self.left).unwrap_or(READ_BYTES));
        self.buffer.resize(most, 0);
        let read = if most > 0 { stream.read(&mut self.buffer).await? } else { 0 };
        self.buffer.truncate(read);
        if read == 0 && most > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read as u64;
        if self.is_chunked && self.left == 0 {
            line(stream).await?;
        }
        Ok(&self.buffer)
    }
}

/// Reads a line with its line end; empty if the connection ends.
async fn line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line).await?;
    Ok(line.into_iter().map(char::from).collect())
}
