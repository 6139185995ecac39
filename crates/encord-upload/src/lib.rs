#![doc = include_str!("../README.md")]

mod item;
mod kind;
mod report;
mod uploader;

pub use item::UploadItem;
pub use kind::ItemKind;
pub use report::{ItemError, ItemReport, Report, Status, Stopped, Summary};
pub use uploader::{DEFAULT_CONCURRENCY, Uploader};
