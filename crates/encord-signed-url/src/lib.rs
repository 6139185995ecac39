#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod invalid;
mod origin;
mod signature;
mod url;

pub use invalid::InvalidUrl;
pub use origin::Origin;
pub use signature::SignatureKind;
pub use url::SignedUrl;
