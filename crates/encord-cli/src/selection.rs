//! Selects the items of a manifest that a run uploads.

use std::fs::File;
use std::io;

use encord_upload::formats::EarlierReport;
use encord_upload::{Shard, UploadItem};

use crate::args::Stream;
use crate::output::Failure;

/// The items of one shard, or all items, without those that an earlier report lists as uploaded.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    pub(crate) shard: Option<Shard>,
    pub(crate) retry_from: Option<EarlierReport>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Taken,
    /// The earlier report lists the item as uploaded.
    Uploaded,
    /// The item belongs to another shard.
    OtherShard,
}

/// Reads the report of an earlier run.
///
/// # Errors
///
/// The report cannot be read, or a line is malformed.
pub(crate) fn earlier_report(stream: &Stream) -> Result<EarlierReport, Failure> {
    let unreadable = |error: &dyn std::fmt::Display| Failure::usage(format_args!("earlier report {stream}: {error}"));
    let read = match stream {
        Stream::Standard => EarlierReport::read(io::stdin().lock()),
        Stream::File(path) => EarlierReport::read(File::open(path).map_err(|error| unreadable(&error))?),
    };
    read.map_err(|error| unreadable(&error))
}

impl Selection {
    pub(crate) fn of(&self, item: &UploadItem) -> Choice {
        if self.shard.is_some_and(|shard| !shard.contains(&item.path)) {
            Choice::OtherShard
        } else if self.retry_from.as_ref().is_some_and(|retry_from| retry_from.has_done(item)) {
            Choice::Uploaded
        } else {
            Choice::Taken
        }
    }
}
