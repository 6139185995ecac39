//! Simulates a slow, long link on loopback: a relay with delay and limited bandwidth.
//!
//! `bench-link TARGET [--rtt-ms N] [--mbit N] [--then-s N --then-rtt-ms N --then-mbit N]` prints its address. It ends when its
//! standard input is closed.
//!
//! It models the following. A new connection costs a round trip before its first byte. The relay reads from the client only while
//! fewer bytes are in flight than the congestion window allows. All connections share the line, which sends at its rate. A byte
//! arrives half a round trip after it was sent, and its acknowledgement takes the other half. The window starts with ten segments,
//! and doubles each round trip while it limits the sender. It is halved when a byte would wait for the line for more than 100 ms,
//! and starts again after a pause. Answers are delayed, but their rate is not limited. Packet loss, jitter and other traffic are
//! not modelled.
#![expect(clippy::print_stdout, reason = "a program that answers on standard output")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use encord_bench::Outcome;
use tokio::io::{AsyncReadExt, AsyncWriteExt, stdin};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until};

const SEGMENT_BYTES: usize = 1460;
const INITIAL_WINDOW_BYTES: usize = 10 * SEGMENT_BYTES;
const MAX_WINDOW_BYTES: usize = 4 << 20;
/// The largest piece that a connection sends before another may send.
const MAX_PIECE_BYTES: usize = 16 << 10;
const MAX_QUEUE_TIME: Duration = Duration::from_millis(100);
const MIN_IDLE_TIME: Duration = Duration::from_millis(200);
/// Compensates for tokio's timers, which fire up to a millisecond late.
const TIMER_DELAY: Duration = Duration::from_micros(500);

/// Bytes, and the time of their arrival.
type Piece = (Instant, Vec<u8>);

#[derive(Debug, Clone, Copy, Default)]
struct Line {
    half_trip: Duration,
    /// In bytes per second; 0 means no limit.
    rate: f64,
}

struct Link {
    line: Line,
    /// A later change of the line: the time since the first connection, and the new line.
    then: Option<(Duration, Line)>,
    first: Mutex<Option<Instant>>,
    /// When the line has sent all bytes that wait for it.
    free: Mutex<Option<Instant>>,
}

/// The congestion window of a connection.
struct Window {
    state: Mutex<State>,
    opened: Notify,
}

struct State {
    size: usize,
    on_the_way: usize,
    /// From this size on, the window grows by one segment per round trip.
    threshold: usize,
    is_limit: bool,
    halved: Option<Instant>,
    last: Instant,
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let mut words = std::env::args().skip(1);
    let target: SocketAddr = words.next().ok_or("no TARGET")?.parse()?;
    let mut link = Link { line: Line::default(), then: None, first: Mutex::default(), free: Mutex::default() };
    while let Some(word) = words.next() {
        let value: f64 = words.next().ok_or("an option without its value")?.parse()?;
        let then = || (Duration::MAX, link.line);
        match word.as_str() {
            "--rtt-ms" => link.line.half_trip = Duration::from_secs_f64(value / 2000.0),
            "--mbit" => link.line.rate = value * 125_000.0,
            "--then-s" => link.then = Some((Duration::from_secs_f64(value), link.then.unwrap_or_else(then).1)),
            "--then-rtt-ms" => link.then.get_or_insert_with(then).1.half_trip = Duration::from_secs_f64(value / 2000.0),
            "--then-mbit" => link.then.get_or_insert_with(then).1.rate = value * 125_000.0,
            other => return Err(format!("no option {other:?}").into()),
        }
    }
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    println!("{}", listener.local_addr()?);
    tokio::spawn(accept(listener, target, Arc::new(link)));
    // The program ends when its standard input is closed.
    while stdin().read(&mut [0; 64]).await? > 0 {}
    Ok(())
}

async fn accept(listener: TcpListener, target: SocketAddr, link: Arc<Link>) -> Outcome<()> {
    loop {
        let (client, _) = listener.accept().await?;
        let link = Arc::clone(&link);
        // An error ends only this connection.
        tokio::spawn(async move { drop(relay(client, target, link).await) });
    }
}

async fn relay(client: TcpStream, target: SocketAddr, link: Arc<Link>) -> Outcome<()> {
    lock(&link.first).get_or_insert_with(Instant::now);
    let server = TcpStream::connect(target).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    sleep_to(Instant::now() + link.now().half_trip * 2).await;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let window = Arc::new(Window::new());
    let (up, arriving) = mpsc::unbounded_channel();
    let (sent, acknowledged) = mpsc::unbounded_channel();
    let (down, answering) = mpsc::unbounded_channel();
    let upwards = tokio::spawn(read_client(from_client, up, Arc::clone(&window), Arc::clone(&link)));
    tokio::spawn(write_server(to_server, arriving, sent, Arc::clone(&link)));
    tokio::spawn(acknowledge(acknowledged, window));
    tokio::spawn(read_server(from_server, down, link));
    write(to_client, answering).await?;
    // The server has closed the connection, so further bytes of the client are dropped.
    upwards.abort();
    Ok(())
}

