#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]

extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

#[cfg(feature = "serde")]
mod any;
mod backoff;
mod factor;
mod fields;
mod invalid;
mod layer;
mod near;
#[cfg(feature = "serde")]
mod read;
mod resolve;
mod settings;
mod timeout;
mod value;
mod variables;
mod worst_case;

pub use crate::backoff::{BACKOFF_CAP, Backoff, RETRY_AFTER_LIMIT};
pub use crate::factor::{BackoffFactor, InvalidBackoffFactor};
pub use crate::fields::Section;
pub use crate::invalid::{InvalidSettings, ParseValueError, Problem};
pub use crate::near::{NearMiss, near_misses};
pub use crate::resolve::{RequestsResolution, Resolution, ResolvedField, UploadResolution, ValueOrigin};
pub use crate::settings::{
    CloudUploadSettings, EffectiveUploadSettings, PartialCloudUploadSettings, PartialRequestsSettings,
    RequestsSettings, SettingsLayer,
};
pub use crate::timeout::{InvalidTimeout, Timeout};
pub use crate::value::FieldValue;
pub use crate::variables::VariableText;
