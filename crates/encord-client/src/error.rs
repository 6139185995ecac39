//! The error of a call.

mod account;
mod table;
mod words;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use encord_http::Attempt;
use http::Method;

pub(crate) use self::account::effect_of;
pub(crate) use self::table::{V1Code, v1_code, v2_status};
pub(crate) use self::words::{of_answer, plain, text as text_of};

/// The error of a call, after all retries.
///
/// `Display` shows everything: the kind, the server's message, hints for the user, and all attempts. It shows method, host and
/// path; never a query, a key or a token.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Default)]
pub(crate) struct Inner {
    pub(crate) kind: ErrorKind,
    /// The message of the server, or the details of an error of this crate.
    pub(crate) words: Option<String>,
    /// Hints for the user.
    pub(crate) hints: Vec<String>,
    pub(crate) effect: Effect,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) call: Option<CallAccount>,
    /// The candidates, for errors about names.
    pub(crate) candidates: Vec<String>,
    pub(crate) http: Option<encord_http::Error>,
}

/// The call, and its attempts.
pub(crate) struct CallAccount {
    pub(crate) method: Method,
    /// Host and path.
    pub(crate) place: String,
    pub(crate) trace_id: String,
    pub(crate) status: Option<u16>,
    pub(crate) attempts: Vec<Attempt>,
}

/// Whether the server may have acted on the call (rule C1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Effect {
    /// Nothing was sent.
    #[default]
    NeverSent,
    /// The server refused the call.
    Refused,
    /// Not known: there was no answer, or the answer does not say. Check the state before you repeat the call.
    Unknown,
}

/// The kind of an error, to match on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The platform does not accept the key or the token.
    Authentication,
    /// The platform does not know the key.
    SshKeyNotFound,
    /// The platform has this key more than once.
    DuplicateSshKey,
    /// The user may not do or see this. The platform reports an unknown folder like this too.
    Authorisation,
    /// It does not exist.
    NotFound,
    /// It already exists.
    AlreadyExists,
    /// An argument is invalid.
    InvalidArguments,
    /// A date is invalid.
    InvalidDateFormat,
    /// The request is too large.
    PayloadTooLarge,
    /// Too many requests.
    RateLimited,
    /// The platform does not know the route or the method.
    MethodNotAllowed,
    /// This operation is not allowed with this key.
    OperationNotAllowed,
    /// The platform does not accept files of this kind.
    FileTypeNotSupported,
    /// The platform does not accept files of this size.
    FileSizeNotSupported,
    /// Uploads to this place are not possible.
    UploadNotSupported,
    /// The operation is not possible with this kind of project.
    WrongProjectType,
    /// The platform failed, or sent an error that this version does not know.
    #[default]
    Server,
    /// There was no complete answer.
    Transport,
    /// This version cannot read the answer.
    Answer,
    /// One record of a list cannot be read. The list continues.
    Record,
    /// Nothing has this name.
    NoSuchName,
    /// More than one thing has this name.
    AmbiguousName,
    /// An argument of the caller is invalid. Nothing was sent.
    Input,
}

impl Error {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    pub(crate) fn input(words: impl Into<String>) -> Self {
        Self::new(Inner { kind: ErrorKind::Input, words: Some(words.into()), ..Inner::default() })
    }

    /// An answer that does not fit the call.
    pub(crate) fn answer(words: impl Into<String>) -> Self {
        let (kind, effect) = (ErrorKind::Answer, Effect::Unknown);
        Self::new(Inner { kind, effect, words: Some(words.into()), ..Inner::default() })
    }

    /// An answer `null`, with which `v1` says that something does not exist.
    pub(crate) fn nothing() -> Self {
        let (kind, effect) = (ErrorKind::NotFound, Effect::Refused);
        Self::new(Inner {
            kind,
            effect,
            words: Some("the platform has nothing of this".to_owned()),
            ..Inner::default()
        })
    }

