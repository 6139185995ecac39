//! Pauses and holds, as plain values.

use super::*;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn c7_a_poll_is_held_for_a_third_of_the_clocks_that_run() {
    let timeout = |seconds| Timeout::from_secs(seconds).unwrap();
    let hold = |connect_timeout, read_timeout| {
        hold(&RequestsSettings { connect_timeout, read_timeout, ..RequestsSettings::default() })
    };
    assert_eq!(hold(timeout(180), timeout(180)), secs(60));
    assert_eq!(hold(timeout(30), timeout(180)), secs(10));
    assert_eq!(hold(timeout(180), timeout(9)), secs(3));
    assert_eq!(hold(timeout(1), timeout(180)), secs(1) / 3);
    assert_eq!(hold(timeout(7200), Timeout::UNLIMITED), secs(60));
    assert_eq!(hold(Timeout::UNLIMITED, Timeout::UNLIMITED), secs(60));
}

#[test]
fn polls_begin_a_second_apart_and_further_apart_for_old_jobs() {
    for (age, took, expected) in [
        (secs(0), secs(0), secs(1)),
        (secs(10), Duration::from_millis(300), Duration::from_millis(700)),
        (secs(100), secs(0), secs(5)),
        (secs(100), secs(5), secs(0)),
        (secs(3600), secs(0), secs(10)),
        (secs(3600), secs(60), secs(0)),
    ] {
        assert_eq!(pause(age, took), expected, "{age:?} {took:?}");
    }
}

proptest::proptest! {
    #[test]
    fn no_two_polls_begin_within_a_second(age in 0_u64..10_000_000, took in 0_u64..10_000_000) {
        let (age, took) = (Duration::from_millis(age), Duration::from_millis(took));
        proptest::prop_assert!(pause(age, took) + took >= MIN_PAUSE);
        proptest::prop_assert!(pause(age, took) <= MAX_PAUSE);
    }
}
