#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod model_configuration;
#[cfg(feature = "json")]
mod read;
mod uids;

pub use self::{
    model_configuration::ModelConfiguration,
    uids::{ModelIterationUids, UidHasher, get_all_model_iteration_uids},
};
#[doc(no_inline)]
pub use encord_enums::{AutomationModel, Lossless};
#[doc(no_inline)]
pub use indexmap::IndexSet;

#[cfg(feature = "json")]
pub use self::read::{ReadError, model_iteration_uids_from_slice, read_model_iteration_uids};
