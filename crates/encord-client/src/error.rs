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

/// A call that failed for good.
///
/// `Display` is the whole story: what is wrong, the server's own words, what to do, and the account of all attempts. It shows
/// method, host and path; never a query, a key or a token.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Default)]
pub(crate) struct Inner {
    pub(crate) kind: ErrorKind,
    /// The server's words, or what a name stands for.
    pub(crate) words: Option<String>,
    /// What the user can do.
    pub(crate) hints: Vec<String>,
    pub(crate) effect: Effect,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) call: Option<CallAccount>,
    /// For errors about names.
    pub(crate) candidates: Vec<String>,
    pub(crate) http: Option<encord_http::Error>,
}

/// Which call it was, and how it went.
pub(crate) struct CallAccount {
    pub(crate) method: Method,
    /// Host and path.
    pub(crate) place: String,
    pub(crate) trace_id: String,
    pub(crate) status: Option<u16>,
    pub(crate) attempts: Vec<Attempt>,
}

/// Whether the server can have acted on the call (rule C1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Effect {
    /// Nothing was sent.
    #[default]
    NeverSent,
    /// The server answered that it does not do it.
    Refused,
    /// Nobody knows: there was no answer, or one that does not say. Look before you repeat the call.
    Unknown,
}

/// What is wrong, in a form to match on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The platform does not accept the key or the token.
    Authentication,
    /// The platform does not know the key.
    SshKeyNotFound,
    /// The platform knows the key twice.
    DuplicateSshKey,
    /// It may not be done, or not be seen. An unknown folder is reported like this too.
    Authorisation,
    /// There is no such thing.
    NotFound,
    /// There is one already.
    AlreadyExists,
    /// Something that was sent does not fit.
    InvalidArguments,
    /// A date that was sent is none.
    InvalidDateFormat,
    /// The request is too large.
    PayloadTooLarge,
    /// Too many requests.
    RateLimited,
    /// The platform does not know the route or the method.
    MethodNotAllowed,
    /// It is not allowed with this key.
    OperationNotAllowed,
    /// Files of this kind are not taken.
    FileTypeNotSupported,
    /// Files of this size are not taken.
    FileSizeNotSupported,
    /// Uploads are not taken there.
    UploadNotSupported,
    /// Not with this kind of project.
    WrongProjectType,
    /// The platform failed, or answered with an error that this version does not know.
    #[default]
    Server,
    /// There was no whole answer.
    Transport,
    /// The answer is not what this version understands.
    Answer,
    /// One record of a list cannot be read. The others can.
    Record,
    /// Nothing has this name.
    NoSuchName,
    /// More than one thing has this name.
    AmbiguousName,
    /// What the caller gave cannot be meant. Nothing was sent.
    Input,
}

impl Error {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    pub(crate) fn input(words: impl Into<String>) -> Self {
        Self::new(Inner { kind: ErrorKind::Input, words: Some(words.into()), ..Inner::default() })
    }

    /// An answer that means something else than was asked for.
    pub(crate) fn answer(words: impl Into<String>) -> Self {
        let (kind, effect) = (ErrorKind::Answer, Effect::Unknown);
        Self::new(Inner { kind, effect, words: Some(words.into()), ..Inner::default() })
    }

    /// `v1` answers null for what is not there.
    pub(crate) fn nothing() -> Self {
        let (kind, effect) = (ErrorKind::NotFound, Effect::Refused);
        Self::new(Inner {
            kind,
            effect,
            words: Some("the platform has nothing of this".to_owned()),
            ..Inner::default()
        })
    }

    /// With the account of the client, which says more.
    pub(crate) fn with_http(self, http: encord_http::Error) -> Self {
        match Arc::try_unwrap(self.0) {
            Ok(inner) => Self::new(Inner { http: Some(http), ..inner }),
            Err(shared) => Self(shared),
        }
    }

    /// What is wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the server can have acted.
    pub fn effect(&self) -> Effect {
        self.0.effect
    }

    /// The server's own words, if it said any. Control characters are escaped, and what could be a credential is cut out.
    pub fn message(&self) -> Option<&str> {
        self.0.words.as_deref()
    }

    /// The trace id of the call, for the people who run the platform.
    pub fn trace_id(&self) -> Option<&str> {
        self.0.call.as_ref().map(|call| call.trace_id.as_str())
    }

    /// The status of the last answer, if there was one.
    pub fn status(&self) -> Option<u16> {
        self.0.call.as_ref()?.status
    }

    /// All attempts, in order. Empty if nothing was tried.
    pub fn attempts(&self) -> &[Attempt] {
        self.0.call.as_ref().map_or(&[], |call| &call.attempts)
    }

    /// How long the server asks to be left alone, if it does.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether the same call may succeed later: there was no answer, or the platform is overloaded or failed.
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

    /// For [`NoSuchName`](ErrorKind::NoSuchName) the nearest names, for [`AmbiguousName`](ErrorKind::AmbiguousName) the ids of
    /// all that have it.
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
    /// What is behind the last attempt.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(self.0.http.as_ref()?)
    }
}
