//! The private key that requests are signed with.

mod container;
#[cfg(feature = "encrypted-keys")]
mod decrypt;
mod error;
mod reader;

use std::ffi::OsString;
use std::fmt;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ed25519_dalek::{Signer as _, SigningKey};
use zeroize::Zeroizing;

pub use self::error::{KeyError, KeyErrorKind};

/// The environment variable with the path of the private key. It takes precedence over [`KEY_VARIABLE`].
pub const KEY_FILE_VARIABLE: &str = "ENCORD_SSH_KEY_FILE";

/// The environment variable with the text of the private key.
pub const KEY_VARIABLE: &str = "ENCORD_SSH_KEY";

/// The environment variable with the password of the private key. The SDK does not have it; there, the password is an argument.
pub const KEY_PASSWORD_VARIABLE: &str = "ENCORD_SSH_KEY_PASSWORD";

/// A larger file is not a key.
const MAX_KEY_FILE_BYTES: u64 = 64 * 1024;

/// An Ed25519 private key in OpenSSH form, as `ssh-keygen -t ed25519` writes it.
///
/// The platform knows a person or a service account by its public key. Clones share one copy of the key, which is wiped from memory
/// when the last clone is dropped. `Debug` shows only the public key.
///
/// The parser accepts what the Python SDK accepts: CRLF, blanks before the key, spaces in place of line breaks, and text after the
/// key. Keys that are encrypted with a password need the feature `encrypted-keys`.
///
/// ```
/// use encord_client::{KeyErrorKind, SshPrivateKey};
///
/// let error = SshPrivateKey::from_text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA me@example.com").unwrap_err();
/// assert_eq!(error.kind(), KeyErrorKind::PublicKey);
/// ```
#[derive(Clone)]
pub struct SshPrivateKey {
    secret: Arc<SigningKey>,
    key_id: Arc<str>,
}

/// The source of the key for [`SshPrivateKey::from_env`].
#[derive(Debug, PartialEq, Eq)]
enum Source {
    File(PathBuf),
    Text,
}

impl SshPrivateKey {
    /// Reads the key that the environment names: the file of `ENCORD_SSH_KEY_FILE` (a leading `~` is the home folder), otherwise the
    /// text of `ENCORD_SSH_KEY`. The password is that of `ENCORD_SSH_KEY_PASSWORD`, if it is set.
    ///
    /// # Errors
    ///
    /// If neither variable is set, or if the file or the text is not a key.
    pub fn from_env() -> Result<Self, KeyError> {
        let variable = |name| std::env::var_os(name);
        let password = variable(KEY_PASSWORD_VARIABLE).and_then(text).filter(|password| !password.is_empty());
        let password = password.as_ref().map(|password| password.as_str());
        match source(variable(KEY_FILE_VARIABLE), variable(KEY_VARIABLE).as_ref(), home())? {
            Source::File(path) => Self::read(&path, password)
                .map_err(|error| error.at_place(format!("{} (named by {KEY_FILE_VARIABLE})", path.display()))),
            Source::Text => {
                let text = variable(KEY_VARIABLE).and_then(text).unwrap_or_default();
                Self::parse(text.as_bytes(), password).map_err(|error| error.at_place(KEY_VARIABLE.to_owned()))
            }
        }
    }

    /// Reads the key in this file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is not a key. The error names the file and shows nothing of its content.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        let path = path.as_ref();
        Self::read(path, None).map_err(|error| error.at_place(path.display().to_string()))
    }

    /// Reads the key in this text.
    ///
    /// # Errors
    ///
    /// If the text is not a key. The error shows nothing of the text.
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        Self::parse(text.as_bytes(), None)
    }

    /// Reads the key in this file, which is encrypted with this password.
    ///
    /// # Errors
    ///
    /// As [`from_file`](Self::from_file), and if the password is wrong or the key is not encrypted.
    #[cfg(feature = "encrypted-keys")]
    pub fn from_encrypted_file(path: impl AsRef<Path>, password: &str) -> Result<Self, KeyError> {
        let path = path.as_ref();
        Self::read(path, Some(password)).map_err(|error| error.at_place(path.display().to_string()))
    }

    /// Reads the key in this text, which is encrypted with this password.
    ///
    /// # Errors
    ///
    /// As [`from_text`](Self::from_text), and if the password is wrong or the key is not encrypted.
    #[cfg(feature = "encrypted-keys")]
    pub fn from_encrypted_text(text: &str, password: &str) -> Result<Self, KeyError> {
        Self::parse(text.as_bytes(), Some(password))
    }

    /// Returns the public key in lower-case hexadecimal digits, as it is sent.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Signs these bytes with Ed25519.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.secret.sign(message).to_bytes()
    }

    fn read(path: &Path, password: Option<&str>) -> Result<Self, KeyError> {
        // The capacity suffices for the whole file, because a buffer that grows would leave parts of the key in memory.
        let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(MAX_KEY_FILE_BYTES + 1).unwrap_or_default()));
        let read = File::open(path).and_then(|file| file.take(MAX_KEY_FILE_BYTES + 1).read_to_end(&mut bytes));
        let length = read.map_err(|error| KeyError::new(KeyErrorKind::File).because(error))?;
        if length as u64 > MAX_KEY_FILE_BYTES {
            return Err(KeyError::new(KeyErrorKind::NotOpenSsh).with_detail("it is too large for a key"));
        }
        Self::parse(&bytes, password)
    }

    fn parse(text: &[u8], password: Option<&str>) -> Result<Self, KeyError> {
        let seed = container::seed(text, password.filter(|password| !password.is_empty()))?;
        let secret = Arc::new(SigningKey::from_bytes(&seed));
        let key_id = secret.verifying_key().as_bytes().iter().fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a string never fails.
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        Ok(Self { secret, key_id: key_id.into() })
    }
}

impl fmt::Debug for SshPrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SshPrivateKey(public {})", self.key_id)
    }
}

/// Selects the source in the SDK's order: the variable for the file takes precedence, unless it is empty.
fn source(file: Option<OsString>, key: Option<&OsString>, home: Option<PathBuf>) -> Result<Source, KeyError> {
    match (file.filter(|file| !file.is_empty()), key) {
        (Some(file), _) => Ok(Source::File(expand_home(PathBuf::from(file), home))),
        (None, None) => Err(KeyError::new(KeyErrorKind::NotSet)),
        (None, Some(key)) if key.is_empty() => {
            Err(KeyError::new(KeyErrorKind::NotSet).with_detail(format!("{KEY_VARIABLE} is set, but empty")))
        }
        (None, Some(_)) => Ok(Source::Text),
    }
}

fn expand_home(path: PathBuf, home: Option<PathBuf>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path,
    }
}

fn home() -> Option<PathBuf> {
    std::env::home_dir()
}

/// Returns the text of a variable. Text that is not Unicode cannot be a key.
fn text(value: OsString) -> Option<Zeroizing<String>> {
    value.into_string().ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests;

/// The key of the recorded signatures. Its secret is the bytes 0 to 31.
#[cfg(test)]
pub(crate) fn test_key() -> SshPrivateKey {
    SshPrivateKey::from_text(include_str!("key/test_key.txt")).unwrap()
}
