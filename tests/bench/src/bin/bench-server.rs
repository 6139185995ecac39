//! A server that reads what is PUT to it, throws it away and says 200: little enough work that it is not the program
//! under measurement, and the same for all of them.
//!
//! `bench-server [--delay-ms N] [--tls CERTIFICATE]`: waits N milliseconds before each answer; with TLS, writes the
//! certificate that it made for itself to the file. Prints its address. Then, for each line on standard input, what it has
//! counted since the last, as JSON; ends with its standard input.
#![expect(clippy::print_stdout, reason = "a program that answers on standard output")]

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

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
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let (mut delay, mut tls) = (Duration::ZERO, None);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or("an option without its value")?;
        match word.as_str() {
            "--delay-ms" => delay = Duration::from_millis(value.parse()?),
            "--tls" => tls = Some(acceptor(value.into())?),
            other => return Err(format!("no option {other:?}").into()),
        }
    }
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    println!("{}", listener.local_addr()?);
    let counts = Arc::new(Counts::default());
    tokio::spawn(accept(listener, tls, delay, Arc::clone(&counts)));

    let mut lines = BufReader::new(stdin()).lines();
    while lines.next_line().await?.is_some() {
        let taken = |count: &AtomicU64| count.swap(0, SeqCst);
        let line = json!({
            "requests": taken(&counts.requests),
            "bytes": taken(&counts.bytes),
            "connections": taken(&counts.connections),
            "most_open": taken(&counts.most_open),
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

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, delay: Duration, counts: Arc<Counts>) -> Outcome<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let (tls, counts) = (tls.clone(), Arc::clone(&counts));
        tokio::spawn(async move {
            counts.connections.fetch_add(1, SeqCst);
            counts.most_open.fetch_max(counts.open.fetch_add(1, SeqCst) + 1, SeqCst);
            // If a client goes away or sends nonsense, the counts show it.
            drop(serve(stream, tls, delay, &counts).await);
            counts.open.fetch_sub(1, SeqCst);
        });
    }
}

async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>, delay: Duration, counts: &Counts) -> Outcome<()> {
    stream.set_nodelay(true)?;
    match tls {
        Some(tls) => answer(tls.accept(stream).await?, delay, counts).await,
        None => answer(stream, delay, counts).await,
    }
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, delay: Duration, counts: &Counts) -> Outcome<()> {
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
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        counts.requests.fetch_add(1, SeqCst);
        counts.bytes.fetch_add(u64::try_from(head.body)?, SeqCst);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await?;
        stream.flush().await?;
    }
}

struct Head {
    /// The length of the head in bytes.
    length: usize,
    body: usize,
    expects_continue: bool,
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
        Ok(Some(Self { length: end + 4, body: body.ok_or("no content length")?, expects_continue }))
    }
}
