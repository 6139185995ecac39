//! The scripted server, for tests in which one act follows the other, whatever is requested.

use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use encord_test_server::{Builder, Reply, script};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

pub(crate) use encord_test_server::{Step, refusing_port};

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

/// A request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// The number of the connection, from 0.
    pub(crate) connection: usize,
    pub(crate) head: String,
    /// How many bytes of the payload have been read.
    pub(crate) payload: usize,
}

pub(crate) struct Server(encord_test_server::Server);

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
    pub(crate) fn start(acts: impl IntoIterator<Item = Act>) -> Self {
        Self(narrow().start(replies(acts)))
    }

    /// The same, on this port.
    pub(crate) fn start_on(port: TcpListener, acts: impl IntoIterator<Item = Act>) -> Self {
        Self(narrow().start_on(port, replies(acts)))
    }

    /// The same, with a receive buffer as small as the system allows.
    pub(crate) fn start_with_tiny_buffer(acts: impl IntoIterator<Item = Act>) -> Self {
        Self(narrow().receive_buffer(1).start(replies(acts)))
    }

    pub(crate) fn url(&self, target: &str) -> String {
        self.0.url(target)
    }

    /// Host and port, as errors name them.
    pub(crate) fn host(&self) -> String {
        self.0.host()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        let seen = self.0.heads().into_iter().map(|request| Seen {
            connection: request.connection,
            head: request.head,
            payload: request.received,
        });
        seen.collect()
    }

    /// All requests that came in, once no more can: the clients are gone, or have nothing open.
    pub(crate) async fn finish(self) -> Vec<Seen> {
        const LAST: &str = "GET /the-last-request HTTP/1.1\r\n\r\n";
        // Accepted after all connections that came before it.
        let mut last = TcpStream::connect(self.0.address()).await.unwrap();
        last.write_all(LAST.as_bytes()).await.unwrap();
        while !self.seen().iter().any(|seen| seen.head == LAST) {
            tokio::task::yield_now().await;
        }
        drop(last);
        while self.0.closed() < self.0.connections() {
            tokio::task::yield_now().await;
        }
        self.seen().into_iter().filter(|seen| seen.head != LAST).collect()
    }

    /// Blocks the whole runtime until the server has closed so many connections, so that the client cannot have noticed.
    pub(crate) fn wait_until_closed(&self, connections: usize) {
        while self.0.closed() < connections {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// The pauses between the requests as they came in.
    pub(crate) fn pauses(&self) -> Vec<Duration> {
        self.0.pauses()
    }
}

/// Its receive buffers do not grow to 32 MiB, so that the bytes sent are not many more than the bytes read.
fn narrow() -> Builder {
    encord_test_server::Server::builder().answers_heads().discards_payloads().receive_buffer(128 * 1024)
}

fn replies(
    acts: impl IntoIterator<Item = Act>,
) -> impl Fn(&encord_test_server::Request, usize) -> Reply + Send + Sync + 'static {
    let mut acts: Vec<_> = acts.into_iter().collect();
    if acts.is_empty() {
        acts.push(status(200));
    }
    script(acts.into_iter().map(|act| Reply::steps(act.steps())))
}
