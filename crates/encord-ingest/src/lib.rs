#![doc = include_str!("../README.md")]

mod kind;
pub mod plan;
pub mod record;
pub mod replay;

pub use kind::{EXTENSIONS, Kind, SNIFFED_BYTES, UnknownKind};
