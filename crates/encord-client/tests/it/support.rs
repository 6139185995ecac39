//! A server on loopback that answers as it is told, and keeps what it was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use encord_client::{Domain, EncordUserClient, EncordUserClientBuilder, RequestsSettings, SshPrivateKey};
use encord_http_settings::BackoffFactor;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The secret is the bytes 0 to 31.
pub(crate) const KEY: &str = include_str!("../../src/key/test_key.txt");

pub(crate) const CREATED: u64 = 1_714_564_800;
pub(crate) const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c/1;o=1";

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Answers.
    Reply { status: u16, headers: Vec<(&'static str, String)>, body: String },
    /// Hangs up without a word.
    HangUp,
    /// Says nothing.
    Silence,
}

pub(crate) struct Server {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Answer {
    pub(crate) fn json(body: &impl ToString) -> Self {
        Self::status(200, body)
    }

    pub(crate) fn status(status: u16, body: &impl ToString) -> Self {
        Self::Reply { status, headers: Vec::new(), body: body.to_string() }
    }

    pub(crate) fn header(self, name: &'static str, value: &str) -> Self {
        match self {
            Self::Reply { status, mut headers, body } => {
                headers.push((name, value.to_owned()));
                Self::Reply { status, headers, body }
            }
            other => other,
        }
    }
}

impl Server {
    /// Answers each request with what this says.
    pub(crate) async fn start(answer: impl FnMut(&Seen) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let answer = Arc::new(Mutex::new(answer));
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                tokio::spawn(async move {
                    let _ = serve(stream, move |request| {
                        log.lock().unwrap().push(request.clone());
                        (answer.lock().unwrap())(request)
                    })
                    .await;
                });
            }
        });
        Self { url, seen }
    }

    /// Answers with these, one after the other; the last one again and again.
    pub(crate) async fn script(answers: impl Into<Vec<Answer>>) -> Self {
        let answers = answers.into();
        let mut next = 0;
        Self::start(move |_| {
            let answer = answers[next.min(answers.len() - 1)].clone();
            next += 1;
            answer
        })
        .await
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Settings of a client whose first attempt is not its last, and that does not wait for long.
    pub(crate) fn builder(&self) -> EncordUserClientBuilder {
        let settings =
            RequestsSettings { backoff_factor: BackoffFactor::new(0.001).unwrap(), ..RequestsSettings::default() };
        EncordUserClient::builder(key())
            .domain(self.domain())
            .settings(settings)
            .clock(|| SystemTime::UNIX_EPOCH + Duration::from_secs(CREATED))
            .trace_id_provider(|| TRACE_ID.to_owned())
    }

    pub(crate) fn client(&self) -> EncordUserClient {
        self.builder().build().unwrap()
    }

    pub(crate) fn domain(&self) -> Domain {
        self.url.parse().unwrap()
    }
}

pub(crate) fn key() -> SshPrivateKey {
    SshPrivateKey::from_text(KEY).unwrap()
}

/// A file of `tests/vectors/platform` of the repository.
pub(crate) fn vectors(name: &str) -> String {
    let path = format!("{}/../../tests/vectors/platform/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// An id, the same for the same digit.
pub(crate) fn uuid(digit: u32) -> String {
    format!("{digit}0000000-0000-4000-8000-00000000000{digit}")
}

pub(crate) fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(digit: u32) -> T {
    uuid(digit).parse().unwrap()
}

/// A folder of this name, as the platform tells it.
pub(crate) fn folder(name: &str, digit: u32) -> Value {
    let time = "2024-05-01T12:00:00+00:00";
    serde_json::json!({
        "uuid": uuid(digit), "parent": null, "name": name, "description": "", "clientMetadata": null,
        "owner": "me@example.com", "createdAt": time, "lastEditedAt": time, "userRole": "admin",
        "syncedDatasetHash": null, "pathToRoot": [],
    })
}

async fn serve(mut stream: TcpStream, mut answer: impl FnMut(&Seen) -> Answer) -> std::io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let Some(request) = read(&mut stream, &mut buffer).await? else { return Ok(()) };
        match answer(&request) {
            Answer::Reply { status, headers, body } => {
                let mut head = format!("HTTP/1.1 {status} Status\r\nContent-Length: {}\r\n", body.len());
                for (name, value) in headers {
                    head.extend([name, ": ", &value, "\r\n"]);
                }
                stream.write_all(format!("{head}\r\n{body}").as_bytes()).await?;
            }
            Answer::HangUp => return Ok(()),
            Answer::Silence => std::future::pending().await,
        }
    }
}

async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<Option<Seen>> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8(buffer.drain(..end).collect()).unwrap();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap().split(' ');
    let (method, target) = (first.next().unwrap().to_owned(), first.next().unwrap().to_owned());
    let headers: BTreeMap<_, _> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    while buffer.len() < length {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    let body = String::from_utf8(buffer.drain(..length).collect()).unwrap();
    Ok(Some(Seen { method, target, headers, body }))
}
