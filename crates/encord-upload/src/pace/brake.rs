//! Slows down for an origin that says that it is overloaded. It obeys each `Retry-After`, and begins slowly afterwards. If fewer
//! attempts at once do not end the overload, it puts time between the attempts.

use std::time::Duration;

use tokio::time::Instant;

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
/// two while there is time between attempts. Refusals then do not count any more.
const MIN_ATTEMPTS_TO_GIVE_UP: f64 = 96.0;
const MIN_SHARE_TO_GIVE_UP: f64 = 1.0 / 10.0;
const MAX_SHARE_TO_GIVE_UP: f64 = 2.0 / 5.0;

/// If the origin then refuses more than this share, the rate was the reason after all.
const MAX_SHARE_AFTER_GIVING_UP: f64 = 3.0 / 4.0;

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

/// Whether it is worthwhile to brake.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Braking {
    /// As far as is known.
    #[default]
    Supposed,
    /// The origin refuses for another reason. Refusals do not count.
    GivenUp,
    /// Without it the origin has refused most attempts.
    Proven,
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

/// How many attempts were accepted in each tenth of the last second.
#[derive(Debug, Default)]
struct LastSecond {
    begin: Option<Instant>,
    tenth: u64,
    counts: [u32; 10],
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
        if overload == Overload::Refused && self.has_given_up() {
            return false;
        }
        // After a hold the attempts begin slowly. A refusal then shows that the hold did not help.
        let hold_did_not_help =
            self.reopening.is_some() && self.cuts > 0 && matches!(overload, Overload::RetryAfter(_));
        if self.refused_share <= self.tolerated_share() && !hold_did_not_help {
            return false;
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

    /// Decides whether refusals count.
    fn has_given_up(&mut self) -> bool {
        match self.braking {
            Braking::Supposed => {
                let is_limit_known = self.spacing.as_ref().is_some_and(|spacing| spacing.is_limit_known);
                let shares = MIN_SHARE_TO_GIVE_UP..=MAX_SHARE_TO_GIVE_UP;
                if is_limit_known
                    && self.after_cuts.attempts >= MIN_ATTEMPTS_TO_GIVE_UP
                    && shares.contains(&self.steady_share())
                {
                    self.braking = Braking::GivenUp;
                    self.spacing = None;
                    self.refused_share = self.steady_share();
                }
            }
            Braking::GivenUp if self.refused_share > MAX_SHARE_AFTER_GIVING_UP => self.braking = Braking::Proven,
            Braking::GivenUp | Braking::Proven => {}
        }
        self.braking == Braking::GivenUp
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

impl LastSecond {
    fn add(&mut self, now: Instant) {
        self.advance(now);
        if let Some(count) = self.counts.get_mut(Self::slot(self.tenth)) {
            *count += 1;
        }
    }

    /// Returns how many attempts a second were accepted in the last second, or since the first if that is less long ago.
    fn rate(&mut self, now: Instant) -> f64 {
        self.advance(now);
        let since = self.begin.map_or(Duration::ZERO, |begin| now.saturating_duration_since(begin));
        f64::from(self.counts.iter().sum::<u32>()) / since.as_secs_f64().clamp(0.1, 1.0)
    }

    fn advance(&mut self, now: Instant) {
        let begin = *self.begin.get_or_insert(now);
        let tenth = u64::try_from(now.saturating_duration_since(begin).as_millis() / 100).unwrap_or(u64::MAX);
        let passed = tenth.saturating_sub(self.tenth).min(10);
        for step in 1..=passed {
            if let Some(count) = self.counts.get_mut(Self::slot(self.tenth + step)) {
                *count = 0;
            }
        }
        self.tenth = self.tenth.max(tenth);
    }

    fn slot(tenth: u64) -> usize {
        usize::try_from(tenth % 10).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes attempts one after the other, and refuses one after each `accepted_per_refusal`. Returns the attempt after which the
    /// brake gives up.
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
            brake.braking == Braking::GivenUp
        })
    }

    #[test]
    fn u10_refusals_that_fewer_attempts_do_not_change_are_not_braked_for() {
        assert!(gives_up_after(2).is_some_and(|attempts| attempts < 300), "{:?}", gives_up_after(2));
        // The brake does not give up for an origin that is down, or that refuses every second attempt.
        assert_eq!((gives_up_after(0), gives_up_after(1)), (None, None));
    }
}
