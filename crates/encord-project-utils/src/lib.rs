#![doc = include_str!("../README.md")]

mod model_configuration;
#[cfg(feature = "json")]
mod read;
mod uids;

pub use self::{
    model_configuration::ModelConfiguration,
    uids::{ModelIterationUids, UidHasher, UidSet, get_all_model_iteration_uids},
};
#[doc(no_inline)]
pub use encord_enums::{AutomationModel, Lossless};

#[cfg(feature = "json")]
pub use self::read::{ReadError, read_model_iteration_uids};
