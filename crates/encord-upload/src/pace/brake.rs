//! What an overloaded origin is owed: rest for as long as it asks, a slow beginning afterwards, and, if fewer attempts at once do
//! not help, time between one attempt and the next.

use std::time::Duration;

use tokio::time::Instant;

use super::{Overload, f64_of};

/// An attempt weighs so much in the share of attempts that were refused.
const SHARE_WEIGHT: f64 = 1.0 / 46.0;

/// A larger share of refusals is an overload. A smaller one costs no item its retries: 1/16 four times in a row is 1 in 65,536.
const OVERLOADED_SHARE: f64 = 1.0 / 16.0;

/// The share of refusals is looked at in so many attempts after each overload, and in so many of them at most.
const ATTEMPTS_AFTER_CUT: usize = 24;
const REMEMBERED_AFTER_CUTS: f64 = 256.0;
const ENOUGH_AFTER_CUTS: f64 = 48.0;

/// A share that stays although the batch has slowed down is not for its speed. Twice as much is no overload either, up to this: an
/// origin that refuses a tenth whatever is done has few items fail, one that refuses more has many.
const LARGEST_TOLERATED_SHARE: f64 = 1.0 / 5.0;

/// The smallest share of refusals that is believed to stay.
const SMALLEST_STAYING_SHARE: f64 = 1.0 / 64.0;

/// So much of the rate at which attempts were accepted is asked for after an overload.
const RATE_AFTER_OVERLOAD: f64 = 0.9;

/// An overload lowers the rate to no less than this part of it.
const LARGEST_CUT: f64 = 0.5;

/// Attempts a second while nothing is known of the rate that the origin takes.
const FIRST_RATE: f64 = 10.0;

/// The longest time between two attempts. An origin that accepts nothing at all has its items fail at this rate.
const LONGEST_SPACING: Duration = Duration::from_millis(500);

/// An origin that refuses so many attempts although they become rarer and rarer, and accepts more than it refuses, by this factor,
/// does not refuse because of their number. Then it is not left alone for them, for a while.
const REFUSALS_TO_GIVE_UP: u32 = 24;
const ACCEPTED_PER_REFUSAL: f64 = 1.5;
const REST_FROM_BRAKING: Duration = Duration::from_secs(60);

/// The rate grows so much while the origin's own is not known yet, and so much afterwards.
const GROWTH_BEFORE: f64 = 2.0;
const GROWTH_AFTER: f64 = 1.25;

/// The rate grows after so many accepted attempts.
const ACCEPTED_TO_GROW: u32 = 6;

/// The time without growth of the rate once the origin's is known; doubled by each overload, halved by each growth.
const FIRST_CALM: Duration = Duration::from_secs(1);
const LAST_CALM: Duration = Duration::from_secs(30);

/// Attempts that are late because a timer was may follow each other faster, by so much.
const LATE: Duration = Duration::from_millis(10);

#[derive(Debug, Default)]
pub(super) struct Brake {
    only_holds: bool,
    cuts: u64,
    /// How many of the last attempts were refused, newer ones weighing more.
    refused_share: f64,
    /// Attempts accepted that began after the last cut, and all of them.
    accepted_since_cut: usize,
    ended_since_cut: usize,
    /// Of the first attempts after each cut: how many, and how many of them were refused.
    after_cuts: (f64, f64),
    accepted: LastSecond,
    hold: Option<Hold>,
    /// After a hold so many may be under way, one more for each that is accepted.
    reopening: Option<usize>,
    spaced: Option<Spaced>,
    /// Until then refusals are not for the number of attempts.
    gave_up_until: Option<Instant>,
}

#[derive(Debug)]
struct Hold {
    from: Instant,
    until: Instant,
}

/// Attempts follow each other at a rate.
#[derive(Debug)]
struct Spaced {
    spacing: Duration,
    next: Instant,
    /// When the rate may grow, once it is known.
    grow_at: Instant,
    calm: Duration,
    /// Attempts accepted since the rate last changed.
    accepted: u32,
    /// The origin has refused a rate, so its own is about known.
    is_known: bool,
    in_vain: Counts,
}

/// Attempts since the rate last grew.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    accepted: u32,
    refused: u32,
}

/// How many attempts were accepted in each tenth of the last second.
#[derive(Debug, Default)]
struct LastSecond {
    begin: Option<Instant>,
    tenth: u64,
    counts: [u32; 10],
}

impl Brake {
    pub(super) fn that_only_holds() -> Self {
        Self { only_holds: true, ..Self::default() }
    }

    pub(super) fn limit(&self, level: usize) -> usize {
        self.reopening.map_or(level, |reopening| reopening.min(level))
    }

    /// How many overloads there were. Answers to attempts that began before the last one are old news.
    pub(super) fn cuts(&self) -> u64 {
        self.cuts
    }

