//! A server that discards the payload of each PUT and answers 200. It does little work, so that it does not affect the measurement,
//! and it is the same for all programs.
//!
//! `bench-server [--delay-ms N] [--tls CERTIFICATE] [--places N] [--rate N] [--banned N] [--retry-after S]`
//!
//! - `--delay-ms` waits before each answer.
//! - `--tls` uses TLS, and writes the server's new certificate to the file.
//! - `--places` limits the requests at once; others are answered with 503.
//! - `--rate` limits the requests per second (with bursts of 5); others are answered with 429.
//! - `--banned` answers every N-th object with 503 and a `Retry-After` of a day.
//! - `--retry-after` adds the header to the answers of the other two limits.
//!
//! It prints its address. For each line on standard input it prints its counts since the last line, as JSON. It ends when its standard
//! input is closed.
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

/// The buffer for a request. It holds a whole file of most benchmarks, so that the server needs few reads.
const BUFFER_BYTES: usize = 256 * 1024;

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

/// The options of the server. Zero means no limit.
#[derive(Default)]
struct Store {
    delay: Duration,
    places: u64,
    rate: f64,
    banned: u64,
    retry_after: Option<u64>,
    /// The token bucket of the rate limit: the number of tokens, and the time of that number.
    tokens: Mutex<Option<(f64, Instant)>>,
    counts: Counts,
}

/// The size of the token bucket, in requests.
const BURST_REQUESTS: f64 = 5.0;

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

/// Makes a certificate for loopback, and writes it to `file` for the clients.
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
            // Errors are ignored here. If a client fails, the counts show it.
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
    let mut buffer = vec![0; BUFFER_BYTES];
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

/// Counts a request as open until it is dropped.
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
    /// Returns the answer to a request that exceeds a limit.
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
            let (before, at) = tokens.unwrap_or((BURST_REQUESTS, now));
            let left = (before + (now - at).as_secs_f64() * self.rate).min(BURST_REQUESTS);
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
    /// Parses a head. Returns `None` if it is not complete yet.
    fn parse(bytes: &[u8]) -> Outcome<Option<Self>> {
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            return if bytes.len() < BUFFER_BYTES { Ok(None) } else { Err("a head without an end".into()) };
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
