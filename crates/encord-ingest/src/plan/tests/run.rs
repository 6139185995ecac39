//! One run: the driver of the model. It obeys the plan, step by step, and can be killed after each of them.

use std::collections::VecDeque;
use std::time::Duration;

use super::Disk;
use super::platform::{Answer, Platform};
use super::{Killed, Steps};
use crate::kind::Kind;
use crate::plan::{Command, Event, Facts, Options, Plan, Refusal, Stop, name_hash};
use crate::record::{FileFacts, Record};

/// What a unit of the model is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UnitOf {
    pub(crate) name: &'static str,
    pub(crate) size: u64,
    pub(crate) files: u32,
    pub(crate) is_group: bool,
    /// The platform cannot make an item of it.
    pub(crate) is_bad: bool,
    pub(crate) has_placeholder: bool,
}

const ONE: UnitOf = UnitOf { name: "", size: 0, files: 1, is_group: false, is_bad: false, has_placeholder: true };

/// Some share a name, two of them the size too; the last one is known by its object alone.
pub(crate) const UNITS: [UnitOf; 8] = [
    UnitOf { name: "a", size: 1, ..ONE },
    UnitOf { name: "bad", size: 2, is_bad: true, ..ONE },
    UnitOf { name: "same", size: 3, ..ONE },
    UnitOf { name: "same", size: 4, ..ONE },
    UnitOf { name: "same", size: 4, ..ONE },
    UnitOf { name: "worse", size: 4, is_bad: true, ..ONE },
    UnitOf { name: "group", size: 0, files: 2, is_group: true, ..ONE },
    UnitOf { name: "series", size: 5, has_placeholder: false, ..ONE },
];

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    Killed,
    Over,
    Stopped(Stop),
}

pub(crate) const SETTLE: Duration = Duration::from_secs(60);

/// A file is sent in so long: the first job is posted before the last file has been sent.
const PUT_TAKES: Duration = Duration::from_secs(3);

pub(crate) fn options(by_name: bool) -> Options {
    Options {
        link: true,
        allow_failures: true,
        by_name,
        repost_unresolved: false,
        settle: SETTLE,
        max_retries: 3,
        next_job: 0,
    }
}

fn facts(unit: &UnitOf) -> Facts {
    let UnitOf { name, size, files, is_group, has_placeholder, is_bad: _ } = *unit;
    Facts { name: name_hash(name), size, files, is_group, has_placeholder }
}

pub(crate) fn files_of(place: usize) -> Vec<FileFacts> {
    let unit = UNITS[place];
    let file = |file| FileFacts { path: format!("/{place}/{file}"), size: unit.size, mtime_ns: 0 };
    (0..unit.files).map(file).collect()
}

struct Run<'a> {
    disk: &'a mut Disk,
    platform: &'a mut Platform,
    steps: &'a mut Steps,
    plan: Plan,
    /// Of each number its place in [`UNITS`].
    places: Vec<usize>,
    /// Events on their way.
    events: VecDeque<Event>,
    began: Duration,
}

/// Runs until the end, or until it is killed.
pub(crate) fn run(disk: &mut Disk, platform: &mut Platform, options: Options, steps: &mut Steps) -> End {
    let mut replay = disk.replay();
    let mut plan = Plan::new(Options { next_job: replay.next_job(), ..options });
    let mut places = vec![usize::MAX; replay.next_unit() as usize];
    for (place, unit) in UNITS.iter().enumerate() {
        if let Some(number) = replay.find(Kind::Image, &files_of(place)) {
            places[number as usize] = place;
            let known = replay.take(number).expect("known");
            plan.resume(number, facts(unit), known, |job| replay.job(job));
        } else {
            plan.add(u32::try_from(places.len()).expect("few"), facts(unit));
            places.push(place);
        }
    }
    plan.begin();
    let began = platform.now;
    let mut run = Run { disk, platform, steps, plan, places, events: VecDeque::new(), began };
    match run.all() {
        Err(Killed) => End::Killed,
        Ok(()) => run.plan.stop().cloned().map_or(End::Over, End::Stopped),
    }
}

