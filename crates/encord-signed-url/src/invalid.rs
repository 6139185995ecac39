//! The errors of URLs.

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
        /// The position of the character, counted from 1.
        position: usize,
    },
    /// A port that does not exist. Without the port the signature would be sent to another server.
    #[error("the port of the URL is not a number from 1 to 65535")]
    Port,
    /// Neither `http://` nor `https://`.
    #[error("the URL must begin with http:// or https://")]
    Scheme,
    /// No host between the scheme and the path.
    #[error("the URL has no host")]
    Host,
    /// `user:password@host`. The client never sends it, so the URL is refused.
    #[error("the URL has a user name or password before its host, which is not supported")]
    UserInfo,
}
