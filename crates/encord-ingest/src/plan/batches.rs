//! How much is asked of the platform at once, after what it refused before: for jobs and for links alike.

use std::collections::VecDeque;
use std::time::Duration;

use crate::plan::command::Refusal;

/// After so many refusals of a unit that stood alone, with nothing taken in between, it is not the units that are bad.
const MAX_LONE_REFUSALS: u32 = 20;

#[derive(Debug)]
pub(crate) struct Batches {
    /// How many units the platform may take at once.
    limit: usize,
    max: usize,
    /// Parts of what was refused.
    parts: VecDeque<Vec<u32>>,
    lone_refusals: u32,
    busy_in_a_row: u32,
    max_retries: u32,
    /// Nothing is asked for before.
    not_before: Duration,
}

/// What follows from a refusal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The units will be asked for again.
    Again,
    /// This unit is not to be had.
    Bad(u32),
    /// Nothing is to be had.
    Stop,
}

impl Batches {
    pub(crate) fn new(max: usize, max_retries: u32) -> Self {
        Self {
            limit: max,
            max,
            parts: VecDeque::new(),
            lone_refusals: 0,
            busy_in_a_row: 0,
            max_retries,
            not_before: Duration::ZERO,
        }
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    pub(crate) fn has_parts(&self) -> bool {
        !self.parts.is_empty()
    }

    pub(crate) fn next_part(&mut self) -> Option<Vec<u32>> {
        self.parts.pop_front()
    }

    pub(crate) fn not_before(&self) -> Duration {
        self.not_before
    }

    /// So many units were taken at once.
    pub(crate) fn taken(&mut self, units: usize) {
        (self.lone_refusals, self.busy_in_a_row) = (0, 0);
        if units >= self.limit {
            self.limit = (self.limit * 2).min(self.max);
        }
    }

    /// These units were refused. Halves are tried until the bad one stands alone.
    pub(crate) fn refused(&mut self, mut units: Vec<u32>, refusal: Refusal, now: Duration) -> Verdict {
        match (refusal, units.as_slice()) {
            (Refusal::Content, []) => return Verdict::Again,
            (Refusal::Content, [unit]) => {
                self.lone_refusals += 1;
                if self.lone_refusals <= MAX_LONE_REFUSALS {
                    return Verdict::Bad(*unit);
                }
            }
            (Refusal::Content, _) => {
                self.limit = units.len().div_ceil(2);
                let second = units.split_off(self.limit);
                self.parts.push_front(second);
                self.parts.push_front(units);
                return Verdict::Again;
            }
            (Refusal::Busy(after), _) if self.busy_in_a_row < self.max_retries => {
                self.busy_in_a_row += 1;
                self.not_before = now + after;
                self.parts.push_front(units);
                return Verdict::Again;
            }
            (Refusal::Busy(_) | Refusal::Everything, _) => {}
        }
        self.parts.push_front(units);
        Verdict::Stop
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(5);

    /// Asks for units until none are left, of a platform that takes at most so many at once, and none of the bad ones.
    fn ask(units: Vec<u32>, most: usize, bad: &[u32]) -> (Vec<u32>, Vec<u32>, usize) {
        let mut batches = Batches::new(1_000, 0);
        let (mut taken, mut found, mut asked) = (Vec::new(), Vec::new(), 0);
        let mut next = Some(units);
        while let Some(units) = next {
            asked += 1;
            if units.len() > most || units.iter().any(|unit| bad.contains(unit)) {
                match batches.refused(units, Refusal::Content, NOW) {
                    Verdict::Again => {}
                    Verdict::Bad(unit) => found.push(unit),
                    Verdict::Stop => break,
                }
            } else {
                batches.taken(units.len());
                taken.extend(units);
            }
            next = batches.next_part();
        }
        (taken, found, asked)
    }

    #[test]
    fn a_refusal_halves_until_the_bad_unit_stands_alone() {
        let (taken, found, asked) = ask((0..1_000).collect(), 1_000, &[7, 444]);
        assert_eq!((taken.len(), found), (998, vec![7, 444]));
        assert!(asked < 50, "{asked}");
        let (taken, found, asked) = ask((0..1_000).collect(), 50, &[]);
        assert_eq!((taken, found), ((0..1_000).collect(), vec![]));
        assert!(asked < 80, "{asked}");
        assert_eq!(ask(vec![], 1, &[]), (vec![], vec![], 1));
    }

    #[test]
    fn c8_a_platform_that_refuses_everything_burns_few_units() {
        let all: Vec<u32> = (0..1_000).collect();
        let (taken, found, _) = ask(all.clone(), 1_000, &all);
        assert_eq!((taken.len(), found.len()), (0, 20));
    }

    #[test]
    fn a_busy_platform_is_asked_again_after_a_while() {
        let mut batches = Batches::new(10, 2);
        let busy = Refusal::Busy(Duration::from_secs(3));
        for _ in 0..2 {
            assert_eq!(batches.refused(vec![1, 2], busy, NOW), Verdict::Again);
            assert_eq!(batches.not_before(), Duration::from_secs(8));
            assert_eq!(batches.next_part(), Some(vec![1, 2]));
        }
        assert_eq!(batches.refused(vec![1, 2], busy, NOW), Verdict::Stop);
        batches.taken(2);
        assert_eq!(batches.refused(vec![1, 2], busy, NOW), Verdict::Again);
        assert_eq!(batches.refused(vec![1, 2], Refusal::Everything, NOW), Verdict::Stop);
    }

    #[test]
    fn what_is_taken_lets_the_limit_grow_again() {
        let mut batches = Batches::new(10, 0);
        assert_eq!(batches.refused((0..10).collect(), Refusal::Content, NOW), Verdict::Again);
        assert_eq!(batches.limit(), 5);
        batches.taken(4);
        assert_eq!(batches.limit(), 5);
        batches.taken(5);
        assert_eq!(batches.limit(), 10);
    }
}
