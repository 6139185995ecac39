//! What a ledger says has been done: its lines, read one after the other, without I/O.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use crate::kind::Kind;
use crate::record::{FileFacts, Record, Stage, unit_key};

/// The first line of a ledger: what it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Always `encord-ingest`.
    pub ledger: String,
    /// The form of the lines.
    pub version: u32,
    /// The platform.
    pub domain: String,
    /// Where the items go.
    pub folder: Uuid,
    /// Where their rows go, if anywhere.
    pub dataset: Option<Uuid>,
}

/// The version of ledgers that this version writes.
pub const VERSION: u32 = 1;

/// The state that the lines so far lead to.
#[derive(Debug, Default)]
pub struct Replay {
    by_key: HashMap<u128, u32>,
    units: Vec<Known>,
    jobs: HashMap<u32, Job>,
    next_job: u32,
}

/// What a ledger knows of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// It has been seen, and some of its files may have been signed and sent.
    Begun(Box<[KnownFile]>),
    /// It was in the job of this number, whose outcome the ledger does not have.
    Posted(Box<[KnownFile]>, u32),
    /// It is an item, but no row yet.
    Registered(Uuid),
    /// It is a row.
    Linked(Uuid),
    /// It failed before it became an item.
    Failed,
    /// Nobody can say whether it became an item.
    Unresolved(Box<[KnownFile]>),
}

/// What a ledger knows of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KnownFile {
    /// Its placeholder and the key of its object, if it was signed.
    pub target: Option<(Uuid, Box<str>)>,
    /// Whether the store has it.
    pub sent: bool,
}

/// What a ledger knows of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownJob {
    /// The platform's id, if its answer came.
    pub id: Option<Uuid>,
    /// Whether an earlier job may have registered its units.
    pub again: bool,
}

#[derive(Debug)]
struct Job {
    id: Option<Uuid>,
    again: bool,
    units: Vec<u32>,
}

/// Why a line cannot stand where it stands. The ledger must not be used: it could double what has been done.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BadLine {
    /// It is no line of a ledger.
    #[error("not a line of a ledger: {0}")]
    Unreadable(serde_json::Error),
    /// It does not follow from the lines before it.
    #[error("it does not follow from the lines before it")]
    OutOfPlace,
}

impl Header {
    /// The header of a new ledger.
    pub fn new(domain: String, folder: Uuid, dataset: Option<Uuid>) -> Self {
        Self { ledger: "encord-ingest".to_owned(), version: VERSION, domain, folder, dataset }
    }
}

impl Replay {
    /// Takes the next line, without its end.
    ///
    /// # Errors
    ///
    /// [`BadLine`].
    pub fn line(&mut self, line: &[u8]) -> Result<(), BadLine> {
        let record = serde_json::from_slice(line).map_err(BadLine::Unreadable)?;
        self.record(record).ok_or(BadLine::OutOfPlace)
    }

    /// The number of the next new unit.
    pub fn next_unit(&self) -> u32 {
        // The numbers are of four bytes; `record` sees to that.
        u32::try_from(self.units.len()).unwrap_or(u32::MAX)
    }

    /// The number of the next job.
    pub fn next_job(&self) -> u32 {
        self.next_job
    }

    /// The number of a unit, if the ledger has it.
    pub fn find(&self, kind: Kind, files: &[FileFacts]) -> Option<u32> {
        self.by_key.get(&unit_key(kind, files)).copied()
    }

    /// What became of a unit.
    pub fn unit(&self, unit: u32) -> Option<&Known> {
        self.units.get(unit as usize)
    }

    /// The same, without a copy: what remains says that the unit has failed.
    pub fn take(&mut self, unit: u32) -> Option<Known> {
        self.units.get_mut(unit as usize).map(|known| std::mem::replace(known, Known::Failed))
    }

    /// A job, by its number.
    pub fn job(&self, job: u32) -> Option<KnownJob> {
        self.jobs.get(&job).map(|Job { id, again, units: _ }| KnownJob { id: *id, again: *again })
    }

    /// The items that the ledger knows of.
    pub fn items(&self) -> impl Iterator<Item = Uuid> {
        self.units.iter().filter_map(|known| match known {
            Known::Registered(item) | Known::Linked(item) => Some(*item),
            _ => None,
        })
    }

