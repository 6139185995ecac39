//! Linking items to the dataset. Repeating that changes nothing, so it needs no intent.

use std::collections::VecDeque;
use std::time::Duration;

use crate::plan::batches::{Batches, Verdict};
use crate::plan::command::{Command, Refusal, Stop};
use crate::plan::units::Units;
use crate::record::Stage;

/// One call links at most so many items. It is made when so many wait,
pub const MAX_LINKS_PER_CALL: usize = 1_000;

/// or the first of them has waited for so long.
const MAX_WAIT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Links {
    waiting: VecDeque<u32>,
    since: Duration,
    batches: Batches,
    under_way: Option<Vec<u32>>,
}

impl Links {
    pub(crate) fn new(max_retries: u32) -> Self {
        let batches = Batches::new(MAX_LINKS_PER_CALL, max_retries);
        Self { waiting: VecDeque::new(), since: Duration::ZERO, batches, under_way: None }
    }

    pub(crate) fn push(&mut self, unit: u32, now: Duration) {
        if self.waiting.is_empty() {
            self.since = now;
        }
        self.waiting.push_back(unit);
    }

    pub(crate) fn are_over(&self) -> bool {
        self.waiting.is_empty() && !self.batches.has_parts() && self.under_way.is_none()
    }

    /// When something is to be linked that is not linked yet.
    pub(crate) fn due(&self) -> Option<Duration> {
        let due = match (&self.under_way, self.batches.has_parts(), self.waiting.is_empty()) {
            (Some(_), ..) | (None, false, true) => return None,
            (None, true, _) => Duration::ZERO,
            (None, false, false) => self.since + MAX_WAIT,
        };
        Some(due.max(self.batches.not_before()))
    }

    /// `pressing`: nothing will come along.
    pub(crate) fn advance(&mut self, units: &mut Units, now: Duration, pressing: bool) {
        if self.under_way.is_some() || now < self.batches.not_before() {
            return;
        }
        let due = self.waiting.len() >= self.batches.limit() || now >= self.since + MAX_WAIT || pressing;
        let of: Vec<u32> = match self.batches.next_part() {
            Some(part) => part,
            None if due => {
                self.since = now;
                self.waiting.drain(..self.waiting.len().min(self.batches.limit())).collect()
            }
            None => return,
        };
        let items: Vec<_> = of.iter().filter_map(|unit| units.item(*unit)).collect();
        if !items.is_empty() {
            units.commands.push_back(Command::Link { items });
            self.under_way = Some(of);
        }
    }

    pub(crate) fn linked(&mut self, units: &mut Units) {
        let Some(of) = self.under_way.take() else { return };
        self.batches.taken(of.len());
        units.linked(of);
    }

    pub(crate) fn not_linked(&mut self, units: &mut Units, now: Duration, refusal: Refusal, error: String) {
        let Some(of) = self.under_way.take() else { return };
        match self.batches.refused(of, refusal, now) {
            Verdict::Again => {}
            Verdict::Bad(unit) => units.failed(unit, Stage::Link, error),
            Verdict::Stop => drop(units.stop.get_or_insert(Stop::Platform(error))),
        }
    }
}
