//! Searches for the fastest number of attempts under way. It doubles the number while this makes the batch much faster. Then it
//! tries slightly higher and lower numbers from time to time.
//!
//! The *level* is the number of attempts that may be under way. A *round* is the time in which a level is measured.

use std::time::Duration;

use tokio::time::Instant;

use super::f64_of;
use super::measure::{Connection, Measure, Sample, gain};

/// The throughput of a level relative to that of the level before: a doubling with this gain is followed by another one.
const MIN_GAIN_TO_DOUBLE_AGAIN: f64 = 1.5;

/// A higher level is kept if its gain is at least this.
const MIN_GAIN_OF_HIGHER: f64 = 1.1;

/// A lower level is kept if its gain is at least this.
const MIN_GAIN_OF_LOWER: f64 = 0.97;

/// The levels to try, relative to the present one.
const TRY_UP: f64 = 1.25;
const TRY_DOWN: f64 = 0.75;

/// An overload lowers the level to this part, if no lower level is known to be safe.
const CUT: f64 = 0.7;

/// The link has changed if the relative speed of attempts is above or below these.
const SPEED_OF_FASTER_LINK: f64 = 1.6;
const SPEED_OF_SLOWER_LINK: f64 = 0.6;

/// The time before another level is tried. It doubles each time that no other level is better.
const MIN_TRY_PAUSE: Duration = Duration::from_secs(1);
const MAX_TRY_PAUSE: Duration = Duration::from_secs(16);

/// The time without growth after an overload. It doubles with each further overload.
const MIN_GROWTH_PAUSE: Duration = Duration::from_secs(2);
const MAX_GROWTH_PAUSE: Duration = Duration::from_secs(300);

/// A shorter attempt is limited by the processor of this machine, so a higher level does not help.
const MAX_CPU_BOUND: Duration = Duration::from_millis(4);

/// The same limit for an attempt that opens its connection, because the handshake uses the processor too.
const MAX_CPU_BOUND_NEW: Duration = Duration::from_millis(20);

/// If no attempt has ended after this time, the round trip is long. The first doubling then does not wait for an answer.
const EARLY_CHECK_AFTER: Duration = Duration::from_millis(40);

/// A round needs at least this many attempts to be measured.
const MIN_ROUND_ATTEMPTS: f64 = 16.0;

/// The level, and the state of the search.
#[derive(Debug)]
pub(super) struct Climb {
    level: usize,
    floor: usize,
    cap: usize,
    stage: Stage,
    /// The number of the round. An attempt belongs to the round in which it began.
    round: u64,
    measure: Measure,
    /// Whether the level was reached in this round.
    is_full: bool,
    /// When the first attempt began. `None` after the early check.
    first_began: Option<Instant>,
    try_pause: Duration,
    /// A lower level at which the origin was not overloaded.
    safe_level: Option<usize>,
    growth_pause: Duration,
    no_growth_before: Option<Instant>,
    /// How long an attempt on a new connection takes: a moving mean.
    new_connection_time: Option<Duration>,
}

#[derive(Debug)]
enum Stage {
    /// Nothing is known. The first answers double the level.
    Start,
    /// The level was doubled.
    Ramp { before: Before },
    /// The level is kept until it is time to try another one.
    Hold { usual: Measure, until: Instant, slow_rounds: u32 },
    /// A higher level is tried. Its first round is not measured, because connections are opened in it.
    Up { usual: Before, is_settled: bool },
    /// A lower level is tried, because a higher one was not better, or because the link is slower than before.
    Down { usual: Before, is_settled: bool, is_for_slower_link: bool },
}

/// An earlier level, and how fast attempts were at it.
#[derive(Debug)]
struct Before {
    level: usize,
    /// The round of its attempts. Attempts that end later are still measured.
    round: u64,
    measure: Measure,
}

