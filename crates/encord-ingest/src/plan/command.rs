//! What a plan is told, and what it asks for.

use std::time::Duration;

use uuid::Uuid;

use crate::record::{Record, Stage};

/// What the driver is to do, in this order. A command that is not a call is done before the next one is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Write into the ledger what the number stands for.
    Introduce {
        /// The number.
        unit: u32,
    },
    /// Write these records.
    Write {
        /// The records.
        records: Vec<Record>,
        /// Whether everything written has to be on disk before the next command.
        sync: bool,
    },
    /// Call: post a job that registers these units.
    Post {
        /// Its number in the ledger.
        job: u32,
        /// The units.
        units: Vec<u32>,
        /// Whether an earlier job may have registered them.
        again: bool,
    },
    /// Call: ask until the job has ended.
    Poll {
        /// Its number in the ledger.
        job: u32,
        /// The platform's id.
        id: Uuid,
    },
    /// Call: look these items up.
    GetItems {
        /// The items.
        items: Vec<Uuid>,
    },
    /// Call: list all items of the folder.
    ListItems,
    /// Call: link these items to the dataset.
    Link {
        /// The items.
        items: Vec<Uuid>,
    },
    /// Tell that a unit failed.
    Failed {
        /// The unit.
        unit: u32,
        /// Where.
        stage: Stage,
        /// Why.
        error: String,
    },
    /// Tell that nobody can say what became of a unit.
    Unresolved {
        /// The unit.
        unit: u32,
        /// Why.
        error: String,
    },
}

/// What the driver tells.
#[derive(Debug, Clone)]
pub enum Event {
    /// A file was signed, and waits to be sent until the commands that follow from this are done.
    Signed {
        /// Its unit.
        unit: u32,
        /// Its place in the unit.
        file: u32,
        /// Its placeholder.
        item: Uuid,
        /// The key of its object.
        object: String,
    },
    /// The store has a file.
    Sent {
        /// Its unit.
        unit: u32,
        /// Its place in the unit.
        file: u32,
        /// How long its upload took, with all attempts and waits.
        took: Duration,
    },
    /// A file could not be sent.
    NotSent {
        /// Its unit.
        unit: u32,
        /// Its place in the unit.
        file: u32,
        /// The store could not be had, which says nothing of the file.
        is_outage: bool,
        /// Why.
        error: String,
    },
    /// The platform took a job.
    Posted {
        /// Its number in the ledger.
        job: u32,
        /// The platform's id.
        id: Uuid,
    },
    /// The platform certainly did not take a job.
    NotPosted {
        /// Its number in the ledger.
        job: u32,
        /// What follows from that.
        refusal: Refusal,
        /// Why.
        error: String,
    },
    /// Nobody knows whether the platform took a job, or it does not know its own id of the job any more.
    JobLost {
        /// Its number in the ledger.
        job: u32,
        /// Why.
        error: String,
    },
    /// A job has ended.
    JobEnded {
        /// Its number in the ledger.
        job: u32,
        /// What became of it.
        outcome: JobOutcome,
    },
    /// The answer to [`Command::GetItems`].
    Items(Vec<ItemFacts>),
    /// The platform refuses to look these items up, as some platforms do where one of them is unknown to them.
    ItemsRefused,
    /// A page of the answer to [`Command::ListItems`].
    Listed(Vec<ItemFacts>),
    /// Its last page was that.
    ListEnded,
    /// The items are rows.
    Linked,
    /// The platform refuses to link these items.
    NotLinked {
        /// What follows from that.
        refusal: Refusal,
        /// Why.
        error: String,
    },
    /// A call failed for good in a way that is no unit's fault.
    PlatformFailed {
        /// Why.
        error: String,
    },
    /// Somebody wants the run to end.
    Cancelled,
}

/// What follows from a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is too much at once, or something in it is bad.
    Content,
    /// The platform is overloaded. Ask again after so long.
    Busy(Duration),
    /// Nothing of this kind will be taken.
    Everything,
}

/// What became of a job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobOutcome {
    /// The items that it made: id, and the hash of the name.
    pub items: Vec<(Uuid, u64)>,
    /// What it could not register.
    pub errors: Vec<UnitError>,
    /// How it ended, in words, for the units that are in neither list.
    pub reason: String,
}

/// Why a job could not register a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitError {
    /// The keys of the objects, as the platform repeats them.
    pub objects: Vec<String>,
    /// The platform's words.
    pub error: String,
}

/// What a listing says of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemFacts {
    /// Its id.
    pub item: Uuid,
    /// The hash of its name.
    pub name: u64,
    /// The key of its object.
    pub object: Option<String>,
    /// Its length.
    pub size: Option<u64>,
    /// Whether it is a group or a series.
    pub is_group: bool,
    /// Whether it has been registered: a placeholder has not.
    pub is_registered: bool,
}

/// Why a run ends before everything is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// A unit failed, and failures are not allowed.
    Failure {
        /// The unit.
        unit: u32,
    },
    /// The platform fails, or its store.
    Platform(String),
    /// Somebody wanted it to.
    Cancelled,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Totals {
    /// Units.
    pub units: u64,
    /// Files.
    pub files: u64,
    /// Files that the store has.
    pub sent: u64,
    /// Units that are items.
    pub registered: u64,
    /// Units whose items are rows.
    pub linked: u64,
    /// Units that failed in this run.
    pub failed: u64,
    /// Units of which nobody can say what became of them.
    pub unresolved: u64,
}
