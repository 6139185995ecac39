#![doc = include_str!("../README.md")]

mod errors;
pub mod faults;
mod objects;
pub mod record;
mod route;
pub mod serve;
mod server;
pub mod sign;

pub use objects::{ObjectInfo, Storage};
pub use record::{Outcome, RequestRecord};
pub use server::{Builder, DEFAULT_BUCKET, DevStore, Running, StartError};
