//! Decrypts keys that have a password: `bcrypt` with one of the three ciphers that the Python SDK accepts.

use aes::Aes256;
use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeDecrypt as _, KeyIvInit as _, StreamCipher as _};
use aes_gcm::aead::AeadInOut as _;
use aes_gcm::{Aes256Gcm, KeyInit as _};
use zeroize::Zeroizing;

use super::error::{KeyError, KeyErrorKind};
use super::reader::{Reader, check_blocks, damaged};

const KEY_BYTES: usize = 32;
const BLOCK_BYTES: usize = 16;
const GCM_NONCE_BYTES: usize = 12;

/// The limit of bcrypt rounds, because a file could ask for years of computing. `ssh-keygen` uses 24 rounds; careful users choose
/// some hundreds.
const MAX_ROUNDS: u32 = 100_000;

/// An encrypted key.
pub(super) struct Sealed<'a> {
    pub(super) cipher: &'a [u8],
    pub(super) kdf: &'a [u8],
    pub(super) kdf_options: &'a [u8],
    pub(super) secret: &'a [u8],
    /// The bytes after the secret: the authentication tag, for a cipher that has one.
    pub(super) rest: &'a [u8],
}

/// Decrypts the secret part.
pub(super) fn decrypted(sealed: &Sealed<'_>, password: Option<&str>) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let Sealed { cipher, kdf, kdf_options, secret, rest } = *sealed;
    let iv_bytes = match cipher {
        b"aes256-ctr" | b"aes256-cbc" => BLOCK_BYTES,
        b"aes256-gcm@openssh.com" => GCM_NONCE_BYTES,
        _ => return Err(KeyError::new(KeyErrorKind::Unsupported)),
    };
    if kdf != b"bcrypt" {
        return Err(KeyError::new(KeyErrorKind::Unsupported));
    }
    if iv_bytes == BLOCK_BYTES && !rest.is_empty() {
        return Err(damaged("there are bytes too many"));
    }
    check_blocks(secret, BLOCK_BYTES)?;
    let password = password.ok_or_else(|| KeyError::new(KeyErrorKind::Encrypted))?;
    let mut options = Reader(kdf_options);
    let (salt, rounds) = (options.string()?, options.number()?);
    options.end()?;
    if rounds > MAX_ROUNDS {
        return Err(KeyError::new(KeyErrorKind::Unsupported)
            .with_detail(format!("{rounds} rounds of bcrypt, more than {MAX_ROUNDS}")));
    }
    let mut derived = Zeroizing::new(vec![0; KEY_BYTES + iv_bytes]);
    bcrypt_pbkdf::bcrypt_pbkdf(password, salt, rounds, &mut derived)
        .map_err(|_| damaged("its salt or rounds are none"))?;
    let (key, iv) = derived.split_at(KEY_BYTES);
    let mut plain = Zeroizing::new(secret.to_vec());
    let wrong = || KeyError::new(KeyErrorKind::WrongPassword);
    match cipher {
        b"aes256-ctr" => {
            let mut cipher = ctr::Ctr128BE::<Aes256>::new_from_slices(key, iv).map_err(|_| wrong())?;
            cipher.apply_keystream(&mut plain);
        }
        b"aes256-cbc" => {
            let cipher = cbc::Decryptor::<Aes256>::new_from_slices(key, iv).map_err(|_| wrong())?;
            cipher.decrypt_padded::<NoPadding>(&mut plain).map_err(|_| wrong())?;
        }
        _ => {
            let tag = rest.try_into().map_err(|_| damaged("its tag has the wrong length"))?;
            let nonce = iv.try_into().map_err(|_| wrong())?;
            let cipher = Aes256Gcm::new_from_slice(key).map_err(|_| wrong())?;
            cipher.decrypt_inout_detached(nonce, &[], plain.as_mut_slice().into(), tag).map_err(|_| wrong())?;
        }
    }
    Ok(plain)
}
