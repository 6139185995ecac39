//! A server that reads what is PUT to it, throws it away and says 200: little enough work that it is not the program
//! under measurement, and the same for all of them.
//!
//! `bench-server [--delay-ms N] [--tls CERTIFICATE] [--places N] [--rate N] [--banned N] [--retry-after S]`: waits N milliseconds before each answer; with TLS, writes the
//! certificate that it made for itself to the file. It may have limits: requests beyond so many at once get 503, those beyond so
//! many a second (and 5 at once) 429, both with `Retry-After` if that is given, and each so many-th object is refused for a day.
//! Prints its address. Then, for each line on standard input, what it has
//! counted since the last, as JSON; ends with its standard input.
#![expect(clippy::print_stdout, reason = "a program that answers on standard output")]

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use encord_bench::Outcome;
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, stdin};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Large enough for a whole file of most benchmarks: fewer reads, so less of the machine for the server.
const BUFFER: usize = 256 * 1024;

#[derive(Default)]
struct Counts {
    requests: AtomicU64,
    bytes: AtomicU64,
    connections: AtomicU64,
    open: AtomicU64,
    most_open: AtomicU64,
    refused: AtomicU64,
    under_way: AtomicU64,
    most_under_way: AtomicU64,
}

/// How requests are answered. Zero: no such limit.
#[derive(Default)]
struct Store {
    delay: Duration,
    places: u64,
    rate: f64,
    banned: u64,
    retry_after: Option<u64>,
    /// Requests that may come now, and when that was so.
    tokens: Mutex<Option<(f64, Instant)>>,
    counts: Counts,
}

/// Requests at once that a limit of the rate bears.
const BURST: f64 = 5.0;

#[tokio::main]
async fn main() -> Outcome<()> {
    let (mut store, mut tls) = (Store::default(), None);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or("an option without its value")?;
        match word.as_str() {
            "--delay-ms" => store.delay = Duration::from_millis(value.parse()?),
            "--places" => store.places = value.parse()?,
            "--rate" => store.rate = value.parse()?,
            "--banned" => store.banned = value.parse()?,
            "--retry-after" => store.retry_after = Some(value.parse()?),
            "--tls" => tls = Some(acceptor(value.into())?),
            other => return Err(format!("no option {other:?}").into()),
        }
    }
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    println!("{}", listener.local_addr()?);
    let store = Arc::new(store);
    tokio::spawn(accept(listener, tls, Arc::clone(&store)));
    let counts = &store.counts;

    let mut lines = BufReader::new(stdin()).lines();
    while lines.next_line().await?.is_some() {
        let taken = |count: &AtomicU64| count.swap(0, SeqCst);
        let line = json!({
            "requests": taken(&counts.requests),
            "bytes": taken(&counts.bytes),
            "connections": taken(&counts.connections),
            "most_open": taken(&counts.most_open),
            "refused": taken(&counts.refused),
            "most_under_way": taken(&counts.most_under_way),
        });
        println!("{line}");
    }
    Ok(())
}

/// With a fresh certificate for loopback, which clients read from `file`.
fn acceptor(file: PathBuf) -> Outcome<TlsAcceptor> {
    let identity = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()])?;
    fs::write(file, identity.cert.pem())?;
    let key = PrivateKeyDer::try_from(identity.signing_key.serialize_der())?;
    let config =
        rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(vec![identity.cert.into()], key)?;
    Ok(Arc::new(config).into())
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, store: Arc<Store>) -> Outcome<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let (tls, store) = (tls.clone(), Arc::clone(&store));
        tokio::spawn(async move {
            let counts = &store.counts;
            counts.connections.fetch_add(1, SeqCst);
            counts.most_open.fetch_max(counts.open.fetch_add(1, SeqCst) + 1, SeqCst);
            // If a client goes away or sends nonsense, the counts show it.
            drop(serve(stream, tls, &store).await);
            counts.open.fetch_sub(1, SeqCst);
        });
    }
}

