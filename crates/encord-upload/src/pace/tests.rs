//! The transitions of the pace one by one, and laws for all of them.

use proptest::prelude::*;

use super::model::{Batch, OverCapacity, World, run};
use super::*;

const MS: Duration = Duration::from_millis(1);

/// Drives a pace against an origin. The test says how long each answer takes.
struct Driver {
    pace: Pace,
    now: Instant,
}

impl Driver {
    fn new(cap: usize) -> Self {
        Self { pace: Pace::new(cap), now: Instant::now() }
    }

    /// Begins as many attempts as the pace allows.
    fn begin_all(&mut self) -> Vec<Started> {
        let mut started = Vec::new();
        while self.pace.next(self.now, None) == Next::Now {
            started.push(self.pace.begin(self.now));
        }
        started
    }

    /// Begins as many attempts as the pace allows, and ends all of them after `took`. Returns their number.
    fn round(&mut self, took: Duration, feedback: Feedback) -> usize {
        if let Next::At(at) = self.pace.next(self.now, None) {
            self.now = at;
        }
        let started = self.begin_all();
        self.now += took;
        for started in &started {
            self.pace.end(*started, feedback, self.now, None);
        }
        started.len()
    }

    fn rounds(&mut self, rounds: usize, took: Duration, feedback: Feedback) -> Vec<usize> {
        (0..rounds).map(|_| self.round(took, feedback)).collect()
    }
}

const DONE: Feedback = Feedback::Done { bytes: 1000, opened: false };
const OPENED: Feedback = Feedback::Done { bytes: 1000, opened: true };
const REFUSED: Feedback = Feedback::Overloaded(Overload::Refused);

#[test]
fn u10_the_number_under_way_is_doubled_while_that_brings_much() {
    // An attempt takes 5 ms at every level, so the level grows to the cap.
    assert_eq!(Driver::new(256).rounds(9, 5 * MS, DONE), [32, 64, 64, 64, 128, 128, 128, 256, 256]);
    // The processor is the limit.
    assert_eq!(Driver::new(256).rounds(6, 3 * MS, DONE), [32; 6]);
    assert_eq!(Driver::new(256).rounds(6, 15 * MS, OPENED), [32; 6]);
    // Each attempt opens its connection.
    assert_eq!(Driver::new(256).rounds(5, 30 * MS, OPENED), [32, 64, 128, 256, 256]);
    assert_eq!(Driver::new(40).rounds(5, 30 * MS, OPENED), [32, 40, 40, 40, 40]);
    assert_eq!(Driver::new(2).rounds(3, 30 * MS, OPENED), [2; 3]);
}

#[test]
fn u10_a_doubling_that_brings_nothing_is_taken_back() {
    let mut driver = Driver::new(256);
    assert_eq!(driver.round(30 * MS, OPENED), 32);
    // An attempt takes twice as long at the doubled level.
    assert_eq!(driver.round(60 * MS, OPENED), 64);
    assert_eq!(driver.pace.limit(), 32);
}

#[test]
fn u10_without_an_answer_for_long_the_first_doubling_does_not_wait() {
    let mut driver = Driver::new(256);
    let first = driver.begin_all();
    assert_eq!(first.len(), 32);
    let Next::At(at) = driver.pace.next(driver.now, None) else { panic!("there is an early check") };
    assert_eq!(at, driver.now + 40 * MS);
    driver.now = at;
    assert_eq!(driver.begin_all().len(), 32);
    assert_eq!(driver.pace.next(driver.now, None), Next::Full);
}

#[test]
fn u10_more_or_fewer_are_tried_now_and_then() {
    let mut driver = Driver::new(256);
    driver.round(30 * MS, OPENED);
    driver.round(60 * MS, OPENED);
    assert_eq!(driver.pace.limit(), 32);
    // The line is the limit: the time of an attempt grows with the level.
    let mut seen = Vec::new();
    for _ in 0..4000 {
        let level = driver.pace.limit();
        driver.round(MS * u32::try_from(level).unwrap(), DONE);
        seen.push(level);
        assert!((4..=48).contains(&level), "{seen:?}");
    }
    seen.dedup();
    assert_eq!(seen[..5], [32, 40, 24, 30, 18], "{seen:?}");
    assert!(driver.pace.limit() < 16, "a lower level is as fast: {seen:?}");
}

