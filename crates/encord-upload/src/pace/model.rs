//! A simulation of a client, a link and a store in virtual time. It shows what the pace does, without a network.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

pub(super) use self::world::{OverCapacity, World};
use super::{Feedback, Next, Overload, Pace, Started};

const KIB: f64 = 1024.0;
/// The window of TCP on a new connection: ten segments.
const FIRST_WINDOW_BYTES: f64 = 10.0 * SEGMENT_BYTES;
const MAX_WINDOW_BYTES: f64 = 4.0 * KIB * KIB;
const SEGMENT_BYTES: f64 = 1_460.0;
/// The processor time of an attempt. The client has two cores.
const CPU_SECONDS: f64 = 60e-6;
/// If the queue before the line is longer, TCP halves its window.
const MAX_QUEUE_SECONDS: f64 = 0.1;
const MAX_RETRIES: u32 = 3;

pub(super) struct Batch {
    pub(super) items: usize,
    pub(super) bytes: fn(u64) -> f64,
    /// The world after this many seconds.
    pub(super) then: Option<(f64, World)>,
    pub(super) seed: u64,
}

#[derive(Debug, Default, Clone)]
pub(super) struct Outcome {
    pub(super) seconds: f64,
    /// The items uploaded before the world changed.
    pub(super) done_before: usize,
    pub(super) uploaded: usize,
    /// The items that failed because their retries were used up.
    pub(super) lost: usize,
    /// The items that failed because the store always refuses them.
    pub(super) banned: usize,
    pub(super) attempts: usize,
    pub(super) refused: usize,
    pub(super) most_under_way: usize,
    pub(super) most_attempts_of_one: u32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Event {
    /// The client has a connection and may send.
    Connected(usize),
    /// The store has acknowledged a window.
    Acknowledged(usize),
    /// The last byte has reached the store.
    Arrived(usize),
    /// The store has stored the file.
    Served(usize),
    /// The answer has reached the client.
    Answered(usize),
    /// The wait before the next attempt of an item is over.
    Ready(usize),
    /// The time has come that the pace named for the next attempt.
    Wake,
    /// The world changes.
    Change,
}

struct Item {
    bytes: f64,
    retries: u32,
}

#[derive(Clone, Copy)]
struct Connection {
    window: f64,
    free_since: f64,
    requests: usize,
}

struct Attempt {
    item: usize,
    started: Started,
    opened: bool,
    left: f64,
    connection: Connection,
    status: Status,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Stored,
    Refused,
    Banned,
}

struct Simulation {
    world: World,
    then: Option<World>,
    zero: Instant,
    now: f64,
    events: BinaryHeap<Reverse<(u64, u64, usize)>>,
    payloads: Vec<Event>,
    items: Vec<Item>,
    next_item: usize,
    waiting: VecDeque<usize>,
    attempts: Vec<Attempt>,
    idle: Vec<Connection>,
    processors: [f64; 2],
    line_free: f64,
    at_store: usize,
    queue: VecDeque<usize>,
    tokens: f64,
    tokens_at: f64,
    wake_at: f64,
    random: u64,
    outcome: Outcome,
}

/// Simulates the upload of a batch at this pace.
pub(super) fn run(world: World, batch: &Batch, pace: &mut Pace) -> Outcome {
    let mut random = batch.seed.wrapping_mul(2).wrapping_add(1);
    let items: Vec<Item> =
        (0..batch.items).map(|_| Item { bytes: (batch.bytes)(next_random(&mut random)), retries: 0 }).collect();
    let mut simulation = Simulation {
        world,
        then: batch.then.map(|(_, world)| world),
        zero: Instant::now(),
        now: 0.0,
        events: BinaryHeap::new(),
        payloads: Vec::new(),
        items,
        next_item: 0,
        waiting: VecDeque::new(),
        attempts: Vec::new(),
        idle: Vec::new(),
        processors: [0.0; 2],
        line_free: 0.0,
        at_store: 0,
        queue: VecDeque::new(),
        tokens: 5.0,
        tokens_at: 0.0,
        wake_at: f64::INFINITY,
        random,
        outcome: Outcome::default(),
    };
    if let Some((at, _)) = batch.then {
        simulation.at(at, Event::Change);
    }
    simulation.run(pace);
    simulation.outcome
}

fn next_random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

impl Simulation {
    fn run(&mut self, pace: &mut Pace) {
        self.begin_all(pace);
        while let Some(Reverse((at, _, event))) = self.events.pop() {
            #[expect(clippy::cast_precision_loss, reason = "exact enough for a simulated day")]
            let now = at as f64 / 1e9;
            self.now = now;
            assert!(now < 3600.0 * 24.0, "the batch does not end: {:?}", self.outcome);
            let event = self.payloads[event];
            self.handle(event, pace);
            self.begin_all(pace);
            if self.outcome.uploaded + self.outcome.lost + self.outcome.banned == self.items.len() {
                self.outcome.seconds = self.now;
                return;
            }
        }
        panic!("no event is left: {:?}", self.outcome);
    }

