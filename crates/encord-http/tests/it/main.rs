//! The client against a scriptable server on loopback.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod answers;
mod budgets;
mod clocks;
mod connections;
mod server;
