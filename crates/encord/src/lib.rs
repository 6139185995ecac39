#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]

#[cfg(feature = "client")]
#[doc(inline)]
pub use encord_client as client;
#[cfg(feature = "enums")]
#[doc(inline)]
pub use encord_enums as enums;
#[cfg(feature = "http")]
#[doc(inline)]
pub use encord_http as http;
#[cfg(feature = "http-settings")]
#[doc(inline)]
pub use encord_http_settings as http_settings;
#[cfg(feature = "project-utils")]
#[doc(inline)]
pub use encord_project_utils as project_utils;
#[cfg(feature = "upload")]
#[doc(inline)]
pub use encord_upload as upload;

#[cfg(feature = "client")]
#[doc(no_inline)]
pub use encord_client::EncordUserClient;
#[cfg(feature = "enums")]
#[doc(no_inline)]
pub use encord_enums::DataType;
#[cfg(feature = "http-settings")]
#[doc(no_inline)]
pub use encord_http_settings::{CloudUploadSettings, RequestsSettings};
#[cfg(feature = "project-utils")]
#[doc(no_inline)]
pub use encord_project_utils::{ModelConfiguration, get_all_model_iteration_uids};
