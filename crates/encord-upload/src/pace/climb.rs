//! The search for the number under way that carries the most: doubled while that brings much, then tried a little up and down.

use std::time::Duration;

use tokio::time::Instant;

use super::f64_of;
use super::measure::{Measure, Sample, gain};

/// A doubling that brings so much is followed by another one.
const GAIN_TO_DOUBLE_AGAIN: f64 = 1.5;

/// More under way has to bring so much to be kept.
const GAIN_TO_KEEP: f64 = 1.1;

/// Fewer under way is kept if it brings at least so much of what was.
const COST_TO_KEEP: f64 = 0.97;

const TRY_UP: f64 = 1.25;
const TRY_DOWN: f64 = 0.75;

/// Without a level that was borne, an overload lowers the level to so much of it.
const CUT: f64 = 0.7;

/// The link has changed if attempts are so much faster than before, or so much slower.
const CHANGED_UP: f64 = 1.6;
const CHANGED_DOWN: f64 = 0.6;

/// The time before another number is tried; doubled while that brings nothing.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(16);

/// The time without growth after an overload; doubled by each further one.
const FIRST_CALM: Duration = Duration::from_secs(2);
const LAST_CALM: Duration = Duration::from_secs(300);

/// An attempt that takes less is limited by this machine's processor, where more at once do not help.
const PROCESSOR_BOUND: Duration = Duration::from_millis(4);

/// The same for an attempt that opens its connection: handshakes keep the processor busy, too.
const PROCESSOR_BOUND_OPENING: Duration = Duration::from_millis(20);

/// With no answer after this time the way is long: so much that the first doubling need not wait for the answers.
const LONG_WAY: Duration = Duration::from_millis(40);

/// A round of fewer attempts says too little.
const SMALLEST_ROUND: f64 = 16.0;

/// How many attempts may be under way, and how that came about.
#[derive(Debug)]
pub(super) struct Climb {
    level: usize,
    floor: usize,
    cap: usize,
    stage: Stage,
    /// Attempts count in the round in which they began.
    round: u64,
    measure: Measure,
    /// As many were under way as may be.
    is_full: bool,
    /// When the first attempt began, as long as the level has not been looked at.
    first_began: Option<Instant>,
    pause: Duration,
    /// A level below the present one that was borne.
    borne: Option<usize>,
    calm: Duration,
    calm_until: Option<Instant>,
    /// How long an attempt takes that opens its connection.
    opening_takes: Option<Duration>,
}

#[derive(Debug)]
enum Stage {
    /// Nothing is known. The first answers double the level.
    Start,
    /// The level was doubled.
    Ramp { before: Before },
    /// The level is kept until it is time to try another one.
    Hold { usual: Measure, until: Instant, slow_rounds: u32 },
    /// A higher level is tried. The first round lets connections get ready.
    Up { usual: Before, is_settled: bool },
    /// A lower level is tried, because nothing better is known or because the link carries less than before.
    Down { usual: Before, is_settled: bool, link_changed: bool },
}

