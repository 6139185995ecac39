#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod attempt;
mod attempts;
mod body;
mod budget;
mod builder;
mod client;
mod digest;
mod error;
mod fault;
mod meter;
mod net;
mod payload;
mod phase;
mod proxy;
mod request;
mod response;
mod rules;
mod shared;
mod tls;
mod trace;

pub use attempt::{Attempt, Outcome};
pub use attempts::{Attempts, Failed};
pub use body::Body;
pub use budget::Budget;
pub use builder::{BuildError, ClientBuilder, POOL_IDLE_TIMEOUT};
#[doc(no_inline)]
pub use bytes::Bytes;
pub use client::Client;
pub use digest::{Checksums, Digests, FileState, Sent};
#[doc(no_inline)]
pub use encord_http_settings::RequestsSettings;
#[doc(no_inline)]
pub use encord_signed_url::{InvalidUrl, Origin, SignatureKind, SignedUrl};
pub use error::{Error, ErrorKind};
pub use fault::{Fault, FaultKind};
#[doc(no_inline)]
pub use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
#[doc(no_inline)]
pub use http_body;
pub use meter::Meter;
pub use net::exchange::{EXPECT_CONTINUE_MIN_BYTES, EXPECT_CONTINUE_WAIT, MAX_BODY_BYTES, MAX_ERROR_BODY_BYTES};
pub use payload::Payload;
pub use phase::{Limit, Phase, Profile};
pub use proxy::{InvalidProxy, Proxies, Proxy};
pub use request::Request;
pub use response::Response;
pub use rules::ledger::{Jitter, StopReason};
pub use rules::reason::Reason;
pub use rules::retry_after::retry_after;
#[doc(no_inline)]
pub use rustls;
pub use tls::{Identity, InvalidCertificate, RootCertificates};
