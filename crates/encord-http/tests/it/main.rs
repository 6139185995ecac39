//! The client against a scriptable server on loopback.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod answers;
mod attempts;
mod bodies;
mod budgets;
mod connections;
mod faults;
mod paused;
mod payloads;
mod peer;
mod proxies;
mod runtimes;
mod secrets;
mod server;
mod stored;
mod streams;
mod tls;
