//! The units of a plan: where each of them is, and what is to be written down when that changes.

use std::collections::{HashMap, HashSet, VecDeque};

use uuid::Uuid;

use crate::plan::command::{Command, Stop, Totals};
use crate::record::{Record, Stage};

/// Where a unit is.
#[derive(Debug, Default)]
enum At {
    /// Not of this run.
    #[default]
    Elsewhere,
    Walked,
    /// From the first signed file until it is known what it became.
    Open(Box<Open>),
    Registered(Uuid),
    Done(Uuid),
    Failed,
    Unresolved,
}

/// What is kept of a unit that is under way.
#[derive(Debug, Default)]
pub(crate) struct Open {
    pub(crate) files: Vec<OpenFile>,
    /// Whether an earlier job may have made an item of it.
    pub(crate) again: bool,
}

/// A file that is under way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenFile {
    /// Its placeholder and the key of its object, once signed.
    pub target: Option<(Uuid, Box<str>)>,
    pub(crate) sent: bool,
}

/// What a plan has to know of a unit, whatever becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// What its item is called, as a hash: see [`name_hash`](crate::plan::name_hash).
    pub name: u64,
    /// The length of its only file; 0 of a unit of several files.
    pub size: u64,
    /// How many files it has.
    pub files: u32,
    /// Whether its item is a group or a series.
    pub is_group: bool,
    /// Whether its item takes the place of the placeholder of its only file.
    pub has_placeholder: bool,
}

#[derive(Debug)]
struct Slot {
    at: At,
    facts: Facts,
    /// Whether the ledger says what its number stands for.
    written: bool,
}

/// Where a unit is, as far as others have to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is all that it is to become.
    Done(Uuid),
    /// It is an item, and no row yet.
    Registered(Uuid),
    /// It is no item that anybody knows of.
    Other,
}

/// All units by their numbers, the totals over them, and the commands that their changes give rise to.
#[derive(Debug, Default)]
pub(crate) struct Units {
    slots: Vec<Slot>,
    pub(crate) commands: VecDeque<Command>,
    pub(crate) stop: Option<Stop>,
    pub(crate) totals: Totals,
    /// Files of the units that are open.
    pub(crate) open_files: usize,
    allow_failures: bool,
    link: bool,
}

const NOBODY: Facts = Facts { name: 0, size: 0, files: 0, is_group: false, has_placeholder: false };

impl Units {
    pub(crate) fn new(allow_failures: bool, link: bool) -> Self {
        Self { allow_failures, link, ..Self::default() }
    }

