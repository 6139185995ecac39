//! Which limit expires next.

use encord_http_settings::Timeout;
use proptest::prelude::*;

use super::*;

fn settings() -> RequestsSettings {
    RequestsSettings {
        connect_timeout: Timeout::from_secs(10).expect("> 0"),
        write_timeout: Timeout::from_secs(20).expect("> 0"),
        read_timeout: Timeout::from_secs(30).expect("> 0"),
        ..RequestsSettings::default()
    }
}

/// Feeds events with their seconds and checks phase and next limit after the last.
#[track_caller]
fn check(profile: Profile, events: &[(Event, u64)], phase: Phase, next: Option<(u64, Limit)>) {
    let mut clock = PhaseClock::new(&settings(), profile);
    for (event, at) in events {
        clock.record(*event, Duration::from_secs(*at));
    }
    assert_eq!(clock.phase(), phase);
    assert_eq!(clock.next_limit(), next.map(|(at, which)| (Duration::from_secs(at), which)));
}

use Event::{Connected, Done, FirstByte, Progress, Sent};
use Profile::{Stall, Total};

#[test]
fn r7_connect_timeout_bounds_the_connection_then_the_first_byte() {
    check(Total, &[], Phase::Connecting, Some((10, Limit::Connect)));
    check(Stall, &[], Phase::Connecting, Some((10, Limit::Connect)));
    check(Total, &[(Connected, 4)], Phase::Sending, Some((14, Limit::FirstByte)));
    check(Total, &[(Connected, 4), (Sent, 9)], Phase::Waiting, Some((14, Limit::FirstByte)));
    check(Stall, &[(Connected, 4), (Sent, 9)], Phase::Waiting, Some((19, Limit::FirstByte)));
}

#[test]
fn r8_write_timeout_bounds_the_payload_or_its_stalls() {
    let mut long_first_byte = settings();
    long_first_byte.connect_timeout = Timeout::UNLIMITED;
    let mut clock = PhaseClock::new(&long_first_byte, Total);
    clock.record(Connected, Duration::from_secs(4));
    clock.record(Progress, Duration::from_secs(23));
    assert_eq!(clock.next_limit(), Some((Duration::from_secs(24), Limit::Write)));
    check(Stall, &[(Connected, 4)], Phase::Sending, Some((24, Limit::Write)));
    check(Stall, &[(Connected, 4), (Progress, 23)], Phase::Sending, Some((43, Limit::Write)));
    check(Stall, &[(Connected, 4), (Progress, 23), (Progress, 42)], Phase::Sending, Some((62, Limit::Write)));
}

#[test]
fn r7_r8_bytes_that_have_not_reached_the_peer_are_not_sent() {
    let late = [(Connected, 4), (Sent, 9), (Event::NotSent, 19)];
    check(Stall, &late, Phase::Sending, Some((39, Limit::Write)));
    check(Stall, &[late.as_slice(), &[(Progress, 30)]].concat(), Phase::Sending, Some((50, Limit::Write)));
    check(Stall, &[late.as_slice(), &[(Sent, 30)]].concat(), Phase::Waiting, Some((40, Limit::FirstByte)));
}

#[test]
fn r8_a_payload_that_moves_ten_times_the_limit_passes_as_an_upload_and_fails_as_a_request() {
    let mut unlimited_first_byte = settings();
    unlimited_first_byte.connect_timeout = Timeout::UNLIMITED;
    for (profile, passes) in [(Stall, true), (Total, false)] {
        let mut clock = PhaseClock::new(&unlimited_first_byte, profile);
        clock.record(Connected, Duration::ZERO);
        let in_time = (1..=200).map(Duration::from_secs).all(|now| {
            let in_time = clock.next_limit().is_none_or(|(at, _)| now <= at);
            clock.record(Progress, now);
            in_time
        });
        assert_eq!(in_time, passes, "{profile:?}");
    }
}

#[test]
fn r9_read_timeout_bounds_the_whole_response_and_drips_do_not_help() {
    for profile in [Total, Stall] {
        let sent = [(Connected, 0), (Sent, 5), (FirstByte, 7)];
        check(profile, &sent, Phase::Reading, Some((35, Limit::Read)));
        check(
            profile,
            &[sent.as_slice(), &[(Progress, 9), (FirstByte, 20), (Sent, 30)]].concat(),
            Phase::Reading,
            Some((35, Limit::Read)),
        );
        check(profile, &[sent.as_slice(), &[(Done, 9)]].concat(), Phase::Done, None);
    }
}

#[test]
fn r9_an_answer_before_the_payload_is_complete_is_bounded_too() {
    check(Total, &[(Connected, 0), (FirstByte, 5)], Phase::Reading, Some((20, Limit::Write)));
    check(Stall, &[(Connected, 0), (FirstByte, 5), (Progress, 18)], Phase::Reading, Some((35, Limit::Read)));
}

#[test]
fn r9_an_interim_response_starts_no_clock() {
    check(Stall, &[(Connected, 0), (FirstByte, 5), (Event::Interim, 5)], Phase::Sending, Some((20, Limit::Write)));
    check(
        Total,
        &[(Connected, 0), (Sent, 1), (FirstByte, 5), (Event::Interim, 5)],
        Phase::Waiting,
        Some((10, Limit::FirstByte)),
    );
}

#[test]
fn an_event_implies_the_connection_and_time_never_goes_back() {
    check(Total, &[(FirstByte, 3)], Phase::Reading, Some((23, Limit::Write)));
    check(Total, &[(Connected, 5), (Connected, 8)], Phase::Sending, Some((15, Limit::FirstByte)));
    check(Stall, &[(Connected, 5), (Sent, 3)], Phase::Waiting, Some((15, Limit::FirstByte)));
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![Just(Connected), Just(Progress), Just(Sent), Just(FirstByte), Just(Done)]
}

proptest! {
    #[test]
    fn r7_r8_r9_there_is_a_next_limit_until_done_and_phases_only_advance(
        events in prop::collection::vec((event(), 0u64..1000), 0..20),
        stall in any::<bool>(),
    ) {
        let mut clock = PhaseClock::new(&settings(), if stall { Stall } else { Total });
        let mut phase = clock.phase();
        for (event, at) in events {
            clock.record(event, Duration::from_secs(at));
            prop_assert!(clock.phase() >= phase);
            phase = clock.phase();
            prop_assert_eq!(clock.next_limit().is_none(), phase == Phase::Done);
        }
    }
}
