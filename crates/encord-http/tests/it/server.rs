//! A server that does what its script says, to the byte. It speaks raw TCP on threads of its own, so that nothing of the
//! client under test, nor its clock, is in it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What the server does with one request.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Reads the request and answers with these bytes.
    Answer(Vec<u8>),
    /// The same, then closes.
    AnswerAndClose(Vec<u8>),
    /// The same, then resets the connection.
    AnswerAndReset(Vec<u8>),
    /// Reads the head only, answers and closes.
    RejectEarly(Vec<u8>),
    /// Reads the request and closes without an answer.
    Close,
    /// Resets the connection when the head is there.
    Reset,
    /// Reads the request and stays silent.
    Silence,
    /// Reads nothing at all.
    StopReading,
    /// Reads the payload a chunk at a time, with a pause before each, then answers 200.
    ReadSlowly { chunk: usize, pause: Duration },
    /// Reads the request and answers these bytes one by one, with a pause before each.
    Drip { bytes: Vec<u8>, pause: Duration },
}

/// A request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    /// The number of the connection, from 0.
    pub(crate) connection: usize,
    pub(crate) head: String,
    pub(crate) payload: usize,
}

pub(crate) struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    script: std::vec::IntoIter<Act>,
    last: Act,
    seen: Vec<Seen>,
    connections: usize,
}

/// An answer with this status and an empty body.
pub(crate) fn status(code: u16) -> Act {
    answer(code, "", "")
}

/// An answer with this status, these header lines and this body.
pub(crate) fn answer(code: u16, headers: &str, body: &str) -> Act {
    Act::Answer(raw(code, headers, body))
}

pub(crate) fn raw(code: u16, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {code} X\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

impl Server {
    /// A server on a free port of loopback. The last act is repeated.
    pub(crate) fn start(script: impl IntoIterator<Item = Act>) -> Self {
        let script: Vec<_> = script.into_iter().collect();
        let last = script.last().cloned().unwrap_or_else(|| status(200));
        let state = State { script: script.into_iter(), last, seen: Vec::new(), connections: 0 };
        let state = Arc::new(Mutex::new(state));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let state = Arc::clone(&shared);
                // A client that goes away is what many tests are about.
                thread::spawn(move || drop(serve(&stream.unwrap(), &state)));
            }
        });
        Self { address, state }
    }

    pub(crate) fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.address)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.lock().unwrap().seen.clone()
    }

    /// The pauses between the requests as they came in.
    pub(crate) fn pauses(&self) -> Vec<Duration> {
        self.seen().windows(2).map(|pair| pair[1].at - pair[0].at).collect()
    }
}

fn serve(stream: &TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let connection = {
        let mut state = state.lock().unwrap();
        state.connections += 1;
        state.connections - 1
    };
    loop {
        let head = read_head(stream)?;
        let mut payload = 0;
        let (act, index) = {
            let mut state = state.lock().unwrap();
            let act = state.script.next().unwrap_or_else(|| state.last.clone());
            state.seen.push(Seen { at: Instant::now(), connection, head: head.clone(), payload: 0 });
            (act, state.seen.len() - 1)
        };
        let length = content_length(&head);
        let mut read_payload = |chunk: usize, pause: Duration| -> std::io::Result<()> {
            let mut buffer = vec![0; chunk];
            while payload < length {
                thread::sleep(pause);
                match (&*stream).read(&mut buffer)? {
                    0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                    n => payload += n,
                }
                state.lock().unwrap().seen[index].payload = payload;
            }
            Ok(())
        };
        let whole = 1 << 20;
        match act {
            Act::Answer(bytes) => {
                read_payload(whole, Duration::ZERO)?;
                (&*stream).write_all(&bytes)?;
            }
            Act::AnswerAndClose(bytes) => {
                read_payload(whole, Duration::ZERO)?;
                return (&*stream).write_all(&bytes);
            }
            Act::AnswerAndReset(bytes) => {
                read_payload(whole, Duration::ZERO)?;
                (&*stream).write_all(&bytes)?;
                // Time for the client to read the answer, which a reset would discard.
                thread::sleep(Duration::from_millis(5));
                return reset(stream);
            }
            Act::RejectEarly(bytes) => return (&*stream).write_all(&bytes),
            Act::Close => return read_payload(whole, Duration::ZERO),
            Act::Reset => return reset(stream),
            Act::Silence => {
                read_payload(whole, Duration::ZERO)?;
                wait_for_the_end(stream);
                return Ok(());
            }
            Act::StopReading => {
                thread::sleep(Duration::from_secs(60));
                return Ok(());
            }
            Act::ReadSlowly { chunk, pause } => {
                read_payload(chunk, pause)?;
                (&*stream).write_all(&raw(200, "", ""))?;
            }
            Act::Drip { bytes, pause } => {
                read_payload(whole, Duration::ZERO)?;
                for byte in bytes {
                    thread::sleep(pause);
                    (&*stream).write_all(&[byte])?;
                }
            }
        }
    }
}

fn wait_for_the_end(mut stream: &TcpStream) {
    while stream.read(&mut [0; 64]).is_ok_and(|n| n > 0) {}
}

fn reset(stream: &TcpStream) -> std::io::Result<()> {
    socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO))
}

/// Byte by byte, so that nothing of the payload is read along with it.
fn read_head(mut stream: &TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    let mut buffer = [0; 1];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut buffer)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        head.extend_from_slice(&buffer);
    }
    Ok(String::from_utf8(head).unwrap())
}

fn content_length(head: &str) -> usize {
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned));
    length.map_or(0, |length| length.parse().unwrap())
}
