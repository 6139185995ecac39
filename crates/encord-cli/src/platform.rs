//! The commands that talk to the platform.

mod connect;
mod datasets;
mod folders;
mod projects;
mod show;
mod whoami;

pub(crate) use self::connect::key;
pub(crate) use self::datasets::run as datasets;
pub(crate) use self::folders::run as folders;
pub(crate) use self::projects::{models, run as projects};
pub(crate) use self::whoami::run as whoami;