async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>, store: &Store) -> Outcome<()> {
    stream.set_nodelay(true)?;
    match tls {
        Some(tls) => answer(tls.accept(stream).await?, store).await,
        None => answer(stream, store).await,
    }
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, store: &Store) -> Outcome<()> {
    let mut buffer = vec![0; BUFFER];
    let mut filled = 0;
    loop {
        let head = loop {
            if let Some(head) = Head::parse(&buffer[..filled])? {
                break head;
            }
            let read = stream.read(&mut buffer[filled..]).await?;
            if read == 0 {
                return Ok(());
            }
            filled += read;
        };
        let arrived = filled - head.length;
        let counted = UnderWay::begin(&store.counts);
        let refusal = store.refusal(&head, counted.number);
        if head.expects_continue && arrived == 0 {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            stream.flush().await?;
        }
        let mut left = head.body.checked_sub(arrived).ok_or("more than the body that was announced")?;
        while left > 0 {
            let read = stream.read(&mut buffer).await?;
            left = left.checked_sub(read).filter(|_| read > 0).ok_or("not the body that was announced")?;
        }
        filled = 0;
        if let Some(refusal) = refusal {
            store.counts.refused.fetch_add(1, SeqCst);
            drop(counted);
            stream.write_all(refusal.as_bytes()).await?;
            stream.flush().await?;
            continue;
        }
        if !store.delay.is_zero() {
            tokio::time::sleep(store.delay).await;
        }
        store.counts.requests.fetch_add(1, SeqCst);
        store.counts.bytes.fetch_add(u64::try_from(head.body)?, SeqCst);
        drop(counted);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await?;
        stream.flush().await?;
    }
}

/// A request, from its head to its answer.
struct UnderWay<'a> {
    counts: &'a Counts,
    number: u64,
}

impl<'a> UnderWay<'a> {
    fn begin(counts: &'a Counts) -> Self {
        let number = counts.under_way.fetch_add(1, SeqCst) + 1;
        counts.most_under_way.fetch_max(number, SeqCst);
        Self { counts, number }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.counts.under_way.fetch_sub(1, SeqCst);
    }
}

impl Store {
    /// The answer to a request that is not served.
    fn refusal(&self, head: &Head, under_way: u64) -> Option<String> {
        let answer = |status: &str, retry_after: Option<u64>| {
            let retry_after = retry_after.map(|seconds| format!("Retry-After: {seconds}\r\n")).unwrap_or_default();
            Some(format!("HTTP/1.1 {status}\r\n{retry_after}Content-Length: 0\r\n\r\n"))
        };
        if self.banned > 0 && head.object % self.banned == self.banned - 1 {
            return answer("503 Service Unavailable", Some(86_400));
        }
        if self.places > 0 && under_way > self.places {
            return answer("503 Slow Down", self.retry_after);
        }
        if self.rate > 0.0 {
            let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            let (before, at) = tokens.unwrap_or((BURST, now));
            let left = (before + (now - at).as_secs_f64() * self.rate).min(BURST);
            *tokens = Some((if left >= 1.0 { left - 1.0 } else { left }, now));
            if left < 1.0 {
                return answer("429 Too Many Requests", self.retry_after);
            }
        }
        None
    }
}

struct Head {
    /// The length of the head in bytes.
    length: usize,
    body: usize,
    expects_continue: bool,
    /// The number in the name of the object.
    object: u64,
}

impl Head {
    /// `None` if the head is not complete yet.
    fn parse(bytes: &[u8]) -> Outcome<Option<Self>> {
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            return if bytes.len() < BUFFER { Ok(None) } else { Err("a head without an end".into()) };
        };
        let head = str::from_utf8(&bytes[..end])?;
        if !head.starts_with("PUT ") {
            return Err("not a PUT".into());
        }
        let (mut body, mut expects_continue) = (None, false);
        for (name, value) in head.lines().filter_map(|line| line.split_once(':')) {
            if name.eq_ignore_ascii_case("content-length") {
                body = Some(value.trim().parse()?);
            } else if name.eq_ignore_ascii_case("expect") {
                expects_continue = true;
            }
        }
        let name = head.split(['?', ' ']).nth(1).unwrap_or_default();
        let digits: String = name.chars().filter(char::is_ascii_digit).collect();
        let object = digits.parse().unwrap_or(0);
        Ok(Some(Self { length: end + 4, body: body.ok_or("no content length")?, expects_continue, object }))
    }
}
