//! The enums as their users see them. A test that holds a rule of the contract names it.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod automation_model;
mod data_type;
mod laws;
mod lossless;
#[cfg(feature = "serde")]
mod serde_forms;
