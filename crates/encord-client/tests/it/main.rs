//! The client against recorded requests of the Python SDK, answers of its models, and a server that goes wrong on purpose.
#![cfg(test)]

mod answers;
mod classes;
#[cfg(feature = "upload")]
mod emulator;
mod errors;
mod jobs;
mod keys;
mod lists;
mod requests;
mod secrets;
mod signatures;

mod support;