#[test]
fn u10_a_link_that_carries_more_or_less_than_before_is_noticed() {
    let mut driver = Driver::new(64);
    driver.rounds(20, 30 * MS, DONE);
    assert_eq!(driver.pace.limit(), 64);
    // The lower level is not faster, so the level soon rises again.
    driver.rounds(2, 300 * MS, DONE);
    assert_eq!(driver.pace.limit(), 32);
    driver.rounds(3, 300 * MS, DONE);
    assert_eq!(driver.pace.limit(), 64);

    let mut driver = Driver::new(256);
    driver.round(30 * MS, OPENED);
    driver.round(60 * MS, OPENED);
    driver.rounds(5, 30 * MS, DONE);
    assert_eq!(driver.pace.limit(), 32);
    driver.round(10 * MS, DONE);
    assert_eq!(driver.pace.limit(), 64);
}

#[test]
fn u10_an_overload_goes_back_to_what_was_borne() {
    let mut driver = Driver::new(256);
    driver.rounds(2, 30 * MS, OPENED);
    assert_eq!(driver.pace.limit(), 128);
    let started = driver.begin_all();
    for started in &started {
        driver.pace.end(*started, REFUSED, driver.now, None);
    }
    // The level is cut once, although all attempts of the round were refused.
    assert_eq!(driver.pace.limit(), 64);
    // The level does not grow for a while.
    let cut_at = driver.now;
    while driver.now < cut_at + Duration::from_millis(1900) {
        assert!(driver.round(30 * MS, DONE) <= 64);
    }
    driver.rounds(100, 30 * MS, DONE);
    assert!(driver.pace.limit() > 64);
}

#[test]
fn u10_a_refusal_now_and_then_is_no_overload() {
    let mut driver = Driver::new(256);
    for attempt in 1..5000 {
        let started = driver.pace.begin(driver.now);
        driver.now += MS;
        let ended = if attempt % 50 == 0 { REFUSED } else { DONE };
        driver.pace.end(started, ended, driver.now, None);
        assert_eq!((driver.pace.limit(), driver.pace.next(driver.now, None)), (32, Next::Now));
    }
}

#[test]
fn u10_an_overload_that_fewer_at_once_do_not_end_puts_time_between_attempts() {
    let mut driver = Driver::new(256);
    driver.round(MS, REFUSED);
    assert_eq!((driver.pace.limit(), driver.pace.next(driver.now, None)), (22, Next::Now));
    driver.round(MS, REFUSED);
    // The rate is 10 per second at first, and is halved until it is 2.
    for spacing in [100_u128, 200, 400, 500, 500] {
        let Next::At(at) = driver.pace.next(driver.now, None) else { panic!("there is time between attempts") };
        assert!(at.duration_since(driver.now).as_millis().abs_diff(spacing) <= 1, "{spacing}");
        driver.rounds(3, MS, REFUSED);
    }
    // Accepted attempts raise the rate, until only the level is the limit.
    driver.rounds(3000, 20 * MS, DONE);
    assert_eq!(driver.pace.next(driver.now, None), Next::Now);
    assert_eq!(driver.begin_all().len(), driver.pace.limit());
}

#[test]
fn r6_u10_a_retry_after_holds_the_origin_and_passes_come_one_after_the_other_afterwards() {
    let mut driver = Driver::new(256);
    let wait = Duration::from_secs(60);
    let started = driver.begin_all();
    let since = driver.now;
    let refuse = |driver: &mut Driver, started, wait| {
        driver.pace.end(started, Feedback::Overloaded(Overload::RetryAfter(wait)), driver.now, None)
    };
    refuse(&mut driver, started[0], wait);
    refuse(&mut driver, started[1], wait / 2);
    assert_eq!(driver.pace.next(driver.now, None), Next::At(since + wait));
    for started in &started[2..] {
        driver.pace.end(*started, DONE, driver.now + MS, None);
    }
    driver.now = since + wait;
    assert_eq!(driver.pace.held_since(since + wait / 4, driver.now), wait / 4 * 3);
    assert_eq!(driver.pace.held_since(since + 2 * wait, since + 3 * wait), Duration::ZERO);
    driver.pace.brake.accepted(driver.pace.brake.cuts(), MS, 32, driver.now);
    let counts = driver.rounds(5, MS, DONE);
    assert!(counts.windows(2).all(|pair| pair[1] <= 2 * pair[0]), "{counts:?}");
    refuse(&mut driver, started[0], Duration::ZERO);
    assert_eq!(driver.pace.next(driver.now, None), Next::Now, "a wait of zero is none");
    refuse(&mut driver, started[0], Duration::MAX);
    assert_eq!(driver.pace.next(driver.now, None), Next::Now, "an endless wait is ignored");
}

