//! A server that does what its script says, to the byte. It speaks raw TCP on threads of its own, so that nothing of the
//! client under test, nor its clock, is in it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, SockRef, Socket, Type};

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
    /// Reads nothing at all.
    StopReading,
    /// Reads the payload a chunk at a time, with a pause before each, then answers 200.
    ReadSlowly { chunk: usize, pause: Duration },
    /// Anything else, from the moment at which the head is there.
    Steps(Vec<Step>),
}

/// A part of an [`Act`].
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Reads so many bytes of the payload.
    Read(usize),
    /// Reads the rest of the payload.
    ReadAll,
    /// The same, so many bytes at a time, with a pause before each.
    ReadSlowly { chunk: usize, pause: Duration },
    /// Writes these bytes.
    Write(Vec<u8>),
    /// Writes them again and again, until the client hangs up.
    WriteForever(Vec<u8>),
    /// Does nothing for so long.
    Pause(Duration),
    /// Does nothing for longer than any test.
    StopReading,
    /// Says nothing until the client hangs up.
    Silence,
    /// Closes the connection; a reset if there is something unread.
    Close,
    /// Resets the connection.
    Reset,
}

/// A request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    /// The number of the connection, from 0.
    pub(crate) connection: usize,
    pub(crate) head: String,
    /// How many bytes of the payload have been read.
    pub(crate) payload: usize,
}

/// A port that refuses: bound, so that nobody else gets it, and not listening.
pub(crate) fn refusing_port() -> (Socket, SocketAddr) {
    let port = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    port.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = port.local_addr().unwrap().as_socket().unwrap();
    (port, address)
}

pub(crate) struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    thread: thread::JoinHandle<()>,
}

struct State {
    script: std::vec::IntoIter<Act>,
    last: Act,
    seen: Vec<Seen>,
    connections: usize,
    closed: usize,
    /// No connection is served after the one from here.
    end: Option<SocketAddr>,
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

impl Act {
    fn steps(self) -> Vec<Step> {
        match self {
            Self::Answer(bytes) => vec![Step::ReadAll, Step::Write(bytes)],
            Self::AnswerAndClose(bytes) => vec![Step::ReadAll, Step::Write(bytes), Step::Close],
            Self::AnswerAndReset(bytes) => {
                // Time for the client to read the answer, which a reset would discard.
                vec![Step::ReadAll, Step::Write(bytes), Step::Pause(Duration::from_millis(5)), Step::Reset]
            }
            Self::RejectEarly(bytes) => vec![Step::Write(bytes), Step::Close],
            Self::Close => vec![Step::ReadAll, Step::Close],
            Self::Reset => vec![Step::Reset],
            Self::StopReading => vec![Step::StopReading],
            Self::ReadSlowly { chunk, pause } => {
                vec![Step::ReadSlowly { chunk, pause }, Step::Write(raw(200, "", ""))]
            }
            Self::Steps(steps) => steps,
        }
    }
}

impl Server {
    /// A server on a free port of loopback. The last act is repeated.
    pub(crate) fn start(script: impl IntoIterator<Item = Act>) -> Self {
        Self::start_on(TcpListener::bind("127.0.0.1:0").unwrap(), script)
    }

    /// The same, on this port.
    pub(crate) fn start_on(port: TcpListener, script: impl IntoIterator<Item = Act>) -> Self {
        // Not to grow as it otherwise would, to 32 MiB: what is sent is then not much more than what has been read.
        Self::start_with_buffer(port, 128 * 1024, script)
    }

    /// The same, with a receive buffer as small as the system allows.
    pub(crate) fn start_with_tiny_buffer(script: impl IntoIterator<Item = Act>) -> Self {
        Self::start_with_buffer(TcpListener::bind("127.0.0.1:0").unwrap(), 1, script)
    }

    fn start_with_buffer(listener: TcpListener, buffer: usize, script: impl IntoIterator<Item = Act>) -> Self {
        SockRef::from(&listener).set_recv_buffer_size(buffer).unwrap();
        let script: Vec<_> = script.into_iter().collect();
        let last = script.last().cloned().unwrap_or_else(|| status(200));
        let state = State { script: script.into_iter(), last, seen: Vec::new(), connections: 0, closed: 0, end: None };
        let state = Arc::new(Mutex::new(state));
        let address = listener.local_addr().unwrap();
        let shared = Arc::clone(&state);
        let thread = thread::spawn(move || {
            let mut serving = Vec::new();
            for stream in listener.incoming().map(Result::unwrap) {
                let end = shared.lock().unwrap().end;
                if end.is_some() && stream.peer_addr().ok() == end {
                    break;
                }
                let state = Arc::clone(&shared);
                serving.push(thread::spawn(move || {
                    // A client that goes away is what many tests are about.
                    drop(serve(&stream, &state));
                    drop(stream);
                    state.lock().unwrap().closed += 1;
                }));
            }
            for serving in serving {
                serving.join().unwrap();
            }
        });
        Self { address, state, thread }
    }