impl Climb {
    pub(super) fn new(floor: usize, start: usize, cap: usize) -> Self {
        Self {
            level: start,
            floor,
            cap,
            stage: Stage::Start,
            round: 0,
            measure: Measure::default(),
            is_full: false,
            first_began: None,
            try_pause: MIN_TRY_PAUSE,
            safe_level: None,
            growth_pause: MIN_GROWTH_PAUSE,
            no_growth_before: None,
            new_connection_time: None,
        }
    }

    pub(super) fn level(&self) -> usize {
        self.level
    }

    /// Returns the round of an attempt that begins now.
    pub(super) fn round(&self) -> u64 {
        self.round
    }

    /// Records that an attempt begins, the last of `under_way`.
    pub(super) fn begin(&mut self, under_way: usize, now: Instant) {
        self.first_began.get_or_insert(now);
        self.is_full |= under_way >= self.level;
    }

    /// Returns when the level is to be checked although no attempt has ended.
    pub(super) fn early_check_at(&self) -> Option<Instant> {
        let is_start = matches!(self.stage, Stage::Start) && self.measure.attempts() < 1.0;
        self.first_began
            .filter(|_| is_start && self.is_full && self.level < self.cap)
            .map(|began| began + EARLY_CHECK_AFTER)
    }

    /// Checks the level at the time of [`early_check_at`](Self::early_check_at).
    pub(super) fn check_early(&mut self, left: Option<usize>) -> &'static str {
        self.first_began = None;
        if left.is_some_and(|left| left == 0) { "" } else { self.double() }
    }

    /// Begins a new round, and discards what was measured in the present one.
    pub(super) fn restart_round(&mut self) {
        self.round += 1;
        self.measure = Measure::default();
        self.is_full = false;
    }

    /// Records that an attempt of this round succeeded. `left` is the number of items that have not begun, if it is known.
    /// Returns why the level changed, or an empty text.
    pub(super) fn done(&mut self, round: u64, sample: &Sample, left: Option<usize>, now: Instant) -> &'static str {
        if sample.connection == Connection::New {
            let before = self.new_connection_time.unwrap_or(sample.took);
            self.new_connection_time = Some((before * 3 + sample.took) / 4);
        }
        if round != self.round {
            if let Stage::Ramp { before } = &mut self.stage
                && before.round == round
            {
                before.measure.add(sample);
            }
            return "";
        }
        self.measure.add(sample);
        if !self.is_full {
            return "";
        }
        self.evaluate(left, now)
    }

    /// Lowers the level because the origin is overloaded: to a level that was safe, or by a fixed part. `asked` is the wait that
    /// the origin asks for.
    pub(super) fn cut(&mut self, asked: Duration, now: Instant) {
        let safe_level = self.safe_level.take().filter(|safe_level| *safe_level < self.level);
        self.level = safe_level.unwrap_or_else(|| scaled(self.level, CUT)).clamp(self.floor, self.cap);
        let growth_pause = self.growth_pause.max(asked * 10).min(MAX_GROWTH_PAUSE);
        self.no_growth_before = now.checked_add(growth_pause);
        self.growth_pause = (growth_pause * 2).min(MAX_GROWTH_PAUSE);
        self.hold(Measure::default(), now);
    }

    /// Ends the time without growth, because the cuts did not help.
    pub(super) fn allow_growth(&mut self) {
        self.growth_pause = MIN_GROWTH_PAUSE;
        self.no_growth_before = None;
    }

    /// Evaluates the round if it has enough attempts, and goes to the next stage.
    fn evaluate(&mut self, left: Option<usize>, now: Instant) -> &'static str {
        let level = f64_of(self.level);
        let (reused, new) = (self.measure.attempts_reused(), self.measure.attempts_new());
        // If the origin closes connections, nearly every attempt opens a new one.
        let rarely_reuses = new > 3.0 * level && reused * 4.0 < new;
        let is_complete = reused >= level.max(MIN_ROUND_ATTEMPTS) || rarely_reuses;
        match &mut self.stage {
            Stage::Start => {
                if reused.max(new) * 4.0 >= level && self.may_grow(left, now) {
                    self.safe_level = Some(self.level);
                    return self.double();
                }
                if is_complete {
                    self.hold_measured(now);
                }
                ""
            }
            Stage::Ramp { before } => {
                let expected = f64_of(self.level - before.level) / 2.0;
                let speed_new = self.measure.speed_new(&before.measure, expected.max(4.0));
                let speed_reused = || self.measure.speed_reused(&before.measure).filter(|_| reused >= 3.0 * level);
                let Some(speed) = speed_new.or_else(speed_reused) else { return "" };
                let (level, before) = (self.level, before.level);
                let gain = gain(level, before, speed);
                if gain < MIN_GAIN_OF_HIGHER {
                    self.level = before;
                    self.hold(Measure::default(), now);
                    return "the doubling was not faster";
                }
                self.safe_level = Some(level);
                // If the cap allowed less than a doubling, the gain is compared with the gain that was possible.
                let gain = 1.0 + (gain - 1.0) / (f64_of(level) / f64_of(before) - 1.0);
                if gain >= MIN_GAIN_TO_DOUBLE_AGAIN && self.may_grow(left, now) {
                    return self.double();
                }
                self.hold_measured(now);
                ""
            }
            _ if !is_complete => "",
            Stage::Hold { usual, until, slow_rounds } => {
                let speed = speed(&self.measure, usual, rarely_reuses).unwrap_or(1.0);
                *slow_rounds = if speed < SPEED_OF_SLOWER_LINK { *slow_rounds + 1 } else { 0 };
                let (is_due, slow_rounds) = (now >= *until, *slow_rounds);
                if slow_rounds == 0 {
                    usual.add_later(&self.measure);
                }
                self.keep_or_try(speed, slow_rounds, is_due, left, now)
            }
            Stage::Up { is_settled: settled @ false, .. } | Stage::Down { is_settled: settled @ false, .. } => {
                *settled = true;
                self.restart_round();
                ""
            }
            Stage::Up { usual, .. } => {
                let before = usual.level;
                let speed = speed(&self.measure, &usual.measure, rarely_reuses).unwrap_or(0.0);
                let gain = gain(self.level, before, speed);
                if gain >= MIN_GAIN_OF_HIGHER {
                    self.try_pause = MIN_TRY_PAUSE;
                    self.safe_level = Some(self.level);
                    if self.no_growth_before.is_none() && self.may_grow(left, now) {
                        return self.double();
                    }
                    if self.may_grow(left, now) {
                        let measure = std::mem::take(&mut self.measure);
                        return self.try_up(measure);
                    }
                    self.hold_measured(now);
                    return "";
                }
                let usual = std::mem::take(&mut usual.measure);
                self.level = before;
                self.try_down(usual)
            }
            Stage::Down { usual, is_for_slower_link, .. } => {
                let is_for_slower_link = *is_for_slower_link;
                let (before, measure) = (usual.level, std::mem::take(&mut usual.measure));
                let speed = speed(&self.measure, &measure, rarely_reuses).unwrap_or(0.0);
                self.try_pause = (self.try_pause * 2).min(MAX_TRY_PAUSE);
                if gain(self.level, before, speed) >= MIN_GAIN_OF_LOWER {
                    self.hold_measured(now);
                    return "";
                }
                self.level = before;
                if is_for_slower_link && self.may_grow(left, now) {
                    self.measure = measure;
                    return self.double();
                }
                self.hold(measure, now);
                "fewer were slower"
            }
        }
    }

    /// Decides after a round whether to keep the level or to try another one.
    fn keep_or_try(
        &mut self,
        speed: f64,
        slow_rounds: u32,
        is_due: bool,
        left: Option<usize>,
        now: Instant,
    ) -> &'static str {
        if speed >= SPEED_OF_FASTER_LINK && self.no_growth_before.is_none() && self.may_grow(left, now) {
            self.try_pause = MIN_TRY_PAUSE;
            return self.double();
        }
        let is_cpu_bound = self.is_cpu_bound();
        if slow_rounds >= 2 && self.level > self.floor && !is_cpu_bound {
            self.try_pause = MIN_TRY_PAUSE;
            let usual = Before { level: self.level, round: self.round, measure: std::mem::take(&mut self.measure) };
            self.level = (self.level / 2).max(self.floor);
            self.stage = Stage::Down { usual, is_settled: false, is_for_slower_link: true };
            self.restart_round();
            return "the link is slower than before";
        }
        let may_grow = self.may_grow(left, now);
        self.restart_round();
        if !is_due || is_cpu_bound || slow_rounds > 0 {
            return "";
        }
        let Stage::Hold { usual, until, .. } = &mut self.stage else { return "" };
        if let Some(end) = self.no_growth_before.filter(|end| now < *end) {
            *until = end;
            return "";
        }
        let usual = std::mem::take(usual);
        if may_grow { self.try_up(usual) } else { self.try_down(usual) }
    }

    fn try_up(&mut self, usual: Measure) -> &'static str {
        let usual = Before { level: self.level, round: self.round, measure: usual };
        self.level = scaled(self.level, TRY_UP).clamp(self.level + 1, self.cap);
        self.stage = Stage::Up { usual, is_settled: false };
        self.restart_round();
        "a few more are tried"
    }

    fn double(&mut self) -> &'static str {
        let measure = std::mem::take(&mut self.measure);
        let before = Before { level: self.level, round: self.round, measure };
        self.level = (self.level * 2).min(self.cap);
        self.stage = Stage::Ramp { before };
        self.restart_round();
        "more may be faster"
    }

    fn try_down(&mut self, usual: Measure) -> &'static str {
        let usual = Before { level: self.level, round: self.round, measure: usual };
        self.level = scaled(self.level, TRY_DOWN).max(self.floor);
        self.stage = Stage::Down { usual, is_settled: false, is_for_slower_link: false };
        self.restart_round();
        "fewer are tried"
    }

    /// Keeps the level. The present round becomes the usual speed.
    fn hold_measured(&mut self, now: Instant) {
        let measure = std::mem::take(&mut self.measure);
        self.hold(measure, now);
    }

    fn hold(&mut self, usual: Measure, now: Instant) {
        self.stage = Stage::Hold { usual, until: now + self.try_pause, slow_rounds: 0 };
        self.restart_round();
    }

    /// Whether a higher level could make the rest of the batch faster.
    fn may_grow(&self, left: Option<usize>, now: Instant) -> bool {
        let mean = self.measure.mean();
        let rest = |left: usize| mean.mul_f64(f64_of(left) / f64_of(self.level));
        // A new connection is of no use if the rest is done before it is open.
        let is_nearly_done = left.zip(self.new_connection_time).is_some_and(|(left, time)| rest(left) < time);
        let is_growth_paused = self.no_growth_before.is_some_and(|until| now < until);
        self.level < self.cap && !self.is_cpu_bound() && !is_nearly_done && !is_growth_paused
    }

    fn is_cpu_bound(&self) -> bool {
        match self.measure.mean_reused() {
            Some(mean) => mean < MAX_CPU_BOUND,
            None => self.measure.mean() < MAX_CPU_BOUND_NEW,
        }
    }
}

fn speed(now: &Measure, before: &Measure, rarely_reuses: bool) -> Option<f64> {
    if rarely_reuses { now.speed_new(before, 1.0) } else { now.speed_reused(before) }
}

/// Multiplies a level, and rounds to the nearest number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small, and not negative")]
fn scaled(level: usize, factor: f64) -> usize {
    (f64_of(level) * factor).round() as usize
}
