//! What is wrong with a URL.

use thiserror::Error;

/// Why a URL cannot be requested. The message never repeats the URL.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidUrl {
    /// Not a URL at all, or one with a character that has to be percent-encoded.
    #[error("the URL cannot be parsed: {0}")]
    Syntax(Box<str>),
    /// A space, a tab or a line break.
    #[error(
        "character {position} of the URL is a blank or a line break; a blank that belongs to the URL is written %20"
    )]
    Blank {
        /// Which character, counted from 1.
        position: usize,
    },
    /// A port that does not exist. Sent without it, the signature would go to another server.
    #[error("the port of the URL is not a number from 1 to 65535")]
    Port,
    /// Neither `http://` nor `https://`.
    #[error("the URL must begin with http:// or https://")]
    Scheme,
    /// No host between the scheme and the path.
    #[error("the URL has no host")]
    Host,
    /// `user:password@host`: sent nowhere, so refused instead of dropped in silence.
    #[error("the URL has a user name or password before its host, which is not supported")]
    UserInfo,
}
