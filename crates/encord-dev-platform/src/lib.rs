#![doc = include_str!("../README.md")]

mod api;
mod envelope;
pub mod faults;
mod info;
mod key;
mod operation;
mod problem;
mod query;
mod record;
mod route;
mod server;
mod signature;
mod state;
mod switches;
mod units;

pub use api::NewProject;
pub use encord_dev_store;
pub use encord_dev_store::Outcome;
pub use envelope::{Envelope, InvalidEnvelope};
pub use info::{FolderInfo, ItemInfo, JobInfo, RowInfo};
pub use key::DevelopmentKey;
pub use operation::Operation;
pub use record::RequestRecord;
pub use server::{Builder, DevPlatform, Running, StartError};
pub use switches::{
    DuplicateUrls, FailedJobKeeps, InvalidSwitches, ItemId, NamesOrder, Placeholders, SecondJob, SkipReturns, Switches,
    UnknownIds,
};
pub use uuid::Uuid;
