//! What a run is made with, and what is looked at before anything is sent.

use std::collections::HashSet;

use encord_client::EncordUserClient;

use crate::destination::Destination;
use crate::existing::{Clashes, Existing};
use crate::ledger::Ledger;
use crate::metadata::Metadata;
use crate::options::{Exists, IngestError, IngestOptions};
use crate::plan::{Options, Plan};
use crate::replay::{Known, Replay};
use crate::run::Run;
use crate::units::{Titles, UnitList};

/// So many clashes are named.
const MAX_EXAMPLES: usize = 5;

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
        // In a new folder nothing can stand.
        let looks = !destination.is_new && options.existing != Existing::Upload;
        let unknown = numbers.iter().enumerate().filter(|(_, (_, is_known))| looks && !is_known);
        let facts = unknown.filter_map(|(unit, _)| Some((u32::try_from(unit).ok()?, units.plan_facts(unit))));
        let mut clashes = Clashes::new(facts, replay.items().collect::<HashSet<_>>());
        if !clashes.is_empty() {
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
