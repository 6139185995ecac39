#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod backoff;
mod defaults;
mod factor;
mod invalid;
mod layer;
mod requests;
mod resolve;
mod timeout;
mod upload;
mod variables;
mod worst_case;

#[cfg(feature = "serde")]
mod read;

pub use crate::backoff::Backoff;
pub use crate::defaults::{
    BACKOFF_CAP, DEFAULT_BACKOFF_FACTOR, DEFAULT_CONNECT_TIMEOUT, DEFAULT_CONNECTION_RETRIES, DEFAULT_MAX_RETRIES,
    DEFAULT_READ_TIMEOUT, DEFAULT_WRITE_TIMEOUT, RETRY_AFTER_LIMIT,
};
pub use crate::factor::{BackoffFactor, InvalidBackoffFactor};
pub use crate::invalid::{InvalidSettings, ParseValueError, Problem};
pub use crate::layer::{PartialCloudUploadSettings, PartialRequestsSettings, SettingsLayer};
pub use crate::requests::RequestsSettings;
pub use crate::resolve::{
    FieldValue, Origin, RequestsResolution, Resolution, ResolvedField, Section, UploadResolution,
};
pub use crate::timeout::{InvalidTimeout, Timeout};
pub use crate::upload::{CloudUploadSettings, EffectiveUploadSettings};
