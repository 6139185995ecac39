//! Slows down for an origin that says that it is overloaded. It obeys each `Retry-After`, and begins slowly afterwards. If fewer
//! attempts at once do not end the overload, it puts time between the attempts.

use std::time::Duration;

use tokio::time::Instant;

use super::measure::LastSecond;
use super::{Overload, f64_of};

/// The weight of one attempt in the share of refused attempts, a moving mean.
const SHARE_WEIGHT: f64 = 1.0 / 46.0;

/// The share of refusals above which the origin is overloaded. A smaller share hardly makes an item fail: the chance of four
/// refusals in a row is 1 in 65,536.
const OVERLOADED_SHARE: f64 = 1.0 / 16.0;

/// The steady share is measured over this many attempts after each cut.
const MEASURED_ATTEMPTS_PER_CUT: usize = 24;

/// When the steady share is measured over more attempts than this, all are halved, so that later ones weigh more.
const MAX_MEASURED_ATTEMPTS: f64 = 256.0;

/// The steady share is unknown before it is measured over this many attempts.
const MIN_MEASURED_ATTEMPTS: f64 = 48.0;

/// A share of refusals that stays after the batch has slowed down does not come from its speed. Up to twice that share is
/// tolerated, but never more than this: at a tenth few items fail, above a fifth many.
const MAX_TOLERATED_SHARE: f64 = 1.0 / 5.0;

/// A smaller steady share counts as none.
const MIN_STEADY_SHARE: f64 = 1.0 / 64.0;

/// The rate after an overload, relative to the rate at which attempts were accepted.
const RATE_AFTER_OVERLOAD: f64 = 0.9;

/// An overload lowers the rate at most to this part of it.
const MAX_CUT_OF_RATE: f64 = 0.5;

/// The first rate, in attempts per second, if the origin has accepted fewer.
const MIN_FIRST_RATE: f64 = 10.0;

/// The longest time between two attempts. Against an origin that accepts nothing, items fail at this rate.
const MAX_INTERVAL: Duration = Duration::from_millis(500);

/// The origin refuses for another reason than the rate if the steady share, measured over this many attempts, lies between these
/// two while there is time between attempts. Braking is useless then, and the time between attempts is removed.
const MIN_ATTEMPTS_TO_GIVE_UP: f64 = 96.0;
const MIN_SHARE_TO_GIVE_UP: f64 = 1.0 / 10.0;
const MAX_SHARE_TO_GIVE_UP: f64 = 2.0 / 5.0;

/// If the origin refuses more than this share without braking, the rate was the reason after all.
const MAX_SHARE_WITHOUT_BRAKING: f64 = 3.0 / 4.0;

/// The factors by which the rate grows: before the origin has refused a rate, and afterwards.
const GROWTH_BEFORE_REFUSAL: f64 = 2.0;
const GROWTH_AFTER_REFUSAL: f64 = 1.25;

/// The rate grows after this many accepted attempts.
const ACCEPTED_TO_GROW: u32 = 6;

/// The time without growth after the origin has refused a rate. Each overload doubles it, and each growth halves it.
const MIN_GROWTH_PAUSE: Duration = Duration::from_secs(1);
const MAX_GROWTH_PAUSE: Duration = Duration::from_secs(30);

/// By how much an attempt may be late without delaying the next one. A timer is often late by a few milliseconds.
const TIMER_TOLERANCE: Duration = Duration::from_millis(10);

#[derive(Debug, Default)]
pub(super) struct Brake {
    /// Whether the limit is fixed. Only `Retry-After` is obeyed then.
    is_limit_fixed: bool,
    cuts: u64,
    /// The share of refused attempts since the last cut, a moving mean.
    refused_share: f64,
    accepted_since_cut: usize,
    ended_since_cut: usize,
    /// The first attempts after each cut.
    after_cuts: AfterCuts,
    accepted: LastSecond,
    hold: Option<Hold>,
    /// The limit after a hold. It grows by one with each accepted attempt.
    reopening: Option<usize>,
    spacing: Option<Spacing>,
    braking: Braking,
}

