//! Keys for development, written in the form that the SDK reads.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{Ed25519KeyPair, KeyPair};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::signature::hex;

/// The offset of the private key in a decoded key file, in bytes.
const SEED_OFFSET: usize = 161;

/// The number of base64 characters in a line of a key file.
const LINE_CHARS: usize = 70;

/// A private key that is accepted by the emulator and by nothing else. `Debug` hides it.
#[derive(Clone)]
pub struct DevelopmentKey {
    seed: [u8; 32],
    public: [u8; 32],
}

impl DevelopmentKey {
    /// Generates a new key.
    pub fn generate() -> Self {
        // Each UUID has 122 random bits from the operating system.
        let bytes = Sha256::new().chain_update(Uuid::new_v4()).chain_update(Uuid::new_v4()).finalize();
        Self::from_seed(bytes.into())
    }

    /// Makes the key of this seed, for tests that compare recorded signatures.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        // This does not fail: a seed has 32 bytes, and a public key too.
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).ok();
        let public = pair.and_then(|pair| pair.public_key().as_ref().try_into().ok()).unwrap_or_default();
        Self { seed, public }
    }

    /// Reads the text that [`DevelopmentKey::to_openssh`] writes, and no other form.
    pub fn from_openssh(text: &str) -> Option<Self> {
        let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
        let file = STANDARD.decode(body).ok()?;
        let (_, rest) = file.split_at_checked(SEED_OFFSET)?;
        let key = Self::from_seed(*rest.first_chunk()?);
        (key.to_openssh() == text).then_some(key)
    }

    /// Returns the public key in hexadecimal. Requests name the key by it.
    pub fn id(&self) -> String {
        hex(&self.public)
    }

    pub(crate) fn public(&self) -> [u8; 32] {
        self.public
    }

    /// Returns the private key as a key file of OpenSSH without a password, to set as `ENCORD_SSH_KEY`.
    pub fn to_openssh(&self) -> String {
        let Self { seed, public } = self;
        let mut public_blob = Vec::new();
        string(&mut public_blob, b"ssh-ed25519");
        string(&mut public_blob, public);

        // Two equal check numbers. A reader compares them to detect a wrong password.
        let mut private_blob = vec![0; 8];
        private_blob.extend_from_slice(&public_blob);
        string(&mut private_blob, &[*seed, *public].concat());
        string(&mut private_blob, b"encord-dev-platform");
        let padding = (1..8).take(private_blob.len().next_multiple_of(8) - private_blob.len());
        private_blob.extend(padding);

        let mut file = b"openssh-key-v1\0".to_vec();
        string(&mut file, b"none");
        string(&mut file, b"none");
        string(&mut file, b"");
        file.extend_from_slice(&1_u32.to_be_bytes());
        string(&mut file, &public_blob);
        string(&mut file, &private_blob);

        let mut text = "-----BEGIN OPENSSH PRIVATE KEY-----\n".to_owned();
        for (at, letter) in STANDARD.encode(file).chars().enumerate() {
            if at > 0 && at % LINE_CHARS == 0 {
                text.push('\n');
            }
            text.push(letter);
        }
        text.push_str("\n-----END OPENSSH PRIVATE KEY-----\n");
        text
    }
}

/// Appends the length in four bytes, then the bytes.
fn string(file: &mut Vec<u8>, bytes: &[u8]) {
    file.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or_default().to_be_bytes());
    file.extend_from_slice(bytes);
}

impl fmt::Debug for DevelopmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevelopmentKey").field("id", &self.id()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> DevelopmentKey {
        DevelopmentKey::from_seed(std::array::from_fn(|at| u8::try_from(at).unwrap()))
    }

    #[test]
    fn a_key_has_the_documented_id() {
        assert_eq!(key().id(), "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8");
        assert_ne!(DevelopmentKey::generate().id(), DevelopmentKey::generate().id());
    }

    /// `tests/it/dev_platform.rs` shows that OpenSSH and the SDK read the key.
    #[test]
    fn a_key_file_has_the_public_key_as_ssh_writes_it() {
        let text = key().to_openssh();
        let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
        let file = STANDARD.decode(body).unwrap();
        let public = STANDARD.decode("AAAAC3NzaC1lZDI1NTE5AAAAIAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4").unwrap();
        assert!(file.windows(public.len()).any(|window| window == public));
        assert!(text.lines().all(|line| line.len() <= LINE_CHARS));
    }

    #[test]
    fn a_key_file_is_read_as_it_is_written() {
        let text = key().to_openssh();
        assert_eq!(DevelopmentKey::from_openssh(&text).unwrap().id(), key().id());
        for other in ["", "x", &text[..100], &text.replace('A', "B"), &text.replace('\n', "\r\n")] {
            assert!(DevelopmentKey::from_openssh(other).is_none(), "{other}");
        }
    }

    #[test]
    fn debug_shows_the_public_half_only() {
        let shown = format!("{:?}", key());
        assert_eq!(shown, format!("DevelopmentKey {{ id: {:?}, .. }}", key().id()));
    }
}
