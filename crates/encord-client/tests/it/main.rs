//! The client against recorded requests of the Python SDK, answers of its models, and a server that goes wrong on purpose.
#![cfg(test)]

mod keys;
mod requests;
mod signatures;
#[expect(dead_code, reason = "for tests to come")]
mod support;