    /// How many numbers there are.
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }

    fn slot(&mut self, unit: u32) -> Option<&mut Slot> {
        self.slots.get_mut(unit as usize)
    }

    fn enter(&mut self, unit: u32, facts: Facts, written: bool, at: At) {
        let place = unit as usize;
        if place >= self.slots.len() {
            self.slots.resize_with(place + 1, || Slot { at: At::Elsewhere, facts: NOBODY, written: false });
        }
        self.totals.units += 1;
        self.totals.files += u64::from(facts.files);
        if let At::Open(open) = &at {
            self.open_files += facts.files as usize;
            self.totals.sent += open.files.iter().filter(|file| file.sent).count() as u64;
        }
        if matches!(at, At::Registered(_) | At::Done(_)) {
            self.totals.sent += u64::from(facts.files);
        }
        self.totals.registered += u64::from(matches!(at, At::Registered(_) | At::Done(_)));
        self.totals.linked += u64::from(self.link && matches!(at, At::Done(_)));
        self.slots[place] = Slot { at, facts, written };
    }

    /// A unit of which nothing has been done.
    pub(crate) fn enter_walked(&mut self, unit: u32, facts: Facts, written: bool) {
        self.enter(unit, facts, written, At::Walked);
    }

    /// A unit of which something has been sent, or asked for. Missing files have not been.
    pub(crate) fn enter_open(&mut self, unit: u32, facts: Facts, mut files: Vec<OpenFile>, again: bool) {
        files.resize_with(facts.files as usize, OpenFile::default);
        self.enter(unit, facts, true, At::Open(Box::new(Open { files, again })));
    }

    /// A unit that is an item. Whether it still has to be linked is said in return.
    pub(crate) fn enter_registered(&mut self, unit: u32, facts: Facts, item: Uuid, linked: bool) -> bool {
        let to_link = self.link && !linked;
        self.enter(unit, facts, true, if to_link { At::Registered(item) } else { At::Done(item) });
        to_link
    }

    /// Whether nothing has been done of it.
    pub(crate) fn is_walked(&self, unit: u32) -> bool {
        matches!(self.slots.get(unit as usize), Some(Slot { at: At::Walked, .. }))
    }

    pub(crate) fn facts(&self, unit: u32) -> Facts {
        self.slots.get(unit as usize).map_or(NOBODY, |slot| slot.facts)
    }

    pub(crate) fn open(&self, unit: u32) -> Option<&Open> {
        match self.slots.get(unit as usize) {
            Some(Slot { at: At::Open(open), .. }) => Some(open),
            _ => None,
        }
    }

    fn open_mut(&mut self, unit: u32) -> Option<&mut Open> {
        match self.slot(unit) {
            Some(Slot { at: At::Open(open), .. }) => Some(open),
            _ => None,
        }
    }

    /// Whether each of its files has been sent.
    pub(crate) fn is_sent(&self, unit: u32) -> bool {
        self.open(unit).is_some_and(|open| open.files.iter().all(|file| file.sent))
    }

    pub(crate) fn state(&self, unit: u32) -> State {
        match self.slots.get(unit as usize).map(|slot| &slot.at) {
            Some(At::Done(item)) => State::Done(*item),
            Some(At::Registered(item)) => State::Registered(*item),
            _ => State::Other,
        }
    }

    /// The item that it became.
    pub(crate) fn item(&self, unit: u32) -> Option<Uuid> {
        match self.slots.get(unit as usize)?.at {
            At::Registered(item) | At::Done(item) => Some(item),
            _ => None,
        }
    }

    /// All items of this run.
    pub(crate) fn items(&self) -> HashSet<Uuid> {
        (0..self.len()).filter_map(|unit| self.item(unit)).collect()
    }

    /// How many units share a name and a size.
    pub(crate) fn namesakes(&self) -> HashMap<(u64, u64), u32> {
        let mut namesakes = HashMap::new();
        for slot in self.slots.iter().filter(|slot| !matches!(slot.at, At::Elsewhere)) {
            *namesakes.entry((slot.facts.name, slot.facts.size)).or_default() += 1;
        }
        namesakes
    }

    /// Begins a unit.
    pub(crate) fn begin(&mut self, unit: u32) {
        let Some(slot) = self.slot(unit) else { return };
        let files = slot.facts.files as usize;
        slot.at = At::Open(Box::new(Open { files: vec![OpenFile::default(); files], again: false }));
        self.open_files += files;
        self.introduce(unit);
    }

    /// Sees to it that the ledger says what the number stands for.
    fn introduce(&mut self, unit: u32) {
        if let Some(slot) = self.slot(unit)
            && !std::mem::replace(&mut slot.written, true)
        {
            self.commands.push_back(Command::Introduce { unit });
        }
    }

    /// A file was signed. `false` when that is of no use any more.
    pub(crate) fn signed(&mut self, unit: u32, file: u32, item: Uuid, object: String) -> bool {
        let Some(known) = self.open_mut(unit).and_then(|open| open.files.get_mut(file as usize)) else { return false };
        let before = known.target.replace((item, object.clone().into()));
        let abandoned = before.map(|(item, _)| item);
        self.write(Record::Signed { unit, file, item, object, abandoned });
        true
    }

    /// A file was sent. `true` when it was the last one of its unit.
    pub(crate) fn sent(&mut self, unit: u32, file: u32) -> bool {
        let Some(known) = self.open_mut(unit).and_then(|open| open.files.get_mut(file as usize)) else { return false };
        if known.target.is_none() || std::mem::replace(&mut known.sent, true) {
            return false;
        }
        self.totals.sent += 1;
        self.write(Record::Sent { unit, file });
        self.is_sent(unit)
    }

    /// It is an item. `true` if it is to be linked.
    pub(crate) fn registered(&mut self, unit: u32, item: Uuid) -> bool {
        let link = self.link;
        self.close(unit, if link { At::Registered(item) } else { At::Done(item) });
        self.totals.registered += 1;
        self.write(Record::Registered { unit, item });
        link
    }

    pub(crate) fn linked(&mut self, units: Vec<u32>) {
        for unit in &units {
            if let Some(slot) = self.slot(*unit)
                && let At::Registered(item) = slot.at
            {
                slot.at = At::Done(item);
            }
        }
        self.totals.linked += units.len() as u64;
        self.write(Record::Linked { units });
    }

    /// It failed for good in this run.
    pub(crate) fn failed(&mut self, unit: u32, stage: Stage, error: String) {
        self.introduce(unit);
        // What cannot be linked is an item all the same.
        if stage != Stage::Link {
            self.close(unit, At::Failed);
        }
        self.totals.failed += 1;
        self.write(Record::Failed { unit, stage, error: error.clone() });
        self.commands.push_back(Command::Failed { unit, stage, error });
        self.stop_at(unit);
    }

    /// Nobody can say what became of it.
    pub(crate) fn unresolved(&mut self, unit: u32, error: String) {
        let was_before = self.open(unit).is_some_and(|open| open.again);
        self.close(unit, At::Unresolved);
        self.totals.unresolved += 1;
        self.write(Record::Unresolved { unit, error: error.clone() });
        self.commands.push_back(Command::Unresolved { unit, error });
        // It has stopped a run when it was found out.
        if !was_before {
            self.stop_at(unit);
        }
    }

    fn stop_at(&mut self, unit: u32) {
        if !self.allow_failures {
            self.stop.get_or_insert(Stop::Failure { unit });
        }
    }

    fn close(&mut self, unit: u32, at: At) -> Option<Box<Open>> {
        let slot = self.slot(unit)?;
        let files = slot.facts.files as usize;
        match std::mem::replace(&mut slot.at, at) {
            At::Open(open) => {
                self.open_files = self.open_files.saturating_sub(files);
                Some(open)
            }
            _ => None,
        }
    }

    /// Writes a record, in one go with those that are waiting to be written.
    pub(crate) fn write(&mut self, record: Record) {
        match self.commands.back_mut() {
            Some(Command::Write { records, sync: false }) => records.push(record),
            _ => self.commands.push_back(Command::Write { records: vec![record], sync: false }),
        }
    }

    /// Writes a record that has to be on disk before anything else happens.
    pub(crate) fn write_through(&mut self, record: Record) {
        self.commands.push_back(Command::Write { records: vec![record], sync: true });
    }
}