    pub(super) fn is_spaced(&self) -> bool {
        self.spaced.is_some()
    }

    pub(super) fn spacing(&self) -> Duration {
        self.spaced.as_ref().map_or(Duration::ZERO, |spaced| spaced.spacing)
    }

    /// When the next attempt may begin, if that is not now.
    pub(super) fn not_before(&self, now: Instant) -> Option<Instant> {
        let held = self.hold.as_ref().map(|hold| hold.until);
        held.max(self.spaced.as_ref().map(|spaced| spaced.next)).filter(|at| *at > now)
    }

    pub(super) fn is_held(&self, now: Instant) -> bool {
        self.hold.as_ref().is_some_and(|hold| hold.until > now)
    }

    pub(super) fn held_since(&self, since: Instant, now: Instant) -> Duration {
        let Some(hold) = &self.hold else { return Duration::ZERO };
        hold.until.min(now).saturating_duration_since(hold.from.max(since))
    }

    pub(super) fn begin(&mut self, now: Instant) {
        if let Some(spaced) = &mut self.spaced {
            let due = now.checked_sub(LATE).map_or(now, |late| spaced.next.max(late));
            spaced.next = due + spaced.spacing;
        }
    }

    pub(super) fn accepted(&mut self, cuts: u64, took: Duration, level: usize, now: Instant) {
        self.accepted.add(now);
        if cuts != self.cuts {
            return;
        }
        self.accepted_since_cut += 1;
        self.ended_after_cut(0.0);
        self.refused_share -= self.refused_share * SHARE_WEIGHT;
        self.reopening = self.reopening.map(|open| open + 1).filter(|open| *open < level);
        if let Some(spaced) = &mut self.spaced {
            spaced.grow(now);
            // A rate that so many at once do not reach limits nothing.
            if spaced.spacing.mul_f64(f64_of(level)) < took {
                self.spaced = None;
            }
        }
    }

    /// Whether the pace is to be cut.
    pub(super) fn overloaded(&mut self, cuts: u64, overload: Overload, level: usize, now: Instant) -> bool {
        if let Overload::RetryAfter(wait) = overload {
            self.hold(now, wait);
        }
        if cuts != self.cuts || self.only_holds {
            return false;
        }
        if self.gave_up_until.is_some_and(|until| now < until) && overload == Overload::Refused {
            return false;
        }
        // An object that is refused for long says less of its origin than one that is refused for now.
        let weight = if overload == Overload::Beyond { 0.375 } else { 1.0 };
        self.refused_share += (weight - self.refused_share) * SHARE_WEIGHT;
        self.ended_after_cut(weight);
        if let Some(spaced) = self.spaced.as_mut().filter(|spaced| spaced.is_known) {
            spaced.in_vain.refused += 1;
            if spaced.in_vain.are_for_something_else() {
                self.spaced = None;
                self.refused_share = 0.0;
                self.gave_up_until = now.checked_add(REST_FROM_BRAKING);
                return false;
            }
        }
        // After a rest everything begins slowly; a refusal then says that the rest did not help.
        let rest_did_not_help =
            self.reopening.is_some() && self.cuts > 0 && matches!(overload, Overload::RetryAfter(_));
        if self.refused_share <= self.tolerated_share() && !rest_did_not_help {
            return false;
        }
        let fewer_did_not_help = self.cuts > 0 && self.accepted_since_cut < level;
        self.cuts += 1;
        self.refused_share = 0.0;
        self.accepted_since_cut = 0;
        self.ended_since_cut = 0;
        let asks_for_less = matches!(overload, Overload::Refused | Overload::RetryAfter(_));
        if asks_for_less && (fewer_did_not_help || self.spaced.is_some()) {
            self.space(now);
            return false;
        }
        true
    }

    fn ended_after_cut(&mut self, refused: f64) {
        self.ended_since_cut += 1;
        if self.cuts == 0 || self.ended_since_cut > ATTEMPTS_AFTER_CUT {
            return;
        }
        let (attempts, were_refused) = &mut self.after_cuts;
        *attempts += 1.0;
        *were_refused += refused;
        if *attempts > REMEMBERED_AFTER_CUTS {
            *attempts /= 2.0;
            *were_refused /= 2.0;
        }
    }

    /// The share of refusals that slowing down does not change.
    fn staying_share(&self) -> f64 {
        let (attempts, refused) = self.after_cuts;
        let share = if attempts < ENOUGH_AFTER_CUTS { 0.0 } else { refused / attempts };
        if share < SMALLEST_STAYING_SHARE { 0.0 } else { share }
    }

    fn tolerated_share(&self) -> f64 {
        (2.0 * self.staying_share()).clamp(OVERLOADED_SHARE, LARGEST_TOLERATED_SHARE)
    }

