//! Compares the pace with fixed limits, in virtual time, where ratios are exact.

use super::*;
use crate::pace::CAP_ATTEMPTS;

const FIXED_LIMITS: [usize; 3] = [32, 128, 256];

/// Returns the outcome of the pace, and its time relative to that of the best fixed limit that loses no item.
fn compare(world: World, batch: &Batch) -> (Outcome, f64) {
    let outcome = run(world, batch, &mut Pace::new(CAP_ATTEMPTS));
    let fixed = FIXED_LIMITS.map(|number| run(world, batch, &mut Pace::fixed(number)));
    let best = fixed.iter().filter(|fixed| fixed.lost == 0).map(|fixed| fixed.seconds).fold(f64::INFINITY, f64::min);
    let ratio = outcome.seconds / best;
    (outcome, ratio)
}

const SMALL: fn(u64) -> f64 = |_| 4096.0;
const MIDDLE: fn(u64) -> f64 = |_| 65_536.0;
const MIXED: fn(u64) -> f64 = |random| [1e3, 16e3, 64e3, 256e3, 4e6][(random >> 20) as usize % 5];

#[test]
fn u10_on_every_link_nearly_as_fast_as_the_best_fixed_number() {
    #[track_caller]
    fn check(world: World, items: usize, bytes: fn(u64) -> f64, most: f64) {
        for seed in [1, 7] {
            let (outcome, ratio) = compare(world, &Batch { items, bytes, then: None, seed });
            assert!(ratio <= most, "{ratio:.2}: {world:?} {outcome:?}");
            assert_eq!(outcome.uploaded, items);
        }
    }
    let plain = World::plain;
    check(plain(0.0, 0.0, 0.0), 2000, MIDDLE, 1.05);
    check(plain(0.0, 20.0, 0.0), 2000, MIDDLE, 1.3);
    check(plain(10.0, 0.0, 1000.0), 2000, MIDDLE, 1.05);
    check(plain(50.0, 0.0, 0.0), 2000, SMALL, 1.5);
    check(plain(50.0, 0.0, 0.0), 2000, MIDDLE, 1.5);
    check(plain(50.0, 20.0, 1000.0), 2000, MIDDLE, 1.3);
    check(plain(50.0, 0.0, 100.0), 2000, MIXED, 1.05);
    check(plain(150.0, 0.0, 0.0), 2000, MIXED, 1.5);
    check(plain(50.0, 0.0, 0.0), 10_000, MIDDLE, 1.15);
    check(plain(150.0, 0.0, 100.0), 10_000, SMALL, 1.15);
    // The store closes connections.
    check(World { requests_per_connection: 1, ..plain(50.0, 20.0, 0.0) }, 2000, MIDDLE, 1.3);
    check(World { requests_per_connection: 100, ..plain(50.0, 20.0, 0.0) }, 2000, MIDDLE, 1.5);
}

#[test]
fn u10_a_store_with_limits_loses_no_item_and_is_used_well() {
    #[track_caller]
    fn check(world: World, items: usize, most: f64) {
        for seed in [1, 7] {
            let (outcome, ratio) = compare(world, &Batch { items, bytes: MIDDLE, then: None, seed });
            assert!(ratio <= most, "{ratio:.2}: {world:?} {outcome:?}");
            assert_eq!((outcome.lost, outcome.uploaded + outcome.banned), (0, items), "{world:?} {outcome:?}");
            // Some refusals are needed to find the limit of the store.
            assert!(outcome.refused * 10 <= items + 1000, "{world:?} {outcome:?}");
        }
    }
    let near = World { capacity: 64, ..World::plain(0.0, 20.0, 0.0) };
    let far = World { capacity: 64, ..World::plain(50.0, 20.0, 0.0) };
    for world in [near, far] {
        check(World { over_capacity: OverCapacity::SlowDown, ..world }, 2000, 1.35);
        check(World { over_capacity: OverCapacity::Queue, ..world }, 2000, 1.35);
        check(World { over_capacity: OverCapacity::Refuse, ..world }, 2000, 1.3);
        check(World { over_capacity: OverCapacity::Refuse, retry_after: Some(1.0), ..world }, 10_000, 1.3);
        check(World { banned_one_in: 50, capacity: usize::MAX, ..world }, 10_000, 1.3);
    }
    for (round_trip, rate, waits) in [(0.0, 20.0, 1.3), (0.0, 200.0, 1.5), (1.0, 50.0, 1.3), (1.0, 100.0, 1.3)] {
        // A fixed limit loses items, so the pace is compared with the rate of the store. Each wait of a second is lost.
        for (retry_after, most) in [(None, waits), (Some(1.0), waits + 0.7)] {
            let world = World { rate, retry_after, ..World::plain(round_trip, 5.0, 0.0) };
            let (outcome, _) = compare(world, &Batch { items: 1000, bytes: MIDDLE, then: None, seed: 7 });
            assert_eq!((outcome.lost, outcome.uploaded), (0, 1000), "{outcome:?}");
            assert!(outcome.seconds <= 1000.0 / rate * most, "{world:?} {outcome:?}");
        }
    }
    // 150 items at 20 per second.
    let batch = Batch { items: 150, bytes: |_| 300.0, then: None, seed: 3 };
    let outcome = run(World { rate: 20.0, ..World::plain(0.0, 0.0, 0.0) }, &batch, &mut Pace::new(CAP_ATTEMPTS));
    assert_eq!(outcome.uploaded, 150);
    assert!(outcome.seconds < 7.5 * 1.3, "{outcome:?}");
}