/// Whether braking makes the origin refuse less.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Braking {
    #[default]
    Unknown,
    /// It does not: the origin refuses for another reason.
    Useless,
    /// It does: when the brake was off, the origin refused most attempts.
    Useful,
}

/// A wait that the origin has asked for.
#[derive(Debug)]
struct Hold {
    from: Instant,
    until: Instant,
}

/// The first attempts after each cut, with fractions after halving.
#[derive(Debug, Default)]
struct AfterCuts {
    attempts: f64,
    refused: f64,
}

/// The time between attempts.
#[derive(Debug)]
struct Spacing {
    interval: Duration,
    /// When the next attempt may begin.
    next: Instant,
    /// The earliest growth, once the origin has refused a rate.
    grow_at: Instant,
    growth_pause: Duration,
    /// Attempts accepted since the rate last changed.
    accepted: u32,
    /// Whether the origin has refused a rate, so that its own limit is roughly known.
    is_limit_known: bool,
}

impl Brake {
    pub(super) fn for_fixed_limit() -> Self {
        Self { is_limit_fixed: true, ..Self::default() }
    }

    pub(super) fn limit(&self, level: usize) -> usize {
        self.reopening.map_or(level, |reopening| reopening.min(level))
    }

    /// Returns the number of cuts so far. An attempt that began before the last cut does not count for the next one.
    pub(super) fn cuts(&self) -> u64 {
        self.cuts
    }

    /// Whether there is time between attempts.
    pub(super) fn is_spacing(&self) -> bool {
        self.spacing.is_some()
    }

    /// Returns the time between attempts. Zero if there is none.
    pub(super) fn interval(&self) -> Duration {
        self.spacing.as_ref().map_or(Duration::ZERO, |spacing| spacing.interval)
    }

    /// Returns when the next attempt may begin, if it may not begin now.
    pub(super) fn not_before(&self, now: Instant) -> Option<Instant> {
        let held = self.hold.as_ref().map(|hold| hold.until);
        held.max(self.spacing.as_ref().map(|spacing| spacing.next)).filter(|at| *at > now)
    }

    pub(super) fn is_held(&self, now: Instant) -> bool {
        self.hold.as_ref().is_some_and(|hold| hold.until > now)
    }

    pub(super) fn held_since(&self, since: Instant, now: Instant) -> Duration {
        let Some(hold) = &self.hold else { return Duration::ZERO };
        hold.until.min(now).saturating_duration_since(hold.from.max(since))
    }

    pub(super) fn begin(&mut self, now: Instant) {
        if let Some(spacing) = &mut self.spacing {
            let due = now.checked_sub(TIMER_TOLERANCE).map_or(now, |late| spacing.next.max(late));
            spacing.next = due + spacing.interval;
        }
    }

    /// Records an accepted attempt, which began after `cuts` cuts.
    pub(super) fn accepted(&mut self, cuts: u64, took: Duration, level: usize, now: Instant) {
        self.accepted.add(now);
        if cuts != self.cuts {
            return;
        }
        self.accepted_since_cut += 1;
        self.ended_after_cut(0.0);
        self.refused_share -= self.refused_share * SHARE_WEIGHT;
        self.reopening = self.reopening.map(|open| open + 1).filter(|open| *open < level);
        if let Some(spacing) = &mut self.spacing {
            spacing.grow(now);
            // The level alone keeps the rate below this one, so the spacing has no effect.
            if spacing.interval.mul_f64(f64_of(level)) < took {
                self.spacing = None;
            }
        }
    }