    pub(crate) fn record(&mut self, record: Record) -> Option<()> {
        match record {
            Record::Run { .. } => {}
            Record::Unit { unit, kind, title: _, files } => {
                if unit != self.next_unit() || unit == u32::MAX || files.is_empty() {
                    return None;
                }
                self.by_key.insert(unit_key(kind, &files), unit);
                self.units.push(Known::Begun(vec![KnownFile::default(); files.len()].into()));
            }
            Record::Signed { unit, file, item, object, abandoned: _ } => {
                let known = self.units.get_mut(unit as usize)?;
                // After a failure everything begins anew, and the number of files is not kept.
                let mut files = match std::mem::replace(known, Known::Failed) {
                    Known::Begun(files) => files.into_vec(),
                    Known::Failed => Vec::new(),
                    _ => return None,
                };
                let place = file as usize;
                if place >= files.len() {
                    files.resize_with((place < MAX_FILES).then_some(place + 1)?, KnownFile::default);
                }
                files[place] = KnownFile { target: Some((item, object.into())), sent: false };
                *known = Known::Begun(files.into());
            }
            Record::Sent { unit, file } => {
                let Known::Begun(files) = self.units.get_mut(unit as usize)? else { return None };
                let file = files.get_mut(file as usize)?;
                file.target.as_ref()?;
                file.sent = true;
            }
            Record::Post { job, units } => self.post(job, units)?,
            Record::Posted { job, id } => self.posted(job, id)?,
            Record::NotPosted { job, error: _ } => self.not_posted(job)?,
            Record::Registered { unit, item } => {
                let known = self.units.get_mut(unit as usize)?;
                // One that was begun and never posted has taken an item that stood in the folder.
                if !matches!(known, Known::Begun(_) | Known::Posted(..) | Known::Unresolved(_)) {
                    return None;
                }
                *known = Known::Registered(item);
            }
            Record::Linked { units } => {
                for unit in units {
                    let known = self.units.get_mut(unit as usize)?;
                    let Known::Registered(item) = *known else { return None };
                    *known = Known::Linked(item);
                }
            }
            // It stays an item; the next run links it.
            Record::Failed { unit, stage: Stage::Link, error: _ } => {
                matches!(self.unit(unit)?, Known::Registered(_)).then_some(())?;
            }
            Record::Failed { unit, stage: _, error: _ } => {
                let known = self.units.get_mut(unit as usize)?;
                if matches!(known, Known::Registered(_) | Known::Linked(_)) {
                    return None;
                }
                *known = Known::Failed;
            }
            Record::Unresolved { unit, error: _ } => {
                let known = self.units.get_mut(unit as usize)?;
                match std::mem::replace(known, Known::Failed) {
                    Known::Posted(files, _) | Known::Unresolved(files) => *known = Known::Unresolved(files),
                    _ => return None,
                }
            }
        }
        Some(())
    }

    fn post(&mut self, job: u32, units: Vec<u32>) -> Option<()> {
        if job < self.next_job || job == u32::MAX {
            return None;
        }
        let mut again = false;
        for unit in &units {
            let known = self.units.get_mut(*unit as usize)?;
            again |= matches!(known, Known::Unresolved(_));
            match std::mem::replace(known, Known::Failed) {
                Known::Begun(files) | Known::Unresolved(files) if files.iter().all(|file| file.sent) => {
                    *known = Known::Posted(files, job);
                }
                _ => return None,
            }
        }
        self.next_job = job + 1;
        self.jobs.insert(job, Job { id: None, units, again });
        Some(())
    }

    fn posted(&mut self, job: u32, id: Uuid) -> Option<()> {
        self.jobs.get_mut(&job)?.id.replace(id).is_none().then_some(())
    }

    fn not_posted(&mut self, job: u32) -> Option<()> {
        let Job { id, units, again } = self.jobs.remove(&job)?;
        for unit in units {
            let known = self.units.get_mut(unit as usize)?;
            match std::mem::replace(known, Known::Failed) {
                // An earlier job may still have made an item of it.
                Known::Posted(files, of) if of == job && again => *known = Known::Unresolved(files),
                Known::Posted(files, of) if of == job => *known = Known::Begun(files),
                _ => return None,
            }
        }
        id.is_none().then_some(())
    }
}

/// No unit has more files.
const MAX_FILES: usize = 10_000_000;