async fn read_client(
    mut client: OwnedReadHalf,
    up: mpsc::UnboundedSender<Piece>,
    window: Arc<Window>,
    link: Arc<Link>,
) -> Outcome<()> {
    loop {
        let room = window.room(link.now().half_trip).await;
        let mut piece = vec![0; room.min(MAX_PIECE_BYTES)];
        let read = client.read(&mut piece).await?;
        piece.truncate(read);
        let (arrives, waits) = link.send(read);
        window.sent(read, waits, link.now().half_trip * 2);
        up.send((arrives, piece))?;
        if read == 0 {
            return Ok(());
        }
    }
}

async fn write_server(
    mut server: OwnedWriteHalf,
    mut arriving: mpsc::UnboundedReceiver<Piece>,
    sent: mpsc::UnboundedSender<(Instant, usize)>,
    link: Arc<Link>,
) -> Outcome<()> {
    while let Some((arrives, piece)) = arriving.recv().await {
        sleep_to(arrives).await;
        if piece.is_empty() {
            server.shutdown().await?;
            break;
        }
        server.write_all(&piece).await?;
        sent.send((Instant::now() + link.now().half_trip, piece.len()))?;
    }
    Ok(())
}

async fn acknowledge(mut acknowledged: mpsc::UnboundedReceiver<(Instant, usize)>, window: Arc<Window>) {
    while let Some((at, bytes)) = acknowledged.recv().await {
        sleep_to(at).await;
        window.acknowledged(bytes);
    }
}

async fn read_server(mut server: OwnedReadHalf, down: mpsc::UnboundedSender<Piece>, link: Arc<Link>) -> Outcome<()> {
    loop {
        let mut piece = vec![0; MAX_PIECE_BYTES];
        let read = server.read(&mut piece).await.unwrap_or(0);
        piece.truncate(read);
        down.send((Instant::now() + link.now().half_trip, piece))?;
        if read == 0 {
            return Ok(());
        }
    }
}

async fn write(mut to: OwnedWriteHalf, mut pieces: mpsc::UnboundedReceiver<Piece>) -> Outcome<()> {
    while let Some((arrives, piece)) = pieces.recv().await {
        sleep_to(arrives).await;
        if piece.is_empty() {
            to.shutdown().await?;
            break;
        }
        to.write_all(&piece).await?;
    }
    Ok(())
}

async fn sleep_to(at: Instant) {
    if at > Instant::now() {
        sleep_until(at - TIMER_DELAY).await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Link {
    fn now(&self) -> Line {
        match (self.then, *lock(&self.first)) {
            (Some((after, then)), Some(first)) if first.elapsed() >= after => then,
            _ => self.line,
        }
    }

    /// Sends bytes now. Returns the time of their arrival, and how long they wait for the line.
    fn send(&self, bytes: usize) -> (Instant, Duration) {
        let (now, line) = (Instant::now(), self.now());
        if line.rate <= 0.0 {
            return (now + line.half_trip, Duration::ZERO);
        }
        let mut free = lock(&self.free);
        let begins = free.map_or(now, |free| free.max(now));
        #[expect(clippy::cast_precision_loss, reason = "a piece")]
        let ends = begins + Duration::from_secs_f64(bytes as f64 / line.rate);
        *free = Some(ends);
        (ends + line.half_trip, begins - now)
    }
}

impl Window {
    fn new() -> Self {
        let state = State {
            size: INITIAL_WINDOW_BYTES,
            on_the_way: 0,
            threshold: MAX_WINDOW_BYTES,
            is_limit: false,
            halved: None,
            last: Instant::now(),
        };
        Self { state: Mutex::new(state), opened: Notify::new() }
    }

    /// Waits until at least a segment may be sent, and returns the number of bytes that may be sent.
    async fn room(&self, half_trip: Duration) -> usize {
        loop {
            let room = {
                let mut state = lock(&self.state);
                if state.on_the_way == 0 && state.last.elapsed() > MIN_IDLE_TIME.max(half_trip * 4) {
                    state.size = state.size.min(INITIAL_WINDOW_BYTES);
                }
                let room = state.size.saturating_sub(state.on_the_way);
                state.is_limit = room < SEGMENT_BYTES;
                room
            };
            if room >= SEGMENT_BYTES {
                return room;
            }
            self.opened.notified().await;
        }
    }

    fn sent(&self, bytes: usize, waits: Duration, round_trip: Duration) {
        let mut state = lock(&self.state);
        state.on_the_way += bytes;
        state.last = Instant::now();
        if waits > MAX_QUEUE_TIME && state.halved.is_none_or(|halved| halved.elapsed() > round_trip) {
            state.size = (state.size / 2).max(2 * SEGMENT_BYTES);
            state.threshold = state.size;
            state.halved = Some(Instant::now());
        }
    }

    fn acknowledged(&self, bytes: usize) {
        let mut state = lock(&self.state);
        state.on_the_way = state.on_the_way.saturating_sub(bytes);
        state.last = Instant::now();
        if state.is_limit {
            let growth = if state.size < state.threshold { bytes } else { SEGMENT_BYTES * bytes / state.size };
            state.size = (state.size + growth).min(MAX_WINDOW_BYTES);
        }
        drop(state);
        self.opened.notify_one();
    }
}
