#![doc = include_str!("../README.md")]

mod calls;
mod destination;
mod existing;
mod ingest;
mod kind;
mod ledger;
mod left_out;
mod listed;
mod metadata;
mod natural;
mod options;
mod outcome;
pub mod plan;
mod progress;
pub mod record;
pub mod replay;
mod run;
mod signing;
mod units;
mod walk;

pub use destination::{Destination, Made, Missing};
pub use existing::Existing;
pub use ingest::Ingest;
pub use kind::{EXTENSIONS, Kind, SNIFFED_BYTES, UnknownKind};
pub use ledger::{Ledger, LedgerError};
pub use left_out::{LeftOut, Names};
pub use listed::ListedFiles;
pub use metadata::{Metadata, MetadataError, PATH_KEY};
pub use options::{DEFAULT_SETTLE, Exists, IngestError, IngestOptions};
pub use outcome::{Finished, Notice, SendAttempt, UnitOutcome, UnitStatus};
pub use progress::IngestProgress;
pub use run::Run;
pub use signing::MAX_URLS_PER_CALL;
pub use units::{Titles, UnitList};
pub use walk::{IGNORE_FILE, Problem, Walk, WalkError, WalkOptions, walk};
