//! Makes and checks signed URLs, without I/O and without a clock: the time is passed in.
//!
//! Google's V4 signing with HMAC keys (`GOOG4-HMAC-SHA256`) and Amazon's Signature Version 4 in the query
//! (`AWS4-HMAC-SHA256`) are one algorithm with different constants:
//! <https://cloud.google.com/storage/docs/authentication/signatures> and
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>.

mod canonical;
mod date;
mod signer;
mod verify;

use std::fmt;
use std::time::Duration;

pub(crate) use canonical::{decode, encode, hex, pairs, unhex};
pub(crate) use date::{http_date, iso_8601, with_offset, with_z};
pub use signer::{Presign, SignError, Signer};
pub use verify::{Keys, SignatureError, Verified, verify};

/// The longest time that a signed URL may be valid for, with both services: 7 days.
pub const MAX_EXPIRES: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How far the signer's clock may be ahead of the verifier's, with both services: 15 minutes.
pub const DEFAULT_SKEW: Duration = Duration::from_secs(15 * 60);

/// The service whose URLs are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// Google Cloud Storage, V4 with an HMAC key: `X-Goog-Signature`.
    #[default]
    Gcs,
    /// Amazon S3, Signature Version 4: `X-Amz-Signature`.
    S3,
}

/// An access id with its secret. `Debug` hides the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    access_id: String,
    secret: String,
}

impl Scheme {
    /// `X-Goog-` or `X-Amz-`, with which the parameters and the extension headers begin.
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::Gcs => "X-Goog-",
            Self::S3 => "X-Amz-",
        }
    }

    pub(crate) const fn header_prefix(self) -> &'static str {
        match self {
            Self::Gcs => "x-goog-",
            Self::S3 => "x-amz-",
        }
    }

    const fn algorithm(self) -> &'static str {
        match self {
            Self::Gcs => "GOOG4-HMAC-SHA256",
            Self::S3 => "AWS4-HMAC-SHA256",
        }
    }

    /// The text before the secret in the first step of the key derivation.
    const fn key_prefix(self) -> &'static str {
        match self {
            Self::Gcs => "GOOG4",
            Self::S3 => "AWS4",
        }
    }

    const fn service(self) -> &'static str {
        match self {
            Self::Gcs => "storage",
            Self::S3 => "s3",
        }
    }

    const fn terminator(self) -> &'static str {
        match self {
            Self::Gcs => "goog4_request",
            Self::S3 => "aws4_request",
        }
    }

    const fn default_region(self) -> &'static str {
        match self {
            Self::Gcs => "auto",
            Self::S3 => "us-east-1",
        }
    }
}

impl Credentials {
    /// The access id of [`Credentials::development`].
    pub const DEVELOPMENT_ACCESS_ID: &str = "GOOG1EDEVELOPMENT";
    /// The secret of [`Credentials::development`]. It is public and protects nothing.
    pub const DEVELOPMENT_SECRET: &str = "not-a-secret-for-development-only";

    /// Takes an access id and a secret that the service has issued.
    pub fn new(access_id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { access_id: access_id.into(), secret: secret.into() }
    }

    /// Returns the default credentials of the development store. They are public and protect nothing.
    pub fn development() -> Self {
        Self::new(Self::DEVELOPMENT_ACCESS_ID, Self::DEVELOPMENT_SECRET)
    }

    /// Returns the access id, which is part of every signed URL.
    pub fn access_id(&self) -> &str {
        &self.access_id
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_id", &self.access_id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
