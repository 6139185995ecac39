//! An HTTP server that answers as it is told and keeps what it was sent.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What a request is answered with.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    /// A status without a body.
    Status(u16),
    /// A status without a body, and where to go.
    Redirect(u16, &'static str),
    /// The connection is reset.
    Reset,
}

/// A request as it came. Text is Latin-1, so that every byte is one letter.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// When its head had been read.
    pub(crate) at: Instant,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) version: String,
    /// In the order of arrival.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// A server on loopback. Its threads end with the test binary.
pub(crate) struct Server {
    address: SocketAddr,
    log: Arc<Mutex<Log>>,
}

#[derive(Default)]
struct Log {
    requests: Vec<Request>,
    by_path: HashMap<String, usize>,
}

type Heads = dyn Fn(&Request) + Send + Sync;
type Answers = dyn Fn(&Request, usize) -> Answer + Send + Sync;

impl Server {
    /// Answers each request by what it is and by how many came for the same path before.
    pub(crate) fn start(answer: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::with_heads(|_| {}, answer)
    }

    /// Calls `head` with each request before its body is read.
    pub(crate) fn with_heads(
        head: impl Fn(&Request) + Send + Sync + 'static,
        answer: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::<Mutex<Log>>::default();
        let (head, answer, shared): (Arc<Heads>, Arc<Answers>, _) =
            (Arc::new(head), Arc::new(answer), Arc::clone(&log));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (head, answer, log) = (Arc::clone(&head), Arc::clone(&answer), Arc::clone(&shared));
                // A client that goes away in the middle of a request is no affair of the server's.
                thread::spawn(move || drop(serve(stream, &*head, &*answer, &log)));
            }
        });
        Self { address, log }
    }

    /// A URL of this server; `target` begins with a slash.
    pub(crate) fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.address)
    }

    /// Host and port.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What has come whole so far, in the order of arrival.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.log.lock().unwrap().requests.clone()
    }

    /// How many have come whole so far.
    pub(crate) fn count(&self) -> usize {
        self.log.lock().unwrap().requests.len()
    }

    /// Those for a path.
    pub(crate) fn requests_for(&self, path: &str) -> Vec<Request> {
        let log = self.log.lock().unwrap();
        log.requests.iter().filter(|request| request.path() == path).cloned().collect()
    }
}

impl Request {
    /// The target without its query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The value of a header, whose name is given in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// `None` where the connection ends before the next request.
    fn read(reader: &mut impl BufRead, head: &Heads) -> io::Result<Option<Self>> {
        let start = line(reader)?;
        let mut words = start.splitn(3, ' ').map(str::to_owned);
        let (Some(method), Some(target), Some(version)) = (words.next(), words.next(), words.next()) else {
            return Ok(None);
        };
        let mut headers = Vec::new();
        loop {
            let line = line(reader)?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let mut request = Self { at: Instant::now(), method, target, version, headers, body: Vec::new() };
        head(&request);
        if request.header("transfer-encoding") == Some("chunked") {
            while read_chunk(reader, &mut request.body)? {}
        } else if let Some(length) = request.header("content-length") {
            request.body = vec![0; length.parse().map_err(io::Error::other)?];
            reader.read_exact(&mut request.body)?;
        }
        Ok(Some(request))
    }
}

fn serve(stream: TcpStream, head: &Heads, answer: &Answers, log: &Mutex<Log>) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    while let Some(request) = Request::read(&mut reader, head)? {
        let before = {
            let mut log = log.lock().unwrap();
            let count = log.by_path.entry(request.path().to_owned()).or_default();
            *count += 1;
            let before = *count - 1;
            log.requests.push(request.clone());
            before
        };
        match answer(&request, before) {
            Answer::Status(status) => write!(stream, "HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n")?,
            Answer::Redirect(status, to) => {
                write!(stream, "HTTP/1.1 {status} x\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n")?;
            }
            Answer::Reset => return socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)),
        }
    }
    Ok(())
}

fn line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line)?;
    Ok(line.trim_ascii_end().iter().copied().map(char::from).collect())
}

/// False at the end of the body.
fn read_chunk(reader: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<bool> {
    let length = u64::from_str_radix(&line(reader)?, 16).map_err(io::Error::other)?;
    reader.by_ref().take(length).read_to_end(body)?;
    line(reader)?;
    Ok(length > 0)
}