    /// Records an overload. Returns whether the level must be cut.
    pub(super) fn overloaded(&mut self, cuts: u64, overload: Overload, level: usize, now: Instant) -> bool {
        if let Overload::RetryAfter(wait) = overload {
            self.hold(now, wait);
        }
        if cuts != self.cuts || self.is_limit_fixed {
            return false;
        }
        // A long `Retry-After` may concern the object only, not the whole origin.
        let weight = if overload == Overload::RetryAfterTooLong { 0.375 } else { 1.0 };
        self.refused_share += (weight - self.refused_share) * SHARE_WEIGHT;
        self.ended_after_cut(weight);
        if overload == Overload::Refused {
            self.stop_braking_if_useless();
        }
        // After a hold the attempts begin slowly. A refusal then shows that the hold did not help.
        let hold_did_not_help =
            self.reopening.is_some() && self.cuts > 0 && matches!(overload, Overload::RetryAfter(_));
        if self.refused_share <= self.tolerated_share() && !hold_did_not_help {
            return false;
        }
        if self.braking == Braking::Useless && self.refused_share > self.tolerated_share() {
            self.braking = Braking::Useful;
        }
        let fewer_did_not_help = self.cuts > 0 && self.accepted_since_cut < level;
        self.cuts += 1;
        self.refused_share = 0.0;
        self.accepted_since_cut = 0;
        self.ended_since_cut = 0;
        let asks_for_less = matches!(overload, Overload::Refused | Overload::RetryAfter(_));
        if asks_for_less && (fewer_did_not_help || self.spacing.is_some()) {
            self.widen_spacing(now);
            return false;
        }
        true
    }

    /// Removes the time between attempts if the origin refuses for another reason than the rate.
    fn stop_braking_if_useless(&mut self) {
        let is_limit_known = self.spacing.as_ref().is_some_and(|spacing| spacing.is_limit_known);
        let is_measured = self.after_cuts.attempts >= MIN_ATTEMPTS_TO_GIVE_UP;
        let shares = MIN_SHARE_TO_GIVE_UP..=MAX_SHARE_TO_GIVE_UP;
        let is_useless = is_limit_known && is_measured && shares.contains(&self.steady_share());
        if self.braking == Braking::Unknown && is_useless {
            self.braking = Braking::Useless;
            self.spacing = None;
        }
    }

    /// Measures the steady share. `refused` is the weight of a refusal, or 0.
    fn ended_after_cut(&mut self, refused: f64) {
        self.ended_since_cut += 1;
        if self.cuts == 0 || self.ended_since_cut > MEASURED_ATTEMPTS_PER_CUT {
            return;
        }
        let AfterCuts { attempts, refused: all_refused } = &mut self.after_cuts;
        *attempts += 1.0;
        *all_refused += refused;
        if *attempts > MAX_MEASURED_ATTEMPTS {
            *attempts /= 2.0;
            *all_refused /= 2.0;
        }
    }

    /// Returns the share of refusals that slowing down does not change.
    fn steady_share(&self) -> f64 {
        let AfterCuts { attempts, refused } = self.after_cuts;
        let share = if attempts < MIN_MEASURED_ATTEMPTS { 0.0 } else { refused / attempts };
        if share < MIN_STEADY_SHARE { 0.0 } else { share }
    }

    fn tolerated_share(&self) -> f64 {
        if self.braking == Braking::Useless {
            return MAX_SHARE_WITHOUT_BRAKING;
        }
        (2.0 * self.steady_share()).clamp(OVERLOADED_SHARE, MAX_TOLERATED_SHARE)
    }

    /// Whether slowing down is known to have no effect on the refusals.
    pub(super) fn has_no_effect(&self) -> bool {
        self.steady_share() > 0.0
    }

    /// Holds the origin for a `Retry-After`.
    fn hold(&mut self, now: Instant, wait: Duration) {
        let Some(until) = now.checked_add(wait) else { return };
        if wait.is_zero() {
            return;
        }
        self.hold = match self.hold.take() {
            Some(hold) if hold.until > now => Some(Hold { until: hold.until.max(until), ..hold }),
            _ => Some(Hold { from: now, until }),
        };
        if !self.is_limit_fixed {
            self.reopening = Some(1);
        }
    }

