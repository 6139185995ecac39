//! The store from outside: raw requests over TCP, so that what is tested is what was sent.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly as tests may")]

mod client;
mod faults;
mod objects;
mod requests;
mod signatures;