    fn at(&mut self, at: f64, event: Event) {
        self.payloads.push(event);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "exact enough for a simulated day")]
        let nanoseconds = (at.max(self.now) * 1e9) as u64;
        self.events.push(Reverse((nanoseconds, self.payloads.len() as u64, self.payloads.len() - 1)));
    }

    fn instant(&self) -> Instant {
        self.zero + Duration::from_secs_f64(self.now)
    }

    /// Begins as many attempts as the pace allows.
    fn begin_all(&mut self, pace: &mut Pace) {
        loop {
            let item = match self.waiting.front() {
                Some(item) => *item,
                None if self.next_item < self.items.len() => self.next_item,
                None => return,
            };
            let left = Some(self.items.len() - self.next_item + self.waiting.len());
            match pace.next(self.instant(), left) {
                Next::Now => {}
                Next::Full => return,
                Next::At(at) => {
                    let at = (at - self.zero).as_secs_f64() + 1e-9;
                    if at < self.wake_at || self.wake_at <= self.now {
                        self.wake_at = at;
                        self.at(at, Event::Wake);
                    }
                    return;
                }
            }
            if self.waiting.pop_front().is_none() {
                self.next_item += 1;
            }
            self.begin(item, pace);
        }
    }

    fn begin(&mut self, item: usize, pace: &mut Pace) {
        let started = pace.begin(self.instant());
        self.outcome.attempts += 1;
        self.outcome.most_under_way = self.outcome.most_under_way.max(pace.under_way());
        let cold_after = 0.2_f64.max(2.0 * self.world.round_trip);
        let (opened, mut connection) = match self.idle.pop() {
            Some(connection) => (false, connection),
            None => (true, Connection { window: FIRST_WINDOW_BYTES, free_since: self.now, requests: 0 }),
        };
        if self.now - connection.free_since > cold_after {
            connection.window = FIRST_WINDOW_BYTES.min(connection.window);
        }
        connection.requests += 1;
        let core = usize::from(self.processors[1] < self.processors[0]);
        let ready = self.processors[core].max(self.now) + CPU_SECONDS;
        self.processors[core] = ready;
        let left = self.items[item].bytes + 500.0;
        self.attempts.push(Attempt { item, started, opened, left, connection, status: Status::Stored });
        let handshake = if opened { self.world.round_trip } else { 0.0 };
        self.at(ready + handshake, Event::Connected(self.attempts.len() - 1));
    }

    /// Sends as much as the window of the connection allows.
    fn send(&mut self, id: usize) {
        let (now, line, round_trip) = (self.now, self.world.line, self.world.round_trip);
        let attempt = &mut self.attempts[id];
        let queue = (self.line_free - now).max(0.0);
        if queue > MAX_QUEUE_SECONDS {
            attempt.connection.window = (attempt.connection.window / 2.0).max(2.0 * SEGMENT_BYTES);
        }
        let bytes = attempt.left.min(attempt.connection.window);
        attempt.left -= bytes;
        let departed = self.line_free.max(now) + bytes / line;
        self.line_free = departed;
        if attempt.left > 0.0 {
            attempt.connection.window = (attempt.connection.window * 2.0).min(MAX_WINDOW_BYTES);
            self.at(departed + round_trip, Event::Acknowledged(id));
        } else {
            self.at(departed + round_trip / 2.0, Event::Arrived(id));
        }
    }

    fn arrive(&mut self, id: usize) {
        self.tokens = (self.tokens + (self.now - self.tokens_at) * self.world.rate.min(1e9)).min(5.0);
        self.tokens_at = self.now;
        let item = self.attempts[id].item;
        let is_too_fast = self.tokens < 1.0 && self.world.rate.is_finite();
        let is_full = self.at_store >= self.world.capacity && self.world.over_capacity == OverCapacity::Refuse;
        let status = if item % self.world.banned_one_in == self.world.banned_one_in - 1 {
            Status::Banned
        } else if is_too_fast || is_full || self.random_share() < self.world.refused_by_chance {
            Status::Refused
        } else {
            self.tokens -= 1.0;
            Status::Stored
        };
        self.attempts[id].status = status;
        if status != Status::Stored {
            return self.at(self.now + self.world.round_trip / 2.0, Event::Answered(id));
        }
        if self.at_store >= self.world.capacity && self.world.over_capacity == OverCapacity::Queue {
            return self.queue.push_back(id);
        }
        self.serve(id);
    }

    /// Returns a random number from 0 to 1, in thousandths.
    fn random_share(&mut self) -> f64 {
        u16::try_from(next_random(&mut self.random) % 1000).map_or(0.0, f64::from) / 1000.0
    }

    fn serve(&mut self, id: usize) {
        self.at_store += 1;
        #[expect(clippy::cast_precision_loss, reason = "small counts")]
        let slower = if self.world.over_capacity == OverCapacity::SlowDown && self.at_store > self.world.capacity {
            self.at_store as f64 / self.world.capacity as f64
        } else {
            1.0
        };
        // Each request is up to a tenth faster or slower.
        let variation = 0.9 + self.random_share() / 5.0;
        self.at(self.now + self.world.service * slower * variation, Event::Served(id));
    }

    fn handle(&mut self, event: Event, pace: &mut Pace) {
        match event {
            Event::Connected(id) | Event::Acknowledged(id) => self.send(id),
            Event::Arrived(id) => self.arrive(id),
            Event::Served(id) => {
                self.at_store -= 1;
                if let Some(next) = self.queue.pop_front() {
                    self.serve(next);
                }
                self.at(self.now + self.world.round_trip / 2.0, Event::Answered(id));
            }
            Event::Answered(id) => self.answered(id, pace),
            Event::Ready(item) => self.waiting.push_back(item),
            Event::Wake => self.wake_at = f64::INFINITY,
            Event::Change => {
                self.world = self.then.expect("a world to change to");
                self.outcome.done_before = self.outcome.uploaded;
            }
        }
    }

    fn answered(&mut self, id: usize, pace: &mut Pace) {
        let Attempt { item, started, opened, connection, status, .. } = self.attempts[id];
        if connection.requests < self.world.requests_per_connection {
            self.idle.push(Connection { free_since: self.now, ..connection });
        }
        let bytes = self.items[item].bytes;
        let left = Some(self.items.len() - self.next_item + self.waiting.len());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes of a file")]
        let ended = match status {
            Status::Stored => Feedback::Done { bytes: bytes as u64, opened },
            Status::Banned => Feedback::Overloaded(Overload::RetryAfterTooLong),
            Status::Refused => Feedback::Overloaded(match self.world.retry_after {
                Some(seconds) => Overload::RetryAfter(Duration::from_secs_f64(seconds)),
                None => Overload::Refused,
            }),
        };
        pace.end(started, ended, self.instant(), left);
        let retries = &mut self.items[item].retries;
        self.outcome.most_attempts_of_one = self.outcome.most_attempts_of_one.max(*retries + 1);
        match status {
            Status::Stored => self.outcome.uploaded += 1,
            Status::Banned => self.outcome.banned += 1,
            Status::Refused if *retries == MAX_RETRIES => {
                self.outcome.refused += 1;
                self.outcome.lost += 1;
            }
            Status::Refused => {
                self.outcome.refused += 1;
                let backoff = 1.5 * f64::from(1 << *retries);
                *retries += 1;
                let wait = self.world.retry_after.map_or(backoff, |asked| asked.max(backoff));
                self.at(self.now + wait, Event::Ready(item));
            }
        }
    }
}

mod tests;
mod world;
