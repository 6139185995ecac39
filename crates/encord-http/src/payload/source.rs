//! An opened payload, before it is sent.

use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body::Body;
use http_body_util::combinators::UnsyncBoxBody;

use super::error::{BoxError, PayloadError};
use super::read_ahead::ReadAhead;
use super::readers::Readers;
use crate::digest::{Digests, FileState, Hasher, Sent};

pub(super) type Stream = UnsyncBoxBody<Bytes, BoxError>;

/// A stream that can be read only once. It is taken when its first byte is requested.
pub(super) type Slot = Arc<Mutex<Option<Stream>>>;

/// A payload that is open for one attempt.
pub(crate) struct Opened {
    /// The length, if it is known.
    pub(crate) length: Option<u64>,
    pub(super) file: Option<FileState>,
    pub(super) source: Source,
    /// Hashes streams. Files and bytes are hashed by the readers.
    pub(super) hasher: Option<Hasher>,
}

pub(super) enum Source {
    Memory(Bytes),
    ReadAhead(Box<ReadAhead>),
    Stream(Stream),
    Once(Slot),
}

impl Opened {
    pub(super) async fn bytes(bytes: Bytes, digests: Digests, readers: &Readers) -> Result<Self, PayloadError> {
        let length = Some(bytes.len() as u64);
        let source = match digests {
            Digests::NONE => Source::Memory(bytes),
            digests => Source::ReadAhead(Box::new(ReadAhead::memory(bytes, digests, readers).await?)),
        };
        Ok(Self { length, file: None, source, hasher: None })
    }

    pub(super) async fn file(path: Arc<Path>, digests: Digests, readers: &Readers) -> Result<Self, PayloadError> {
        let (payload, state) = ReadAhead::file(path, digests, readers).await?;
        let (length, file) = (Some(payload.length), Some(state));
        Ok(Self { length, file, source: Source::ReadAhead(Box::new(payload)), hasher: None })
    }

    pub(super) fn stream(stream: Stream, digests: Digests) -> Self {
        let length = stream.size_hint().exact();
        Self { length, file: None, source: Source::Stream(stream), hasher: Hasher::wanted(digests) }
    }

    pub(super) fn once(slot: Slot, length: Option<u64>, digests: Digests) -> Self {
        Self { length, file: None, source: Source::Once(slot), hasher: Hasher::wanted(digests) }
    }

    /// Returns what is known of the payload before it is sent.
    pub(crate) fn announced(&self) -> Sent {
        Sent { length: self.length.unwrap_or(0), file: self.file, ..Sent::default() }
    }
}
