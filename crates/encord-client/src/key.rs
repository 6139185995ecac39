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

/// The environment variable that names the file of the private key. It wins over [`KEY_VARIABLE`].
pub const KEY_FILE_VARIABLE: &str = "ENCORD_SSH_KEY_FILE";

/// The environment variable that holds the text of the private key.
pub const KEY_VARIABLE: &str = "ENCORD_SSH_KEY";

/// The environment variable that holds the password of the private key. This one is ours; the SDK takes an argument.
pub const KEY_PASSWORD_VARIABLE: &str = "ENCORD_SSH_KEY_PASSWORD";

/// A file of more bytes is no key.
const MAX_KEY_FILE_BYTES: u64 = 64 * 1024;

/// An Ed25519 private key in OpenSSH form, as `ssh-keygen -t ed25519` writes it.
///
/// The platform knows a person or a service account by its public key. The key is held once, whatever is cloned, and wiped from
/// memory with the last clone. `Debug` shows the public half only.
///
/// Taken is what the Python SDK takes: CRLF, blanks in front, spaces in place of line breaks and text behind the key are no
/// errors. Keys that are encrypted with a password need the feature `encrypted-keys`.
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

/// Where [`SshPrivateKey::from_env`] takes the key from.
#[derive(Debug, PartialEq, Eq)]
enum Source {
    File(PathBuf),
    Text,
}

impl SshPrivateKey {
    /// The key that the environment names: the file of `ENCORD_SSH_KEY_FILE` (a leading `~` is the home folder), otherwise the
    /// text of `ENCORD_SSH_KEY`. A password is taken from `ENCORD_SSH_KEY_PASSWORD`.
    ///
    /// # Errors
    ///
    /// When neither variable is set, and when what they name is no key.
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

    /// The key in this file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or is no key. The error names the file and shows nothing of what is in it.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        let path = path.as_ref();
        Self::read(path, None).map_err(|error| error.at_place(path.display().to_string()))
    }

    /// The key in this text.
    ///
    /// # Errors
    ///
    /// When the text is no key. The error shows nothing of the text.
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        Self::parse(text.as_bytes(), None)
    }

    /// The key in this file, which is encrypted with this password.
    ///
    /// # Errors
    ///
    /// As [`from_file`](Self::from_file), and when the password is wrong or the key is not encrypted.
    #[cfg(feature = "encrypted-keys")]
    pub fn from_encrypted_file(path: impl AsRef<Path>, password: &str) -> Result<Self, KeyError> {
        let path = path.as_ref();
        Self::read(path, Some(password)).map_err(|error| error.at_place(path.display().to_string()))
    }

    /// The key in this text, which is encrypted with this password.
    ///
    /// # Errors
    ///
    /// As [`from_text`](Self::from_text), and when the password is wrong or the key is not encrypted.
    #[cfg(feature = "encrypted-keys")]
    pub fn from_encrypted_text(text: &str, password: &str) -> Result<Self, KeyError> {
        Self::parse(text.as_bytes(), Some(password))
    }

    /// Who signs: the public key in lower-case hexadecimal digits, as it is sent.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The Ed25519 signature of these bytes.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.secret.sign(message).to_bytes()
    }

    fn read(path: &Path, password: Option<&str>) -> Result<Self, KeyError> {
        // Room for all of it: a buffer that grew would leave pieces of the key behind.
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
            // Writing to a string does not fail.
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

/// The SDK's order: a variable for the file that is not empty wins, whatever the other one holds.
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

/// What is not Unicode is no key either.
fn text(value: OsString) -> Option<Zeroizing<String>> {
    value.into_string().ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests;

/// The key of the recorded vectors: its secret is the bytes 0 to 31.
#[cfg(test)]
pub(crate) fn test_key() -> SshPrivateKey {
    SshPrivateKey::from_text(include_str!("key/test_key.txt")).unwrap()
}