    pub(crate) fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.address)
    }

    /// Host and port, as errors name them.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.lock().unwrap().seen.clone()
    }

    /// All requests that came in, once no more can: the clients are gone, or have nothing open.
    pub(crate) async fn finish(self) -> Vec<Seen> {
        let (last, from) = refusing_port();
        self.state.lock().unwrap().end = Some(from);
        let ended = tokio::task::spawn_blocking(move || {
            // Accepted after all that came before it.
            last.connect(&self.address.into()).unwrap();
            self.thread.join().unwrap();
        });
        ended.await.unwrap();
        self.state.lock().unwrap().seen.clone()
    }

    /// Blocks the whole runtime until the server has closed so many connections, so that the client cannot have noticed.
    pub(crate) fn wait_until_closed(&self, connections: usize) {
        while self.state.lock().unwrap().closed < connections {
            thread::sleep(Duration::from_millis(1));
        }
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
        let head = read_until(stream, b"\r\n\r\n")?;
        let mut payload = Payload::announced_by(&head, stream);
        let (act, index) = {
            let mut state = state.lock().unwrap();
            let act = state.script.next().unwrap_or_else(|| state.last.clone());
            state.seen.push(Seen { at: Instant::now(), connection, head, payload: 0 });
            (act, state.seen.len() - 1)
        };
        for step in act.steps() {
            let note = |payload: &Payload<'_>| state.lock().unwrap().seen[index].payload = payload.read;
            match step {
                Step::Read(most) => {
                    while payload.read < most && payload.read_some(most - payload.read)? {
                        note(&payload);
                    }
                }
                Step::ReadAll => {
                    while payload.read_some(1 << 20)? {
                        note(&payload);
                    }
                }
                Step::ReadSlowly { chunk, pause } => {
                    let mut more = true;
                    while more {
                        thread::sleep(pause);
                        let until = payload.read + chunk;
                        while more && payload.read < until {
                            more = payload.read_some(until - payload.read)?;
                            note(&payload);
                        }
                    }
                }
                Step::Write(bytes) => (&*stream).write_all(&bytes)?,
                Step::WriteForever(bytes) => loop {
                    (&*stream).write_all(&bytes)?;
                },
                Step::Pause(pause) => thread::sleep(pause),
                Step::StopReading => thread::sleep(Duration::from_secs(60)),
                Step::Silence => wait_for_the_end(stream),
                Step::Close => return Ok(()),
                Step::Reset => return reset(stream),
            }
        }
    }
}

fn wait_for_the_end(mut stream: &TcpStream) {
    while stream.read(&mut [0; 64]).is_ok_and(|n| n > 0) {}
}

/// The connection is reset when it is dropped.
fn reset(stream: &TcpStream) -> std::io::Result<()> {
    SockRef::from(stream).set_linger(Some(Duration::ZERO))
}

/// Byte by byte, so that nothing of what follows is read along with it.
fn read_until(mut stream: &TcpStream, end: &[u8]) -> std::io::Result<String> {
    let mut read = Vec::new();
    let mut buffer = [0; 1];
    while !read.ends_with(end) {
        if stream.read(&mut buffer)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        read.extend_from_slice(&buffer);
    }
    Ok(String::from_utf8(read).unwrap())
}

/// A payload on its way in.
struct Payload<'a> {
    stream: &'a TcpStream,
    chunked: bool,
    /// Of the chunk, if it is chunked.
    left: usize,
    read: usize,
    buffer: Vec<u8>,
}

impl<'a> Payload<'a> {
    fn announced_by(head: &str, stream: &'a TcpStream) -> Self {
        let head = head.to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let left = length.map_or(0, |length| length.parse().unwrap());
        Self { stream, chunked: head.contains("transfer-encoding: chunked"), left, read: 0, buffer: Vec::new() }
    }

    /// False at the end of the payload.
    fn read_some(&mut self, most: usize) -> std::io::Result<bool> {
        if self.chunked && self.left == 0 {
            self.left = usize::from_str_radix(read_until(self.stream, b"\r\n")?.trim_end(), 16).unwrap();
            if self.left == 0 {
                self.chunked = false;
                read_until(self.stream, b"\r\n")?;
            }
        }
        if self.left == 0 {
            return Ok(false);
        }
        self.buffer.resize(most, 0);
        let most = most.min(self.left);
        let mut stream = self.stream;
        let n = stream.read(&mut self.buffer[..most])?;
        if n == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= n;
        self.read += n;
        if self.chunked && self.left == 0 {
            read_until(self.stream, b"\r\n")?;
        }
        Ok(true)
    }
}