    /// Puts time between attempts, or more time.
    fn widen_spacing(&mut self, now: Instant) {
        let accepted = self.accepted.rate(now) * RATE_AFTER_OVERLOAD;
        let before = self.spacing.take();
        let growth_pause =
            before.as_ref().map_or(MIN_GROWTH_PAUSE, |spacing| (spacing.growth_pause * 2).min(MAX_GROWTH_PAUSE));
        let is_limit_known = before.is_some();
        let rate = match before {
            Some(before) => {
                let before = 1.0 / before.interval.as_secs_f64();
                accepted.clamp(before * MAX_CUT_OF_RATE, before * RATE_AFTER_OVERLOAD)
            }
            None => accepted.max(MIN_FIRST_RATE),
        };
        let interval = Duration::from_secs_f64(1.0 / rate).min(MAX_INTERVAL);
        let grow_at = now + growth_pause;
        self.spacing =
            Some(Spacing { interval, next: now + interval, grow_at, growth_pause, accepted: 0, is_limit_known });
    }
}

impl Spacing {
    /// Counts an accepted attempt, and raises the rate when it is time.
    fn grow(&mut self, now: Instant) {
        self.accepted += 1;
        if self.accepted < ACCEPTED_TO_GROW || (self.is_limit_known && now < self.grow_at) {
            return;
        }
        self.interval =
            self.interval.div_f64(if self.is_limit_known { GROWTH_AFTER_REFUSAL } else { GROWTH_BEFORE_REFUSAL });
        self.accepted = 0;
        self.grow_at = now + self.growth_pause;
        self.growth_pause = (self.growth_pause / 2).max(MIN_GROWTH_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOK: Duration = Duration::from_millis(1);
    const LEVEL: usize = 16;

    /// Makes attempts one after the other, and refuses one after each `accepted_per_refusal`, until braking is known to be
    /// useless. Returns the brake and the number of attempts.
    fn until_useless(accepted_per_refusal: u32) -> Option<(Brake, u32)> {
        let mut brake = Brake::default();
        let mut now = Instant::now();
        for attempt in 1..2_000 {
            now = brake.not_before(now).unwrap_or(now) + TOOK;
            brake.begin(now);
            if attempt % (accepted_per_refusal + 1) == 0 {
                brake.overloaded(brake.cuts(), Overload::Refused, LEVEL, now);
            } else {
                brake.accepted(brake.cuts(), TOOK, LEVEL, now);
            }
            if brake.braking == Braking::Useless {
                return Some((brake, attempt));
            }
        }
        None
    }

    #[test]
    fn u10_refusals_that_fewer_attempts_do_not_change_are_not_braked_for() {
        let (mut brake, attempts) = until_useless(2).expect("a third is refused at every rate");
        assert!(attempts < 300, "{attempts}");
        // An origin that is down, or that refuses every second attempt, is braked for.
        assert!(until_useless(0).is_none() && until_useless(1).is_none());

        let now = Instant::now();
        for _ in 0..100 {
            for _ in 0..2 {
                brake.accepted(brake.cuts(), TOOK, LEVEL, now);
            }
            let overload = Overload::RetryAfterTooLong;
            assert!(!brake.overloaded(brake.cuts(), Overload::Refused, LEVEL, now));
            assert!(!brake.overloaded(brake.cuts(), overload, LEVEL, now), "one of another kind, among the refusals");
            assert!(!brake.is_spacing());
        }
        // Most are refused, so the rate was the reason after all.
        let refused = (1..200).find(|_| {
            brake.overloaded(brake.cuts(), Overload::Refused, LEVEL, now);
            brake.braking == Braking::Useful
        });
        assert!(refused.is_some_and(|refused| refused < 100), "{refused:?}");
    }
}
