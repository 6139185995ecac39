//! Tests of the list.

use super::*;

#[test]
fn growth_has_four_sizes_a_factor_of_ten_apart() {
    let files = |case: Case| case.sizes().iter().map(|case| case.files).collect::<Vec<_>>();
    let grows = Case { files: 100_000, growth: Some(Growth::Files), ..SMALL };
    assert_eq!(files(grows), [100, 1_000, 10_000, 100_000]);
    assert_eq!(files(grows.smoke()), [1, 1, 4, 40]);
    assert_eq!(files(SMALL), [2_000]);
}

#[test]
fn labels() {
    #[track_caller]
    fn check(case: Case, expected: &str) {
        assert_eq!(case.label(), expected);
    }
    check(SMALL, "2,000 files of 64 KiB");
    check(
        Case { service_ms: 20, in_flight: InFlight::Is(16), ..SMALL },
        "2,000 files of 64 KiB, 20 ms each, 16 in flight",
    );
    check(Case { tls: true, ..LARGE }, "one file of 2 GiB, TLS");
    check(LARGE.smoke(), "one file of 17 MiB");
}

#[test]
fn names_are_unique() {
    for (at, benchmark) in BENCHMARKS.iter().enumerate() {
        assert!(BENCHMARKS[..at].iter().all(|other| other.name != benchmark.name), "{}", benchmark.name);
    }
}
