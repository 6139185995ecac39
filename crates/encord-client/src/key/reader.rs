//! A reader for the encoding of SSH.

use super::error::{KeyError, KeyErrorKind};

/// Reads numbers and strings in the encoding of SSH.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn number(&mut self) -> Result<u32, KeyError> {
        let (bytes, rest) = self.0.split_first_chunk::<4>().ok_or_else(cut_off)?;
        self.0 = rest;
        Ok(u32::from_be_bytes(*bytes))
    }

    pub(super) fn string(&mut self) -> Result<&'a [u8], KeyError> {
        let length = usize::try_from(self.number()?).map_err(|_| cut_off())?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or_else(cut_off)?;
        self.0 = rest;
        Ok(bytes)
    }

    pub(super) fn end(&self) -> Result<(), KeyError> {
        if self.0.is_empty() { Ok(()) } else { Err(damaged("there are bytes too many")) }
    }
}

fn cut_off() -> KeyError {
    damaged("it ends too early")
}

pub(super) fn check_blocks(secret: &[u8], block: usize) -> Result<(), KeyError> {
    if secret.is_empty() || !secret.len().is_multiple_of(block) {
        return Err(damaged("its length is no multiple of the cipher's block"));
    }
    Ok(())
}

pub(super) fn damaged(detail: &str) -> KeyError {
    KeyError::new(KeyErrorKind::Damaged).with_detail(detail)
}