    /// Whether slowing down was in vain, as far as it is known.
    pub(super) fn was_in_vain(&self) -> bool {
        self.staying_share() > 0.0
    }

    fn hold(&mut self, now: Instant, wait: Duration) {
        let Some(until) = now.checked_add(wait) else { return };
        if wait.is_zero() {
            return;
        }
        self.hold = match self.hold.take() {
            Some(hold) if hold.until > now => Some(Hold { until: hold.until.max(until), ..hold }),
            _ => Some(Hold { from: now, until }),
        };
        if !self.only_holds {
            self.reopening = Some(1);
        }
    }

    fn space(&mut self, now: Instant) {
        let accepted = self.accepted.rate(now) * RATE_AFTER_OVERLOAD;
        let before = self.spaced.take();
        let calm = before.as_ref().map_or(FIRST_CALM, |spaced| (spaced.calm * 2).min(LAST_CALM));
        let is_known = before.is_some();
        let in_vain = before.as_ref().map_or_else(Counts::default, |spaced| spaced.in_vain);
        let rate = match before {
            Some(before) => {
                let before = 1.0 / before.spacing.as_secs_f64();
                accepted.clamp(before * LARGEST_CUT, before * RATE_AFTER_OVERLOAD)
            }
            None => accepted.max(FIRST_RATE),
        };
        let spacing = Duration::from_secs_f64(1.0 / rate).min(LONGEST_SPACING);
        let grow_at = now + calm;
        self.spaced = Some(Spaced { spacing, next: now + spacing, grow_at, calm, accepted: 0, is_known, in_vain });
    }
}

impl Spaced {
    fn grow(&mut self, now: Instant) {
        self.accepted += 1;
        self.in_vain.accepted += 1;
        if self.accepted < ACCEPTED_TO_GROW || (self.is_known && now < self.grow_at) {
            return;
        }
        self.spacing = self.spacing.div_f64(if self.is_known { GROWTH_AFTER } else { GROWTH_BEFORE });
        self.accepted = 0;
        self.in_vain = Counts::default();
        self.grow_at = now + self.calm;
        self.calm = (self.calm / 2).max(FIRST_CALM);
    }
}

impl Counts {
    /// Whether fewer attempts do not help, and most of them are accepted all the same.
    fn are_for_something_else(self) -> bool {
        self.refused >= REFUSALS_TO_GIVE_UP
            && f64::from(self.accepted) >= f64::from(self.refused) * ACCEPTED_PER_REFUSAL
    }
}

impl LastSecond {
    fn add(&mut self, now: Instant) {
        self.go_on(now);
        if let Some(count) = self.counts.get_mut(Self::place(self.tenth)) {
            *count += 1;
        }
    }

    /// Attempts a second.
    fn rate(&mut self, now: Instant) -> f64 {
        self.go_on(now);
        f64::from(self.counts.iter().sum::<u32>())
    }

    fn go_on(&mut self, now: Instant) {
        let begin = *self.begin.get_or_insert(now);
        let tenth = u64::try_from(now.saturating_duration_since(begin).as_millis() / 100).unwrap_or(u64::MAX);
        let passed = tenth.saturating_sub(self.tenth).min(10);
        for step in 1..=passed {
            if let Some(count) = self.counts.get_mut(Self::place(self.tenth + step)) {
                *count = 0;
            }
        }
        self.tenth = self.tenth.max(tenth);
    }

    fn place(tenth: u64) -> usize {
        usize::try_from(tenth % 10).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Attempts one after the other, each refused after so many that are accepted: after how many it is found that their number
    /// does not matter.
    fn gives_up_after(accepted_per_refusal: u32) -> Option<u32> {
        const TOOK: Duration = Duration::from_millis(1);
        const LEVEL: usize = 16;

        let mut brake = Brake::default();
        let mut now = Instant::now();
        (1..2_000).find(|attempt| {
            now = brake.not_before(now).unwrap_or(now) + TOOK;
            brake.begin(now);
            if attempt % (accepted_per_refusal + 1) == 0 {
                brake.overloaded(brake.cuts(), Overload::Refused, LEVEL, now);
            } else {
                brake.accepted(brake.cuts(), TOOK, LEVEL, now);
            }
            brake.gave_up_until.is_some()
        })
    }

    #[test]
    fn u10_refusals_that_fewer_attempts_do_not_change_are_not_braked_for() {
        assert!(gives_up_after(2).is_some_and(|attempts| attempts < 300), "{:?}", gives_up_after(2));
        // An origin that is down, or that takes half of what it is asked, is still asked slowly.
        assert_eq!((gives_up_after(0), gives_up_after(1)), (None, None));
    }
}
