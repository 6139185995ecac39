//! What the client costs over bare `hyper::client::conn`: small requests one after another on one loopback connection, `GET` with an answer
//! of 1 KiB and `PUT` of 1 KiB, against a server in a process of its own. The two clients take turns, so that whatever else
//! the machine does hits both; the ratio is that of the medians.
//!
//! ```text
//! cargo bench -p encord-http --bench overhead               # 10,000 requests a round, 7 rounds each
//! cargo bench -p encord-http --bench overhead -- --smoke    # 200 requests, 1 round: does it run?
//! ```
//!
//! CPU time is that of this process, user and system, from `/proc/self/task/*/schedstat`, and so known on Linux only.

#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use encord_http::{Client, HeaderValue, Method, Payload, Request, header};
use encord_http_settings::RequestsSettings;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::runtime::{Builder, Runtime};

type Outcome<T> = Result<T, Box<dyn Error>>;
type Bare = SendRequest<Full<Bytes>>;

const KIB: usize = 1024;

struct Scale {
    requests: u32,
    rounds: usize,
}

#[derive(Clone, Copy)]
struct Cost {
    /// `None` where it cannot be told.
    cpu: Option<Duration>,
    wall: Duration,
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let given = |name: &str| arguments.iter().any(|argument| argument == name);
    if given("--serve") {
        return serve();
    }
    // `cargo bench` says `--bench`, `cargo test --benches` does not.
    let smoke = given("--smoke") || !given("--bench") || std::env::var_os("BENCH_SMOKE").is_some();
    let scale = if smoke { Scale { requests: 200, rounds: 1 } } else { Scale { requests: 10_000, rounds: 7 } };
    let mut child =
        Command::new(std::env::current_exe()?).arg("--serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let done = measure(&mut child, &scale);
    // Its standard input closes with it, so the server would end by itself too.
    child.kill()?;
    child.wait()?;
    done
}

fn measure(child: &mut Child, scale: &Scale) -> Outcome<()> {
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    let url = format!("http://{}/", line.trim());
    println!("{} requests a round, {} rounds each; per request:", scale.requests, scale.rounds);
    println!("{:21}{:>30}{:>30}{:>8}", "", "encord-http", "hyper", "ratio");
    for threads in [1, 2] {
        for method in [Method::GET, Method::PUT] {
            let (ours, bare) = take_turns(threads, &url, &method, scale)?;
            let name = format!("{method}, {}", if threads == 1 { "current thread" } else { "multi-thread" });
            for (what, of) in [("cpu", cpu as fn(&Cost) -> _), ("wall", wall)] {
                report(&name, what, scale.requests, &collect(&ours, of), &collect(&bare, of));
            }
        }
    }
    Ok(())
}

fn cpu(cost: &Cost) -> Option<Duration> {
    cost.cpu
}

#[expect(clippy::unnecessary_wraps, reason = "stands beside `cpu`")]
fn wall(cost: &Cost) -> Option<Duration> {
    Some(cost.wall)
}

fn collect(costs: &[Cost], of: fn(&Cost) -> Option<Duration>) -> Vec<Duration> {
    let mut costs: Vec<_> = costs.iter().filter_map(of).collect();
    costs.sort();
    costs
}

fn report(name: &str, what: &str, requests: u32, ours: &[Duration], bare: &[Duration]) {
    let micros = |whole: Duration| whole.as_secs_f64() * 1e6 / f64::from(requests);
    let show = |sorted: &[Duration]| match sorted {
        [least, .., most] => {
            let median = micros(sorted[sorted.len() / 2]);
            format!("{median:.2} µs ({:.2} to {:.2})", micros(*least), micros(*most))
        }
        [only] => format!("{:.2} µs", micros(*only)),
        [] => "unknown".to_owned(),
    };
    let ratio = match (ours.get(ours.len() / 2), bare.get(bare.len() / 2)) {
        (Some(ours), Some(bare)) => format!("{:.3}", ours.as_secs_f64() / bare.as_secs_f64()),
        _ => String::new(),
    };
    println!("{:21}{:>30}{:>30}{ratio:>8}", format!("{name} {what}"), show(ours), show(bare));
}

fn take_turns(threads: usize, url: &str, method: &Method, scale: &Scale) -> Outcome<(Vec<Cost>, Vec<Cost>)> {
    let runtime = runtime(threads)?;
    let ours = Client::new(RequestsSettings::default());
    let request = our_request(url, method);
    let mut bare = runtime.block_on(bare_client(url))?;
    let (mut our_costs, mut bare_costs) = (Vec::new(), Vec::new());
    for round in 0..=scale.rounds {
        let our_cost = time(&runtime, send_ours(&ours, &request, scale.requests))?;
        let bare_cost = time(&runtime, send_bare(&mut bare, url, method, scale.requests))?;
        // The first round opens the connections and warms the caches.
        if round > 0 {
            our_costs.push(our_cost);
            bare_costs.push(bare_cost);
        }
    }
    Ok((our_costs, bare_costs))
}

fn runtime(threads: usize) -> std::io::Result<Runtime> {
    match threads {
        1 => Builder::new_current_thread().enable_all().build(),
        _ => Builder::new_multi_thread().worker_threads(threads).enable_all().build(),
    }
}

fn time(runtime: &Runtime, work: impl Future<Output = Outcome<()>>) -> Outcome<Cost> {
    let (began, cpu) = (Instant::now(), cpu_time());
    runtime.block_on(work)?;
    let wall = began.elapsed();
    Ok(Cost { cpu: cpu_time().zip(cpu).map(|(after, before)| after.saturating_sub(before)), wall })
}

/// The time that the threads of this process have been on a CPU. None of them ends while a round is measured.
fn cpu_time() -> Option<Duration> {
    let mut nanos = 0;
    for task in std::fs::read_dir("/proc/self/task").ok()? {
        let stat = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        nanos += stat.split(' ').next()?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(nanos))
}

fn our_request(url: &str, method: &Method) -> Request {
    let request = Request::new(method.clone(), url);
    if *method == Method::PUT { request.payload(Payload::bytes(vec![b'x'; KIB])) } else { request }
}

async fn send_ours(client: &Client, request: &Request, count: u32) -> Outcome<()> {
    for _ in 0..count {
        client.send(request).await?;
    }
    Ok(())
}

/// A connection of hyper's, driven by a task of its own, as hyper's documentation shows it.
async fn bare_client(url: &str) -> Outcome<Bare> {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let stream = tokio::net::TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::Builder::new().max_buf_size(64 * KIB).handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// The same head and payload on the wire, and the whole body read.
async fn send_bare(client: &mut Bare, url: &str, method: &Method, count: u32) -> Outcome<()> {
    let host = HeaderValue::from_str(url.trim_start_matches("http://").trim_end_matches('/'))?;
    let payload = if *method == Method::PUT { Bytes::from(vec![b'x'; KIB]) } else { Bytes::new() };
    for _ in 0..count {
        let mut message = http::Request::new(Full::new(payload.clone()));
        *message.method_mut() = method.clone();
        *message.uri_mut() = http::Uri::from_static("/");
        let headers = message.headers_mut();
        headers.insert(header::HOST, host.clone());
        headers.insert(header::USER_AGENT, HeaderValue::from_static("encord-http/0.1.0"));
        if *method == Method::PUT {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(payload.len()));
        } else {
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        }
        client.ready().await?;
        let response = client.send_request(message).await?;
        if response.status() != 200 {
            return Err(response.status().to_string().into());
        }
        response.into_body().collect().await?.to_bytes();
    }
    Ok(())
}

/// The server: blocking, a thread a connection, until its standard input closes.
fn serve() -> Outcome<()> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    println!("{}", listener.local_addr()?);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let body = "x".repeat(KIB);
    let get = format!("HTTP/1.1 200 OK\r\nContent-Length: {KIB}\r\n\r\n{body}");
    let put = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let mut received = Vec::new();
    let mut buffer = [0; 8 * KIB];
    loop {
        let n = stream.read(&mut buffer)?;
        if n == 0 {
            return Ok(());
        }
        received.extend_from_slice(&buffer[..n]);
        let Some(head) = received.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let is_put = received.starts_with(b"PUT ");
        if !is_put || received.len() - (head + 4) >= KIB {
            stream.write_all(if is_put { put } else { &get }.as_bytes())?;
            received.clear();
        }
    }
}
