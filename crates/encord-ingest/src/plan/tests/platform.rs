//! A model of the platform, in memory, with a switch for each thing that nobody knows of the real one.

use std::collections::BTreeMap;
use std::time::Duration;

use uuid::Uuid;

use super::run::{UNITS, UnitOf};
use crate::plan::{ItemFacts, JobOutcome, UnitError, name_hash};

/// What a second job with the same placeholder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Second {
    Duplicate,
    NoOp,
    Error,
}

/// What goes wrong with the first job that is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    None,
    LostBeforeItsEffect,
    LostAfterItsEffect,
    Busy,
    /// No job may have more than two units.
    Limit,
    /// The answer comes, and later the platform has forgotten the job.
    Forgotten,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch")]
pub(crate) struct Switches {
    pub(crate) second: Second,
    /// Whether an item takes the id of its placeholder.
    pub(crate) keeps_id: bool,
    pub(crate) shows_placeholders: bool,
    pub(crate) bulk_refuses_unknown: bool,
    pub(crate) shows_objects: bool,
    pub(crate) trouble: Trouble,
    /// When the items of a job are there.
    pub(crate) takes: Duration,
}

#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) id: Uuid,
    /// The place of its unit in [`UNITS`].
    pub(crate) unit: usize,
    object: String,
    since: Duration,
}

#[derive(Debug)]
pub(crate) struct Platform {
    pub(crate) switches: Switches,
    pub(crate) items: Vec<Item>,
    pub(crate) rows: Vec<Uuid>,
    signed: BTreeMap<Uuid, String>,
    stored: Vec<String>,
    jobs: BTreeMap<Uuid, JobOutcome>,
    ends: BTreeMap<Uuid, Duration>,
    next: u128,
    posts: u32,
    pub(crate) now: Duration,
}

/// What became of a post.
pub(crate) enum Answer {
    Id(Uuid),
    Lost,
    Busy,
    TooMuch,
}

impl Platform {
    pub(crate) fn new(switches: Switches) -> Self {
        Self {
            switches,
            items: Vec::new(),
            rows: Vec::new(),
            signed: BTreeMap::new(),
            stored: Vec::new(),
            jobs: BTreeMap::new(),
            ends: BTreeMap::new(),
            next: 0,
            posts: 0,
            now: Duration::ZERO,
        }
    }

    fn id(&mut self) -> Uuid {
        self.next += 1;
        Uuid::from_u128(self.next)
    }

    pub(crate) fn sign(&mut self) -> (Uuid, String) {
        let id = self.id();
        let object = format!("bucket/{id}");
        self.signed.insert(id, object.clone());
        (id, object)
    }

    pub(crate) fn put(&mut self, object: &str) {
        assert!(self.signed.values().any(|known| known == object), "{object} was never signed");
        self.stored.push(object.to_owned());
    }

    /// A job with these units: the place of each in [`UNITS`], and its placeholders and objects.
    pub(crate) fn post(&mut self, units: &[(usize, Vec<(Uuid, String)>)]) -> Answer {
        self.posts += 1;
        let first = self.posts == 1;
        match self.switches.trouble {
            Trouble::LostBeforeItsEffect if first => return Answer::Lost,
            Trouble::Busy if first => return Answer::Busy,
            Trouble::Limit if units.len() > 2 => return Answer::TooMuch,
            _ => {}
        }
        let job = self.id();
        let since = self.now + self.switches.takes;
        let mut outcome = JobOutcome { reason: "the job ended".to_owned(), ..JobOutcome::default() };
        for (unit, targets) in units {
            let UnitOf { name, is_bad, is_group, .. } = UNITS[*unit];
            for (id, object) in targets {
                assert_eq!(self.signed.get(id), Some(object));
                assert!(self.stored.contains(object), "{name} is registered and was not sent");
            }
            let objects: Vec<String> = targets.iter().map(|(_, object)| object.clone()).collect();
            let before = self.items.iter().find(|item| objects.contains(&item.object)).map(|item| item.id);
            let error = |error: &str| UnitError { objects: objects.clone(), error: error.to_owned() };
            match (is_bad, before, self.switches.second) {
                (true, ..) => outcome.errors.push(error(name)),
                (false, Some(_), Second::Error) => outcome.errors.push(error("the placeholder is filled")),
                (false, Some(id), Second::NoOp) => outcome.items.push((id, name_hash(name))),
                _ => {
                    let keeps = self.switches.keeps_id && !is_group && before.is_none();
                    let id = if keeps { targets[0].0 } else { self.id() };
                    outcome.items.push((id, name_hash(name)));
                    self.items.push(Item { id, unit: *unit, object: objects[0].clone(), since });
                }
            }
        }
        // In no order that anybody promised.
        outcome.items.reverse();
        outcome.errors.reverse();
        self.jobs.insert(job, outcome);
        self.ends.insert(job, since);
        match self.switches.trouble {
            Trouble::LostAfterItsEffect if first => Answer::Lost,
            _ => Answer::Id(job),
        }
    }

    /// The end of a job, for which the model waits; `None` if it has been forgotten.
    pub(crate) fn poll(&mut self, job: Uuid) -> Option<JobOutcome> {
        if self.switches.trouble == Trouble::Forgotten {
            return None;
        }
        self.now = self.now.max(self.ends[&job]);
        self.jobs.get(&job).cloned()
    }

    fn facts(&self, item: &Item) -> ItemFacts {
        let UnitOf { name, size, is_group, .. } = UNITS[item.unit];
        ItemFacts {
            item: item.id,
            name: name_hash(name),
            object: (self.switches.shows_objects && !is_group).then(|| item.object.clone()),
            size: (!is_group).then_some(size),
            is_group,
            is_registered: true,
        }
    }

    pub(crate) fn list(&self) -> Vec<ItemFacts> {
        let items: Vec<_> = self.items.iter().filter(|item| item.since <= self.now).collect();
        let mut list: Vec<ItemFacts> = items.iter().map(|item| self.facts(item)).collect();
        if self.switches.shows_placeholders {
            let placeholders = self.signed.keys().filter(|id| items.iter().all(|item| item.id != **id));
            list.extend(placeholders.map(|id| ItemFacts {
                item: *id,
                name: name_hash(""),
                object: None,
                size: None,
                is_group: false,
                is_registered: false,
            }));
        }
        list
    }

    /// `None` is a refusal.
    pub(crate) fn get_bulk(&self, ids: &[Uuid]) -> Option<Vec<ItemFacts>> {
        let found: Vec<_> = self.list().into_iter().filter(|item| ids.contains(&item.item)).collect();
        (found.len() == ids.len() || !self.switches.bulk_refuses_unknown).then_some(found)
    }

    pub(crate) fn link(&mut self, items: &[Uuid]) {
        for item in items {
            assert!(self.items.iter().any(|known| known.id == *item), "{item} is linked and is no item");
            if !self.rows.contains(item) {
                self.rows.push(*item);
            }
        }
    }

    /// The items of a unit that anybody can see by now.
    pub(crate) fn items_of(&self, unit: usize) -> usize {
        self.items.iter().filter(|item| item.unit == unit).count()
    }
}