/// A level, and how fast attempts were there.
#[derive(Debug)]
struct Before {
    level: usize,
    /// The round in which its attempts began. Those that end late still count.
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
            pause: FIRST_PAUSE,
            borne: None,
            calm: FIRST_CALM,
            calm_until: None,
            opening_takes: None,
        }
    }

    pub(super) fn level(&self) -> usize {
        self.level
    }

    /// The round in which an attempt begins.
    pub(super) fn round(&self) -> u64 {
        self.round
    }

    /// An attempt begins; then so many are under way.
    pub(super) fn begins(&mut self, under_way: usize, now: Instant) {
        self.first_began.get_or_insert(now);
        self.is_full |= under_way >= self.level;
    }

    /// When the level is to be looked at although no attempt has ended.
    pub(super) fn look_at(&self) -> Option<Instant> {
        let is_start = matches!(self.stage, Stage::Start) && self.measure.attempts() < 1.0;
        self.first_began.filter(|_| is_start && self.is_full && self.level < self.cap).map(|began| began + LONG_WAY)
    }

    /// The time of [`look_at`](Self::look_at) has come.
    pub(super) fn look(&mut self, left: Option<usize>) -> &'static str {
        self.first_began = None;
        if left.is_some_and(|left| left == 0) { "" } else { self.double() }
    }

    /// What was measured says nothing: there was a pause, or an overload.
    pub(super) fn restart_round(&mut self) {
        self.round += 1;
        self.measure = Measure::default();
        self.is_full = false;
    }

    /// An attempt that began in this round was done. `left`: how many items have not begun. Why the level changed, if it did.
    pub(super) fn done(&mut self, round: u64, sample: &Sample, left: Option<usize>, now: Instant) -> &'static str {
        if sample.connection == super::measure::Connection::Opened {
            let before = self.opening_takes.unwrap_or(sample.took);
            self.opening_takes = Some((before * 3 + sample.took) / 4);
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
        self.judge(left, now)
    }

    /// The origin is overloaded: back to a level that was borne, or else lower by a part. `asked`: how long it wants to be left alone.
    pub(super) fn cut(&mut self, asked: Duration, now: Instant) {
        let borne = self.borne.take().filter(|borne| *borne < self.level);
        self.level = borne.unwrap_or_else(|| part(self.level, CUT)).clamp(self.floor, self.cap);
        let calm = self.calm.max(asked * 10).min(LAST_CALM);
        self.calm_until = now.checked_add(calm);
        self.calm = (calm * 2).min(LAST_CALM);
        self.hold(Measure::default(), now);
    }

    /// The cuts did not help, so the level may grow.
    pub(super) fn end_calm(&mut self) {
        self.calm = FIRST_CALM;
        self.calm_until = None;
    }

    fn judge(&mut self, left: Option<usize>, now: Instant) -> &'static str {
        let level = f64_of(self.level);
        let (open, opened) = (self.measure.open(), self.measure.opened());
        // An origin that closes its connections has a new one opened for nearly every attempt.
        let always_opens = opened > 3.0 * level && open * 4.0 < opened;
        let is_round = open >= level.max(SMALLEST_ROUND) || always_opens;
        match &mut self.stage {
            Stage::Start => {
                if open.max(opened) * 4.0 >= level && self.may_grow(left, now) {
                    self.borne = Some(self.level);
                    return self.double();
                }
                if is_round {
                    self.hold_here(now);
                }
                ""
            }
            Stage::Ramp { before } => {
                let expected = f64_of(self.level - before.level) / 2.0;
                let opened_speed = self.measure.speed_opened(&before.measure, expected.max(4.0));
                let open_speed = || self.measure.speed_open(&before.measure).filter(|_| open >= 3.0 * level);
                let Some(speed) = opened_speed.or_else(open_speed) else { return "" };
                let (level, before) = (self.level, before.level);
                let gain = gain(level, before, speed);
                if gain < GAIN_TO_KEEP {
                    self.level = before;
                    self.hold(Measure::default(), now);
                    return "the doubling brought nothing";
                }
                self.borne = Some(level);
                // A doubling that the cap cut short cannot bring as much.
                let gain = 1.0 + (gain - 1.0) / (f64_of(level) / f64_of(before) - 1.0);
                if gain >= GAIN_TO_DOUBLE_AGAIN && self.may_grow(left, now) {
                    return self.double();
                }
                self.hold_here(now);
                ""
            }
            _ if !is_round => "",
            Stage::Hold { usual, until, slow_rounds } => {
                let speed = speed(&self.measure, usual, always_opens).unwrap_or(1.0);
                *slow_rounds = if speed < CHANGED_DOWN { *slow_rounds + 1 } else { 0 };
                let (is_due, slow_rounds) = (now >= *until, *slow_rounds);
                if slow_rounds == 0 {
                    usual.renew(&self.measure);
                }
                self.kept(speed, slow_rounds, is_due, left, now)
            }
            Stage::Up { is_settled: settled @ false, .. } | Stage::Down { is_settled: settled @ false, .. } => {
                *settled = true;
                self.restart_round();
                ""
            }
            Stage::Up { usual, .. } => {
                let before = usual.level;
                let speed = speed(&self.measure, &usual.measure, always_opens).unwrap_or(0.0);
                let gain = gain(self.level, before, speed);
                if gain >= GAIN_TO_KEEP {
                    self.pause = FIRST_PAUSE;
                    self.borne = Some(self.level);
                    if self.calm_until.is_none() && self.may_grow(left, now) {
                        return self.double();
                    }
                    if self.may_grow(left, now) {
                        let measure = std::mem::take(&mut self.measure);
                        return self.try_up(measure);
                    }
                    self.hold_here(now);
                    return "";
                }
                let usual = std::mem::take(&mut usual.measure);
                self.level = before;
                self.try_down(usual)
            }
            Stage::Down { usual, link_changed, .. } => {
                let link_changed = *link_changed;
                let (before, measure) = (usual.level, std::mem::take(&mut usual.measure));
                let speed = speed(&self.measure, &measure, always_opens).unwrap_or(0.0);
                self.pause = (self.pause * 2).min(LAST_PAUSE);
                if gain(self.level, before, speed) >= COST_TO_KEEP {
                    self.hold_here(now);
                    return "";
                }
                self.level = before;
                if link_changed && self.may_grow(left, now) {
                    self.measure = measure;
                    return self.double();
                }
                self.hold(measure, now);
                "fewer carry less"
            }
        }
    }

    /// The level was kept for a round.
    fn kept(&mut self, speed: f64, slow_rounds: u32, is_due: bool, left: Option<usize>, now: Instant) -> &'static str {
        if speed >= CHANGED_UP && self.calm_until.is_none() && self.may_grow(left, now) {
            self.pause = FIRST_PAUSE;
            return self.double();
        }
        let is_processor_bound = self.is_processor_bound();
        if slow_rounds >= 2 && self.level > self.floor && !is_processor_bound {
            self.pause = FIRST_PAUSE;
            let usual = Before { level: self.level, round: self.round, measure: std::mem::take(&mut self.measure) };
            self.level = (self.level / 2).max(self.floor);
            self.stage = Stage::Down { usual, is_settled: false, link_changed: true };
            self.restart_round();
            return "the link carries less than before";
        }
        let may_grow = self.may_grow(left, now);
        self.restart_round();
        if !is_due || is_processor_bound || slow_rounds > 0 {
            return "";
        }
        let Stage::Hold { usual, until, .. } = &mut self.stage else { return "" };
        if let Some(calm) = self.calm_until.filter(|calm| now < *calm) {
            *until = calm;
            return "";
        }
        let usual = std::mem::take(usual);
        if may_grow { self.try_up(usual) } else { self.try_down(usual) }
    }

    fn try_up(&mut self, usual: Measure) -> &'static str {
        let usual = Before { level: self.level, round: self.round, measure: usual };
        self.level = part(self.level, TRY_UP).clamp(self.level + 1, self.cap);
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
        "more may carry more"
    }

    fn try_down(&mut self, usual: Measure) -> &'static str {
        let usual = Before { level: self.level, round: self.round, measure: usual };
        self.level = part(self.level, TRY_DOWN).max(self.floor);
        self.stage = Stage::Down { usual, is_settled: false, link_changed: false };
        self.restart_round();
        "fewer are tried"
    }

    /// Keeps the level, with what was measured there.
    fn hold_here(&mut self, now: Instant) {
        let measure = std::mem::take(&mut self.measure);
        self.hold(measure, now);
    }

    fn hold(&mut self, usual: Measure, now: Instant) {
        self.stage = Stage::Hold { usual, until: now + self.pause, slow_rounds: 0 };
        self.restart_round();
    }

    /// Whether more attempts under way could make the rest faster.
    fn may_grow(&self, left: Option<usize>, now: Instant) -> bool {
        let mean = self.measure.mean();
        let rest = |left: usize| mean.mul_f64(f64_of(left) / f64_of(self.level));
        let is_nearly_done = left.zip(self.opening_takes).is_some_and(|(left, opening)| rest(left) < opening);
        let is_calm = self.calm_until.is_some_and(|until| now < until);
        self.level < self.cap && !self.is_processor_bound() && !is_nearly_done && !is_calm
    }

    fn is_processor_bound(&self) -> bool {
        match self.measure.mean_open() {
            Some(mean) => mean < PROCESSOR_BOUND,
            None => self.measure.mean() < PROCESSOR_BOUND_OPENING,
        }
    }
}

fn speed(now: &Measure, before: &Measure, always_opens: bool) -> Option<f64> {
    if always_opens { now.speed_opened(before, 1.0) } else { now.speed_open(before) }
}

/// So much of a level, to the nearest number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small, and not negative")]
fn part(level: usize, of: f64) -> usize {
    (f64_of(level) * of).round() as usize
}