/// If a store refuses at random, slowing down does not help. The batch still slows down until it knows that, so the test looks at the
/// median and at the worst of five seeds.
#[test]
fn u10_a_store_that_refuses_by_chance_is_not_slowed_down_for() {
    #[track_caller]
    fn check(plain: World, limits: (usize, usize), refused_by_chance: f64, median: f64, most: f64) {
        let world = World { refused_by_chance, ..plain };
        let mut ratios = [1, 2, 5, 6, 9].map(|seed| {
            let batch = Batch { items: 20_000, bytes: MIDDLE, then: None, seed };
            let fixed = run(world, &batch, &mut Pace::fixed(limits.1));
            run(world, &batch, &mut Pace::new(limits.0)).seconds / fixed.seconds
        });
        ratios.sort_by(f64::total_cmp);
        assert!(ratios[2] <= median && ratios[4] <= most, "{refused_by_chance}: {ratios:.2?}");
    }
    for share in [0.01, 0.02, 0.03, 0.05, 0.1, 0.3] {
        check(World::plain(20.0, 5.0, 0.0), (CAP_ATTEMPTS, 128), share, 2.0, 12.0);
    }
    // Near and fast, so that a slow second costs thousands of attempts.
    for share in [0.05, 0.1, 0.2, 0.25, 0.3] {
        check(World::plain(0.3, 1.0, 0.0), (16, 16), share, 4.0, 20.0);
    }
}

/// Compares the pace with the best fixed limit of each half.
#[test]
fn u10_a_link_that_changes_in_the_middle_is_followed() {
    #[track_caller]
    fn check(first: World, second: World, at: f64, most: f64) {
        let batch = |items, then| Batch { items, bytes: MIDDLE, then, seed: 7 };
        let outcome = run(first, &batch(20_000, Some((at, second))), &mut Pace::new(CAP_ATTEMPTS));
        let best = |world, items| {
            let times = FIXED_LIMITS.map(|number| run(world, &batch(items, None), &mut Pace::fixed(number)).seconds);
            times.into_iter().fold(f64::INFINITY, f64::min)
        };
        let (before, after) = (outcome.done_before, 20_000 - outcome.done_before);
        let halves = [at / best(first, before), (outcome.seconds - at) / best(second, after)];
        assert!(halves.iter().all(|half| *half <= most), "{halves:?} {outcome:?}");
    }
    let plain = World::plain;
    check(plain(50.0, 0.0, 1000.0), plain(50.0, 0.0, 100.0), 5.0, 1.3);
    check(plain(50.0, 0.0, 100.0), plain(50.0, 0.0, 1000.0), 10.0, 1.3);
    check(plain(10.0, 0.0, 1000.0), plain(150.0, 0.0, 1000.0), 5.0, 1.3);
    check(
        plain(50.0, 20.0, 1000.0),
        World { capacity: 64, over_capacity: OverCapacity::SlowDown, ..plain(50.0, 20.0, 1000.0) },
        4.0,
        1.3,
    );
}
