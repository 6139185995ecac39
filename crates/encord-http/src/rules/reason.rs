//! Why a server refused: its own code and message.

use std::fmt;

use http::HeaderMap;

/// The code and message with which a server explains a status of 400 and above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    code: Option<Box<str>>,
    message: Option<Box<str>>,
}

impl Reason {
    /// What headers and body of an answer say.
    pub(crate) fn parse(_headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        let body = String::from_utf8_lossy(body);
        let of = |name: &str| {
            let (_, rest) = body.split_once(&format!("<{name}>"))?;
            Some(rest.split_once('<')?.0.into())
        };
        let (code, message) = (of("Code"), of("Message"));
        (code.is_some() || message.is_some()).then_some(Self { code, message })
    }

    /// The code, such as `SignatureDoesNotMatch`.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.code, &self.message) {
            (Some(code), Some(message)) => write!(f, "{code}: {message}"),
            (Some(text), None) | (None, Some(text)) => f.write_str(text),
            (None, None) => Ok(()),
        }
    }
}
