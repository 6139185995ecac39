//! The file format of OpenSSH private keys (`PROTOCOL.key` of OpenSSH), for Ed25519 only.
//!
//! It accepts and refuses the same files as the parser of the Python SDK. All copies of the secret are wiped.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::error::{KeyError, KeyErrorKind};
use super::reader::{Reader, check_blocks, damaged};

const BEGIN: &[u8] = b"-----BEGIN OPENSSH PRIVATE KEY-----";
const END: &[u8] = b"-----END OPENSSH PRIVATE KEY-----";
const MAGIC: &[u8] = b"openssh-key-v1\0";
const ED25519: &[u8] = b"ssh-ed25519";
const PLAIN_BLOCK_BYTES: usize = 8;

/// Like the SDK's decoder, it ignores surplus bits at the end.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
        .with_decode_allow_trailing_bits(true),
);

/// Returns the 32 secret bytes of the key in this text.
pub(super) fn seed(text: &[u8], password: Option<&str>) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let bytes = dearmored(text)?;
    let body = bytes.strip_prefix(MAGIC).ok_or_else(|| KeyError::new(KeyErrorKind::NotOpenSsh))?;
    let mut reader = Reader(body);
    let (cipher, kdf, kdf_options) = (reader.string()?, reader.string()?, reader.string()?);
    if reader.number()? != 1 {
        return Err(damaged("it holds more than one key, or none"));
    }
    let mut public = Reader(reader.string()?);
    let kind = public.string()?;
    if kind != ED25519 {
        return Err(KeyError::new(KeyErrorKind::NotEd25519).with_detail(kind_name(kind)));
    }
    let point = public.string()?;
    public.end()?;
    let secret = reader.string()?;
    if cipher == b"none" && kdf == b"none" {
        if password.is_some() {
            return Err(KeyError::new(KeyErrorKind::NotEncrypted));
        }
        reader.end()?;
        check_blocks(secret, PLAIN_BLOCK_BYTES)?;
        return opened(secret, point, KeyErrorKind::Damaged);
    }
    #[cfg(feature = "encrypted-keys")]
    {
        let sealed = super::decrypt::Sealed { cipher, kdf, kdf_options, secret, rest: reader.0 };
        opened(&super::decrypt::decrypted(&sealed, password)?, point, KeyErrorKind::WrongPassword)
    }
    #[cfg(not(feature = "encrypted-keys"))]
    {
        let _ = kdf_options;
        Err(KeyError::new(KeyErrorKind::Encrypted))
    }
}

/// Reads the decrypted part. `mismatch` is the error if the two check numbers differ.
fn opened(secret: &[u8], point: &[u8], mismatch: KeyErrorKind) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let mut reader = Reader(secret);
    if reader.number()? != reader.number()? {
        return Err(KeyError::new(mismatch));
    }
    if reader.string()? != ED25519 {
        return Err(damaged("its two halves are of different kinds"));
    }
    let inner_point = reader.string()?;
    let pair = reader.string()?;
    let Some((seed, pair_point)) = pair.split_first_chunk::<32>() else {
        return Err(damaged("its secret half is too short"));
    };
    if inner_point != point || pair_point != point {
        return Err(damaged("its public halves differ"));
    }
    let _comment = reader.string()?;
    // The padding is 1, 2, 3 …, shorter than two blocks of a cipher.
    if reader.0.len() > 16 || reader.0.iter().zip(1_u8..).any(|(byte, expected)| *byte != expected) {
        return Err(damaged("its padding is wrong"));
    }
    Ok(Zeroizing::new(*seed))
}

/// Decodes the text between the first and the last line.
fn dearmored(text: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let start = find(text, BEGIN).ok_or_else(|| not_openssh(text))? + BEGIN.len();
    let armored = &text[start..];
    let length = find(armored, END).ok_or_else(|| damaged("its last line is missing"))?;
    let armored = &armored[..length];
    let mut digits = Zeroizing::new(Vec::with_capacity(length + 4));
    let mut pads = 0;
    for byte in armored {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => {
                digits.push(*byte);
                pads = 0;
            }
            b'=' if digits.len() % 4 >= 2 => {
                pads += 1;
                if digits.len() % 4 + pads >= 4 {
                    digits.extend(std::iter::repeat_n(b'=', pads));
                    break;
                }
            }
            // Like the SDK's decoder, skips characters outside of the alphabet.
            _ => {}
        }
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(length));
    BASE64.decode_vec(digits.as_slice(), &mut bytes).map_err(|_| {
        if find(armored, b"\\n").is_some() {
            damaged(r"it has the two characters \n in place of line breaks")
        } else {
            damaged("its text is no base64")
        }
    })?;
    Ok(bytes)
}

fn not_openssh(text: &[u8]) -> KeyError {
    let has = |part: &[u8]| find(text, part).is_some();
    if has(b"ssh-ed25519 AAAA") || has(b"ssh-rsa AAAA") || has(b"BEGIN SSH2 PUBLIC KEY") || has(b"BEGIN PUBLIC KEY") {
        return KeyError::new(KeyErrorKind::PublicKey);
    }
    if has(b"BEGIN RSA PRIVATE KEY") || has(b"BEGIN EC PRIVATE KEY") || has(b"BEGIN DSA PRIVATE KEY") {
        return KeyError::new(KeyErrorKind::NotEd25519);
    }
    KeyError::new(KeyErrorKind::NotOpenSsh)
}

/// Returns the name of the kind of key for a message. The name is not secret, but a file can have any bytes there.
fn kind_name(kind: &[u8]) -> String {
    match kind {
        b"ssh-rsa" => "it is an RSA key".to_owned(),
        b"ssh-dss" => "it is a DSA key".to_owned(),
        _ if kind.starts_with(b"ecdsa-") => "it is an ECDSA key".to_owned(),
        _ if kind.starts_with(b"sk-") => "its secret half is in a hardware token".to_owned(),
        _ => "it is of an unknown kind".to_owned(),
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}
