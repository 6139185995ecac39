#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod batch;
mod context;
mod expiry;
#[cfg(feature = "formats")]
pub mod formats;
mod gate;
mod hash;
mod item;
mod journal;
mod kind;
mod open_files;
mod pace;
mod progress;
mod report;
mod shard;
mod signing;
mod source;
mod target;
mod transfer;
mod uploader;
mod verify;

pub use batch::Batch;
#[doc(no_inline)]
pub use encord_http::SignedUrl;
#[doc(no_inline)]
pub use encord_http_settings::CloudUploadSettings;
pub use item::UploadItem;
pub use journal::{Journal, JournalError};
pub use kind::ItemKind;
pub use progress::{Progress, Snapshot};
pub use report::{ItemError, ItemReport, Report, Status, StopCause, Stopped, Summary};
pub use shard::{InvalidShard, Shard};
pub use source::{SignedUrlSource, SourceError};
pub use target::{SignedTarget, Targets};
pub use uploader::{DEFAULT_CONCURRENCY, Uploader};
