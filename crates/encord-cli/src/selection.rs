//! Which items of a manifest a run takes.

use encord_upload::{Shard, UploadItem};

use crate::retry_from::RetryFrom;

/// The items of one shard, or all, that an earlier report does not have as uploaded.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    pub(crate) shard: Option<Shard>,
    pub(crate) retry_from: Option<RetryFrom>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Taken,
    /// The earlier report has it as uploaded.
    Uploaded,
    /// Another run takes it.
    OtherShard,
}

impl Selection {
    pub(crate) fn of(&self, item: &UploadItem) -> Choice {
        if self.shard.is_some_and(|shard| !shard.contains(&item.path)) {
            Choice::OtherShard
        } else if self.retry_from.as_ref().is_some_and(|retry_from| !retry_from.takes(item)) {
            Choice::Uploaded
        } else {
            Choice::Taken
        }
    }
}
