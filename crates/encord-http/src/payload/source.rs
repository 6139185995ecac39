//! An opened payload, before it is sent.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body::Body;
use http_body_util::combinators::UnsyncBoxBody;

use super::error::BoxError;
use super::reading::{Begun, Reading};
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
    Read(Box<Reading>),
    Stream(Stream),
    Once(Slot),
}

impl Opened {
    pub(super) fn memory(bytes: Bytes) -> Self {
        Self { length: Some(bytes.len() as u64), file: None, source: Source::Memory(bytes), hasher: None }
    }

    pub(super) fn read(Begun { length, file, reading }: Begun) -> Self {
        Self { length: Some(length), file, source: Source::Read(Box::new(reading)), hasher: None }
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
