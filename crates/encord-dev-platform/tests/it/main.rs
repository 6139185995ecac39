//! The emulator from outside: requests that a signer of these tests has signed.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly as tests may")]

mod client;
mod faults;
mod jobs;
mod lists;
mod refusals;
mod restart;
mod rows;
