//! Errors of private keys, with a remedy for each.

use std::fmt;
use std::io;

/// The error when a private key cannot be used. It shows nothing of the key.
#[derive(Debug)]
pub struct KeyError {
    kind: KeyErrorKind,
    place: Option<String>,
    detail: Option<String>,
    source: Option<io::Error>,
}

/// The problem of a private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyErrorKind {
    /// The environment names no key.
    NotSet,
    /// The file cannot be read.
    File,
    /// It is not in OpenSSH form.
    NotOpenSsh,
    /// It is a public key.
    PublicKey,
    /// It is a private key of another kind than Ed25519.
    NotEd25519,
    /// It is encrypted, and no password was given.
    Encrypted,
    /// It is not encrypted, but a password was given.
    NotEncrypted,
    /// The password is wrong, or the key is damaged.
    WrongPassword,
    /// It is encrypted in a way that is not supported.
    Unsupported,
    /// It is damaged or cut off.
    Damaged,
}

impl KeyError {
    pub(super) fn new(kind: KeyErrorKind) -> Self {
        Self { kind, place: None, detail: None, source: None }
    }

    /// Adds a detail. It must not contain a part of the key.
    pub(super) fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    pub(super) fn at_place(self, place: String) -> Self {
        Self { place: Some(place), ..self }
    }

    pub(super) fn because(self, source: io::Error) -> Self {
        Self { source: Some(source), ..self }
    }

    /// Returns the problem, to match on.
    pub fn kind(&self) -> KeyErrorKind {
        self.kind
    }
}

impl KeyErrorKind {
    const fn text(self) -> &'static str {
        match self {
            Self::NotSet => "there is no private key",
            Self::File => "the private key cannot be read",
            Self::NotOpenSsh => "not a private key in OpenSSH form",
            Self::PublicKey => "this is a public key",
            Self::NotEd25519 => "the private key is not of the kind Ed25519",
            Self::Encrypted => "the private key is encrypted",
            Self::NotEncrypted => "a password was given, but the private key is not encrypted",
            Self::WrongPassword => "the password of the private key is wrong, or the key is damaged",
            Self::Unsupported => "the private key is encrypted in a way that is not supported",
            Self::Damaged => "the private key is damaged",
        }
    }

    /// Returns what the user can do.
    const fn remedy(self) -> &'static str {
        match self {
            Self::NotSet => "set ENCORD_SSH_KEY_FILE to the path of the key, or ENCORD_SSH_KEY to its text",
            Self::File => "check the path and who may read the file",
            Self::NotOpenSsh => {
                "the text begins with `-----BEGIN OPENSSH PRIVATE KEY-----`; `ssh-keygen -p -f FILE` writes a key in this form"
            }
            Self::PublicKey => "name the file without `.pub`",
            Self::NotEd25519 => {
                "make a key with `ssh-keygen -t ed25519`, and add the new public key (the file that ends with `.pub`) to your \
                 Encord account"
            }
            Self::Encrypted if cfg!(feature = "encrypted-keys") => "set ENCORD_SSH_KEY_PASSWORD, or give the password",
            Self::Encrypted => "this program is built without the feature `encrypted-keys`",
            Self::NotEncrypted => "leave the password out",
            Self::WrongPassword => "check the password: `ssh-keygen -y -f FILE` asks for it too",
            Self::Unsupported => "`ssh-keygen -p -f FILE` encrypts it anew, with aes256-ctr",
            Self::Damaged => "copy the whole file again, with its line breaks",
        }
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, place, detail, source } = self;
        if let Some(place) = place {
            write!(f, "{}: ", place.escape_debug())?;
        }
        f.write_str(kind.text())?;
        if let Some(detail) = detail {
            write!(f, ": {detail}")?;
        }
        if let Some(source) = source {
            write!(f, ": {source}")?;
        }
        write!(f, "; {}", kind.remedy())
    }
}

impl std::error::Error for KeyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
