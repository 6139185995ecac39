//! How a run is meant, and why it cannot be.

use std::fmt;
use std::time::Duration;

use encord_upload::CloudUploadSettings;
use thiserror::Error;

use crate::existing::Existing;
use crate::ledger::LedgerError;

/// How long the result of a job without an answer is looked for, unless said otherwise.
pub const DEFAULT_SETTLE: Duration = Duration::from_secs(60);

/// How a run is meant.
#[derive(Debug, Clone)]
pub struct IngestOptions {
    /// Laid over the settings of the client for the uploads. `allow_failures` covers files and units.
    pub settings: CloudUploadSettings,
    /// The most files under way at once; without, as many as help.
    pub concurrency: Option<usize>,
    /// What is done with items that stand in the folder and that the ledger does not know.
    pub existing: Existing,
    /// Whether what is unresolved is posted again.
    pub repost_unresolved: bool,
    /// How long the result of a job without an answer is looked for.
    pub settle: Duration,
    /// Whether other runs put files of this list into the folder meanwhile, as the other shards do.
    pub is_shard: bool,
}

/// Why a run did not begin, or could not go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IngestError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A call failed for good.
    #[error(transparent)]
    Client(#[from] encord_client::Error),
    /// Items stand in the folder under the titles of files and with their sizes, and the ledger does not know them.
    #[error("{0}")]
    Exists(Exists),
}

/// Items that stand in the folder under the titles of files.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exists {
    /// How many.
    pub count: usize,
    /// The first titles.
    pub examples: Vec<String>,
}

impl Default for IngestOptions {
    fn default() -> Self {
        Self {
            settings: CloudUploadSettings::default(),
            concurrency: None,
            existing: Existing::default(),
            repost_unresolved: false,
            settle: DEFAULT_SETTLE,
            is_shard: false,
        }
    }
}

impl fmt::Display for Exists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, examples } = self;
        let what = if *count == 1 { "item stands" } else { "items stand" };
        let examples: Vec<_> = examples.iter().map(|title| format!("{title:?}")).collect();
        let more = if *count > examples.len() { ", …" } else { "" };
        write!(
            f,
            "{count} {what} in the folder under the title and with the size of a file that this ledger has not sent: {}{more}",
            examples.join(", ")
        )
    }
}
