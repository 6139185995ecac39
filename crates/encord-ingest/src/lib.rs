#![doc = include_str!("../README.md")]

mod kind;
mod ledger;
mod natural;
pub mod plan;
pub mod record;
pub mod replay;
mod units;
mod walk;

pub use kind::{EXTENSIONS, Kind, SNIFFED_BYTES, UnknownKind};
pub use ledger::{Ledger, LedgerError};
pub use units::{Titles, UnitList};
pub use walk::{IGNORE_FILE, LeftOut, Names, Problem, Walk, WalkError, WalkOptions, walk};
