//! What a run is made with, and what is looked at before anything is sent.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use encord_client::EncordUserClient;
use encord_upload::CloudUploadSettings;
use thiserror::Error;

use crate::destination::Destination;
use crate::existing::{Clashes, Existing};
use crate::ledger::{Ledger, LedgerError};
use crate::metadata::Metadata;
use crate::plan::{Options, Plan};
use crate::replay::{Known, Replay};
use crate::run::Run;
use crate::units::{Titles, UnitList};

/// How long the result of a job without an answer is looked for, unless said otherwise.
pub const DEFAULT_SETTLE: Duration = Duration::from_secs(60);

/// So many clashes are named.
const MAX_EXAMPLES: usize = 5;

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

/// What is to be done.
#[derive(Debug)]
pub struct Ingest {
    /// Who talks to the platform.
    pub client: EncordUserClient,
    /// Where everything goes.
    pub destination: Destination,
    /// The files.
    pub units: UnitList,
    /// What the user knows of them.
    pub metadata: Metadata,
    /// How it is meant.
    pub options: IngestOptions,
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

impl Ingest {
    /// Compares files, ledger and folder. Nothing is sent; calls are made only if there are files that the ledger does not know.
    ///
    /// # Errors
    ///
    /// [`IngestError`].
    pub async fn prepare(self, mut ledger: Ledger, mut replay: Replay) -> Result<Run, IngestError> {
        let Self { client, destination, units, metadata, options } = self;
        let mut next = replay.next_unit();
        let numbers: Vec<(u32, bool)> = (0..units.len())
            .map(|unit| {
                let known = replay.find(units.kind(unit), &units.facts(unit));
                let number = known.unwrap_or(next);
                next += u32::from(known.is_none());
                (number, known.is_some())
            })
            .collect();
        let unknown = numbers.iter().enumerate().filter(|(_, (_, is_known))| !is_known);
        let facts = unknown.filter_map(|(unit, _)| Some((u32::try_from(unit).ok()?, units.plan_facts(unit))));
        let mut clashes = Clashes::new(facts, replay.items().collect::<HashSet<_>>());
        if !destination.is_new && options.existing != Existing::Upload && !clashes.is_empty() {
            clashes.look(&destination.folder).await?;
        }
        if options.existing == Existing::Ask && !clashes.found.is_empty() {
            let count = clashes.found.len();
            let titles = clashes.found.iter().take(MAX_EXAMPLES);
            let examples = titles.map(|(unit, _)| units.title(*unit as usize)).collect();
            return Err(IngestError::Exists(Exists { count, examples }));
        }
        let effective = options.settings.over(destination.folder.http_client().settings());
        let mut plan = Plan::new(Options {
            link: destination.dataset.is_some(),
            allow_failures: effective.allow_failures,
            by_name: options.existing != Existing::Upload && !(options.is_shard && units.titles() == Titles::Name),
            repost_unresolved: options.repost_unresolved,
            settle: options.settle,
            max_retries: effective.requests.max_retries,
            next_job: replay.next_job(),
        });
        let mut done_before = Vec::with_capacity(units.len());
        for (unit, (number, is_known)) in numbers.iter().enumerate() {
            let facts = units.plan_facts(unit);
            let known = if *is_known { replay.take(*number) } else { None };
            done_before.push(match &known {
                Some(Known::Linked(_)) => true,
                Some(Known::Registered(_)) => destination.dataset.is_none(),
                _ => false,
            });
            match known {
                Some(known) => plan.resume(*number, facts, known, |job| replay.job(job)),
                None => plan.add(*number, facts),
            }
        }
        for (unit, item) in &clashes.found {
            plan.adopt(numbers[*unit as usize].0, *item);
            done_before[*unit as usize] = destination.dataset.is_none();
        }
        drop(replay);
        ledger.append(&[crate::run::begins()])?;
        plan.begin();
        let numbers = numbers.into_iter().map(|(number, _)| number).collect();
        Ok(Run::new(client, destination, units, metadata, &options, ledger, plan, numbers, done_before))
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