#[test]
fn r6_u10_a_retry_after_beyond_the_limit_holds_nobody_and_lowers_the_pace() {
    let mut driver = Driver::new(256);
    driver.rounds(10, MS, Feedback::Overloaded(Overload::RetryAfterTooLong));
    assert_eq!((driver.pace.limit(), driver.pace.next(driver.now, None)), (4, Next::Now));
}

#[test]
fn u10_a_fault_that_is_no_overload_lowers_nothing() {
    assert_eq!(Driver::new(256).rounds(10, 3 * MS, Feedback::Failed), [32; 10]);
    let mut driver = Driver::new(256);
    driver.rounds(10, MS, Feedback::Overloaded(Overload::TimedOut));
    assert_eq!((driver.pace.limit(), driver.pace.next(driver.now, None)), (4, Next::Now));
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Begin,
    End(usize, Feedback),
    Abort(usize),
    Wait(u64),
}

fn act() -> impl Strategy<Value = Act> {
    let ended = prop_oneof![
        4 => (0_u64..1 << 30, any::<bool>()).prop_map(|(bytes, opened)| Feedback::Done { bytes, opened }),
        2 => Just(REFUSED),
        1 => (0_u64..200).prop_map(|seconds| Feedback::Overloaded(Overload::RetryAfter(Duration::from_secs(seconds)))),
        1 => Just(Feedback::Overloaded(Overload::RetryAfterTooLong)),
        1 => Just(Feedback::Overloaded(Overload::TimedOut)),
        1 => Just(Feedback::Failed),
    ];
    prop_oneof![
        6 => Just(Act::Begin),
        6 => (any::<usize>(), ended).prop_map(|(which, ended)| Act::End(which, ended)),
        1 => any::<usize>().prop_map(Act::Abort),
        3 => (0_u64..500).prop_map(Act::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn u10_never_above_the_cap_nor_below_the_floor_and_what_is_held_is_let_go(
        cap in 1_usize..400,
        acts in proptest::collection::vec(act(), 0..600),
        left in proptest::option::of(0_usize..1000),
    ) {
        let mut pace = Pace::new(cap);
        let mut now = Instant::now();
        let mut under_way = Vec::new();
        for act in acts {
            match act {
                Act::Begin => if pace.next(now, left) == Next::Now { under_way.push(pace.begin(now)) },
                Act::End(which, ended) if !under_way.is_empty() => {
                    let started = under_way.swap_remove(which % under_way.len());
                    pace.end(started, ended, now, left);
                }
                Act::Abort(which) if !under_way.is_empty() => {
                    under_way.swap_remove(which % under_way.len());
                    pace.abort();
                }
                Act::Wait(milliseconds) => now += MS * u32::try_from(milliseconds).unwrap(),
                Act::End(..) | Act::Abort(_) => {}
            }
            prop_assert!(under_way.len() <= cap && pace.under_way() == under_way.len());
            prop_assert!((FLOOR_ATTEMPTS.min(cap)..=cap).contains(&pace.climb.level()));
            prop_assert!(pace.limit() >= 1);
        }
        // When no attempt is under way, another may always begin, after at most the longest hold.
        for started in under_way {
            pace.end(started, Feedback::Failed, now, left);
        }
        if let Next::At(at) = pace.next(now, left) {
            prop_assert!(at <= now + Duration::from_secs(200));
            now = at;
        }
        prop_assert_eq!(pace.next(now, left), Next::Now);
    }

    /// Every item ends, also at a store that changes, and none has more than four attempts.
    #[test]
    fn u10_every_batch_ends(
        seed in any::<u64>(),
        items in 1_usize..400,
        capacity in 1_usize..200,
        service in 0.0_f64..50.0,
        round_trip in 0.0_f64..200.0,
        rate in prop_oneof![Just(f64::INFINITY), 1.0_f64..500.0],
        retry_after in proptest::option::of(0.0_f64..10.0),
        over_capacity in prop_oneof![Just(OverCapacity::SlowDown), Just(OverCapacity::Queue), Just(OverCapacity::Refuse)],
        change in 0.0_f64..5.0,
    ) {
        let world = World { capacity, over_capacity, rate, retry_after, ..World::plain(round_trip, service, 0.0) };
        let then = Some((change, World { capacity: 1000, ..World::plain(20.0, 5.0, 100.0) }));
        let mut pace = Pace::new(CAP_ATTEMPTS);
        let outcome = run(world, &Batch { items, bytes: |_| 1000.0, then, seed }, &mut pace);
        prop_assert_eq!(outcome.uploaded + outcome.lost + outcome.banned, items);
        prop_assert!(outcome.most_attempts_of_one <= 4 && outcome.most_under_way <= CAP_ATTEMPTS);
        prop_assert_eq!(pace.under_way(), 0);
    }
}
