#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod attempt;
mod attempts;
mod body;
mod builder;
mod classify;
mod client;
mod clock;
mod connector;
mod digest;
mod error;
mod exchange;
mod hosts;
mod ledger;
mod meter;
mod payload;
mod proxy;
mod redirect;
mod request;
mod response;
mod retry_after;
mod tls;
mod trace;
mod tunnel;
mod watch;
mod wire;

pub use attempt::{Attempt, Budget, Fault, FaultKind, Outcome};
pub use attempts::{Attempts, Step};
pub use body::Body;
pub use builder::{ClientBuilder, POOL_IDLE_TIMEOUT};
pub use client::Client;
pub use clock::{Event, Limit, Phase, PhaseClock, Profile};
pub use digest::{Digests, Sent};
#[doc(no_inline)]
pub use encord_http_settings::RequestsSettings;
#[doc(no_inline)]
pub use encord_signed_url::{InvalidUrl, Origin, SignatureKind, SignedUrl};
pub use error::{Error, ErrorKind};
pub use exchange::{EXPECT_CONTINUE_FROM, EXPECT_CONTINUE_WAIT, MAX_BODY, MAX_ERROR_BODY};
#[doc(no_inline)]
pub use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
pub use ledger::{Circumstances, Decision, Jitter, Ledger, Policy, StopReason};
pub use meter::Meter;
pub use payload::Payload;
pub use proxy::{InvalidProxy, Proxies, Proxy};
pub use request::Request;
pub use response::Response;
pub use retry_after::retry_after;
#[doc(no_inline)]
pub use rustls;
pub use tls::{Identity, InvalidCertificate, RootCertificates};
