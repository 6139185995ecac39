#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]

extern crate alloc;

mod automation_model;
mod data_type;
mod error;
mod lossless;
mod open_enum;
mod storage;
#[cfg(feature = "serde")]
mod text;
#[cfg(feature = "serde")]
pub mod upper_case;

pub use self::{
    automation_model::AutomationModel,
    data_type::DataType,
    error::UnknownValueError,
    lossless::Lossless,
    open_enum::OpenEnum,
    storage::{LongPollingStatus, StorageFolderType, StorageItemType, StorageLocationName, StorageUserRole},
};
#[doc(no_inline)]
pub use strum::{EnumCount, IntoEnumIterator, VariantNames};
