//! Linking items to the dataset. Repeating that changes nothing, so it needs no intent.

use std::collections::VecDeque;
use std::time::Duration;

use crate::plan::command::{Command, Refusal, Stop};
use crate::plan::units::Units;
use crate::record::Stage;

/// One call links at most so many items.
const MAX_ITEMS: usize = 1_000;

/// Items are linked when so many wait, or the first of them has waited for so long.
const ENOUGH_ITEMS: usize = MAX_ITEMS;
const MAX_WAIT: Duration = Duration::from_secs(10);

/// After so many refusals of an item that stood alone, without a call that succeeded in between, it is not the items that are bad.
const MAX_LONE_REFUSALS: u32 = 20;

#[derive(Debug, Default)]
pub(crate) struct Links {
    waiting: VecDeque<u32>,
    since: Duration,
    /// Parts of calls that were refused.
    parts: VecDeque<Vec<u32>>,
    under_way: Option<Vec<u32>>,
    lone_refusals: u32,
    busy_in_a_row: u32,
    not_before: Duration,
    max_retries: u32,
}

impl Links {
    pub(crate) fn new(max_retries: u32) -> Self {
        Self { max_retries, ..Self::default() }
    }

    pub(crate) fn push(&mut self, unit: u32, now: Duration) {
        if self.waiting.is_empty() {
            self.since = now;
        }
        self.waiting.push_back(unit);
    }

    pub(crate) fn are_over(&self) -> bool {
        self.waiting.is_empty() && self.parts.is_empty() && self.under_way.is_none()
    }

    /// When something is to be linked that is not linked yet.
    pub(crate) fn due(&self) -> Option<Duration> {
        let due = match (&self.under_way, self.parts.is_empty(), self.waiting.is_empty()) {
            (Some(_), ..) | (None, true, true) => return None,
            (None, false, _) => Duration::ZERO,
            (None, true, false) => self.since + MAX_WAIT,
        };
        Some(due.max(self.not_before))
    }

    /// `pressing`: nothing will come along.
    pub(crate) fn advance(&mut self, units: &mut Units, now: Duration, pressing: bool) {
        if self.under_way.is_some() || now < self.not_before {
            return;
        }
        let enough = self.waiting.len() >= ENOUGH_ITEMS;
        let waited = now >= self.since + MAX_WAIT;
        let of: Vec<u32> = match self.parts.pop_front() {
            Some(part) => part,
            None if enough || waited || pressing => {
                self.since = now;
                self.waiting.drain(..self.waiting.len().min(MAX_ITEMS)).collect()
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
        (self.lone_refusals, self.busy_in_a_row) = (0, 0);
        units.linked(of);
    }

    pub(crate) fn not_linked(&mut self, units: &mut Units, now: Duration, refusal: Refusal, error: String) {
        let Some(mut of) = self.under_way.take() else { return };
        match refusal {
            Refusal::Content if of.len() > 1 => {
                let second = of.split_off(of.len().div_ceil(2));
                self.parts.push_front(second);
                self.parts.push_front(of);
            }
            Refusal::Content if self.lone_refusals < MAX_LONE_REFUSALS => {
                self.lone_refusals += 1;
                for unit in of {
                    units.failed(unit, Stage::Link, error.clone());
                }
            }
            Refusal::Busy(after) if self.busy_in_a_row < self.max_retries => {
                self.busy_in_a_row += 1;
                self.not_before = now + after;
                self.parts.push_front(of);
            }
            Refusal::Content | Refusal::Busy(_) | Refusal::Everything => {
                self.parts.push_front(of);
                units.stop.get_or_insert(Stop::Platform(error));
            }
        }
    }
}
