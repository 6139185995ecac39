//! A server in the test's runtime, so that it is on the same clock.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// An answer without a body unless it says so.
#[derive(Clone, Default)]
pub(crate) struct Reply {
    status: u16,
    headers: String,
    body: &'static str,
    after: Duration,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) at: Instant,
    pub(crate) target: String,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct Server {
    host: String,
    log: Arc<Mutex<Vec<Request>>>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Answers each request by what it is and by how many came for the same target before. Also keeps paused time from running
    /// ahead of what is on its way through the system.
    pub(crate) async fn start(reply: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let log = Arc::<Mutex<Vec<Request>>>::default();
        let (shared, reply) = (Arc::clone(&log), Arc::new(reply));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (log, reply) = (Arc::clone(&shared), Arc::clone(&reply));
                tokio::spawn(async move { drop(serve(stream, &log, &*reply).await) });
            }
        });
        tasks.spawn(async {
            loop {
                sleep(Duration::from_millis(250)).await;
                std::thread::sleep(Duration::from_micros(50));
            }
        });
        Self { host, log, _tasks: tasks }
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.host)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn targets(&self) -> Vec<String> {
        self.requests().into_iter().map(|request| request.target).collect()
    }
}

pub(crate) fn status(status: u16) -> Reply {
    Reply { status, ..Reply::default() }
}

impl Reply {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers = format!("{}{name}: {value}\r\n", self.headers);
        self
    }

    pub(crate) fn body(self, body: &'static str) -> Self {
        Self { body, ..self }
    }

    /// Not before so long.
    pub(crate) fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }
}

impl Request {
    /// The value of a header, whose name is given in lower case as this client sends it.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

async fn serve(
    mut stream: TcpStream,
    log: &Mutex<Vec<Request>>,
    reply: &(dyn Fn(&Request, usize) -> Reply + Send + Sync),
) -> std::io::Result<()> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        let head = String::from_utf8(head).unwrap();
        let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut request = Request { at: Instant::now(), target, head, body: Vec::new() };
        let length = request.header("content-length").unwrap().parse().unwrap();
        request.body = vec![0; length];
        stream.read_exact(&mut request.body).await?;
        let Reply { status, headers, body, after } = {
            let mut log = log.lock().unwrap();
            let before = log.iter().filter(|earlier| earlier.target == request.target).count();
            log.push(request.clone());
            reply(&request, before)
        };
        sleep(after).await;
        let length = body.len();
        let answer = format!("HTTP/1.1 {status} x\r\nContent-Length: {length}\r\n{headers}\r\n{body}");
        stream.write_all(answer.as_bytes()).await?;
    }
}