impl Run<'_> {
    fn now(&self) -> Duration {
        self.platform.now.saturating_sub(self.began)
    }

    fn all(&mut self) -> Result<(), Killed> {
        for _ in 0..10_000 {
            self.commands()?;
            if self.plan.is_over() || (self.plan.stop().is_some() && self.events.is_empty()) {
                return Ok(());
            }
            // A file is begun when nothing else waits, or now and then in between.
            if (self.events.is_empty() || self.steps.chance())
                && let Some((unit, file)) = self.plan.next_file()
            {
                self.commands()?;
                self.send(unit, file)?;
            } else if let Some(at) = self.steps.choose(self.events.len()) {
                let event = self.events.remove(at).expect("there");
                self.steps.step()?;
                self.plan.handle(event, self.now());
            } else if let Some(due) = self.plan.due() {
                self.platform.now = self.platform.now.max(self.began + due);
                self.plan.advance(self.now());
            } else {
                panic!("the plan waits for nothing: {:?}", self.plan);
            }
        }
        panic!("the plan comes to no end: {:?}", self.plan);
    }

    fn send(&mut self, unit: u32, file: u32) -> Result<(), Killed> {
        // Now and then the URL has expired, and another one is signed.
        for _ in 0..=u32::from(self.steps.chance()) {
            self.steps.step()?;
            let (item, object) = self.platform.sign();
            self.plan.handle(Event::Signed { unit, file, item, object }, self.now());
            self.commands()?;
        }
        let object = self.plan.files(unit)[file as usize].target.clone().expect("signed").1;
        self.never_sent_before(unit, file);
        self.platform.put(&object);
        self.platform.now += PUT_TAKES;
        self.steps.step()?;
        self.events.push_back(Event::Sent { unit, file, took: PUT_TAKES });
        Ok(())
    }

    /// No file is sent again after its record, unless its unit has failed since.
    fn never_sent_before(&self, of: u32, at: u32) {
        let mut is_sent = false;
        for record in &self.disk.records {
            match record {
                Record::Sent { unit, file } if (*unit, *file) == (of, at) => is_sent = true,
                Record::Failed { unit, .. } if *unit == of => is_sent = false,
                _ => {}
            }
        }
        assert!(!is_sent, "file {at} of unit {of} is sent twice");
    }

    fn commands(&mut self) -> Result<(), Killed> {
        while let Some(command) = self.plan.next_command() {
            self.steps.step()?;
            match command {
                Command::Introduce { unit } => {
                    let place = self.places[unit as usize];
                    let (title, files) = (UNITS[place].name.to_owned(), files_of(place));
                    self.disk.records.push(Record::Unit { unit, kind: Kind::Image, title, files });
                }
                Command::Write { records, sync } => {
                    for record in records {
                        self.disk.records.push(record);
                        self.steps.step()?;
                    }
                    if sync {
                        self.disk.sync();
                    }
                }
                Command::Post { job, units, again: _ } => {
                    let target = |unit: u32| {
                        let targets = self.plan.files(unit).iter().map(|file| file.target.clone().expect("signed"));
                        (self.places[unit as usize], targets.map(|(id, object)| (id, object.into())).collect())
                    };
                    let units: Vec<_> = units.into_iter().map(target).collect();
                    let error = String::new();
                    let event = match self.platform.post(&units) {
                        Answer::Id(id) => Event::Posted { job, id },
                        Answer::Lost => Event::JobLost { job, error },
                        Answer::Busy => Event::NotPosted { job, refusal: Refusal::Busy(Duration::from_secs(2)), error },
                        Answer::TooMuch => Event::NotPosted { job, refusal: Refusal::Content, error },
                    };
                    self.events.push_back(event);
                }
                Command::Poll { job, id } => self.events.push_back(match self.platform.poll(id) {
                    Some(outcome) => Event::JobEnded { job, outcome },
                    None => Event::JobLost { job, error: String::new() },
                }),
                Command::GetItems { items } => {
                    self.events.push_back(self.platform.get_bulk(&items).map_or(Event::ItemsRefused, Event::Items));
                }
                Command::ListItems => {
                    // An empty page comes, too.
                    let list = self.platform.list();
                    let pages = list.chunks(2).map(<[_]>::to_vec).chain([Vec::new()]);
                    for page in pages {
                        self.plan.handle(Event::Listed(page), self.now());
                    }
                    self.events.push_back(Event::ListEnded);
                }
                Command::Link { items } => {
                    self.platform.link(&items);
                    self.events.push_back(Event::Linked);
                }
                Command::Failed { .. } | Command::Unresolved { .. } => {}
            }
        }
        Ok(())
    }
}