    /// Adds the error of the HTTP client, which has more details.
    pub(crate) fn with_http(self, http: encord_http::Error) -> Self {
        match Arc::try_unwrap(self.0) {
            Ok(inner) => Self::new(Inner { http: Some(http), ..inner }),
            Err(shared) => Self(shared),
        }
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns whether the server may have acted.
    pub fn effect(&self) -> Effect {
        self.0.effect
    }

    /// Returns the message of the server, if there is one. Control characters are escaped, and possible credentials are removed.
    pub fn message(&self) -> Option<&str> {
        self.0.words.as_deref()
    }

    /// Returns the trace id of the call, for the support of the platform.
    pub fn trace_id(&self) -> Option<&str> {
        self.0.call.as_ref().map(|call| call.trace_id.as_str())
    }

    /// Returns the status of the last answer, if there was one.
    pub fn status(&self) -> Option<u16> {
        self.0.call.as_ref()?.status
    }

    /// Returns all attempts, in order. Empty if there was none.
    pub fn attempts(&self) -> &[Attempt] {
        self.0.call.as_ref().map_or(&[], |call| &call.attempts)
    }

    /// Returns how long the server asks to wait, if it does.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns whether the same call may succeed later: there was no answer, or the platform is overloaded or failed.
    pub fn is_transient(&self) -> bool {
        match self.0.kind {
            ErrorKind::RateLimited => true,
            ErrorKind::Server => self.status().is_some_and(|status| status == 408 || status >= 500),
            ErrorKind::Transport => self
                .0
                .http
                .as_ref()
                .and_then(encord_http::Error::fault)
                .is_some_and(|fault| fault.kind().budget().is_some()),
            _ => false,
        }
    }

    /// Returns the nearest names for [`NoSuchName`](ErrorKind::NoSuchName), and the ids of all matches for
    /// [`AmbiguousName`](ErrorKind::AmbiguousName).
    pub fn candidates(&self) -> &[String] {
        &self.0.candidates
    }
}

impl Effect {
    const fn text(self) -> &'static str {
        match self {
            Self::NeverSent => "nothing was sent",
            Self::Refused => "the server did not act on it",
            Self::Unknown => "the server can have acted on it",
        }
    }
}

impl ErrorKind {
    const fn text(self) -> &'static str {
        match self {
            Self::Authentication => "not authenticated",
            Self::SshKeyNotFound => "the platform does not know this key",
            Self::DuplicateSshKey => "the platform knows this key more than once",
            Self::Authorisation => "not allowed, or not there",
            Self::NotFound => "not found",
            Self::AlreadyExists => "it exists already",
            Self::InvalidArguments => "the platform does not take the arguments",
            Self::InvalidDateFormat => "the platform does not take the date",
            Self::PayloadTooLarge => "the request is too large",
            Self::RateLimited => "too many requests",
            Self::MethodNotAllowed => "the platform does not know this call",
            Self::OperationNotAllowed => "not allowed with this key",
            Self::FileTypeNotSupported => "the platform does not take files of this kind",
            Self::FileSizeNotSupported => "the platform does not take files of this size",
            Self::UploadNotSupported => "the platform takes no uploads there",
            Self::WrongProjectType => "not possible with this kind of project",
            Self::Server => "the platform failed",
            Self::Transport => "no whole answer from the platform",
            Self::Answer => "the answer of the platform cannot be understood",
            Self::Record => "a record cannot be read",
            Self::NoSuchName => "nothing has this name",
            Self::AmbiguousName => "more than one has this name",
            Self::Input => "wrong input",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, words, hints, effect, retry_after: _, call, candidates: _, http } = &*self.0;
        f.write_str(kind.text())?;
        if let Some(words) = words {
            write!(f, ": {words}")?;
        }
        for hint in hints {
            write!(f, "; {hint}")?;
        }
        let Some(call) = call else { return Ok(()) };
        match (http, call.status) {
            (Some(http), _) => write!(f, " [{http}; ")?,
            (None, Some(status)) => write!(f, " [{} {} answered {status}; ", call.method, call.place)?,
            (None, None) => write!(f, " [{} {}; ", call.method, call.place)?,
        }
        if call.method != Method::GET {
            write!(f, "{}; ", effect.text())?;
        }
        write!(f, "trace id {}]", call.trace_id)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl std::error::Error for Error {
    /// Returns the cause of the last attempt's error.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(self.0.http.as_ref()?)
    }
}
