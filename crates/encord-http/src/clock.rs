//! The phase clock of one attempt: which documented limit falls due next, and when (rules R7–R9).
//!
//! A plain state machine on explicit times. It is told what happened and when, as the time since the attempt began; it reads no
//! clock and sets no timer.

use std::fmt;
use std::time::Duration;

use encord_http_settings::RequestsSettings;

/// Where an attempt stands. Phases follow each other in this order; some may be skipped, and none comes back, unless what had
/// looked like the response turns out to be an interim one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Before the network, when no clock runs yet: the URL is checked, the payload opened.
    Preparing,
    /// Waiting for a connection: DNS, TCP, TLS, or one from the pool.
    Connecting,
    /// The connection is there; the payload is on its way to the operating system.
    Sending,
    /// The payload is sent; nothing of the response has come.
    Waiting,
    /// The first byte of the response has come, the last one has not.
    Reading,
    /// The whole response is there.
    Done,
}

/// A limit of [`RequestsSettings`] that can run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// `connect_timeout`, on the way to a connection (R7, first half).
    Connect,
    /// `connect_timeout`, from the connection to the first byte of the response (R7, second half).
    FirstByte,
    /// `write_timeout` (R8).
    Write,
    /// `read_timeout` (R9).
    Read,
}

/// How the limits are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Profile {
    /// As documented: `write_timeout` bounds the whole payload, and the first byte of the response is due `connect_timeout`
    /// after the connection was there. For requests.
    #[default]
    Total,
    /// `write_timeout` bounds every period in which the payload makes no progress, and the first byte is due `connect_timeout`
    /// after the payload was sent. For uploads, which take as long as the file needs.
    Stall,
}

/// Something that happened to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// A connection is there for this request, new or from the pool.
    Connected,
    /// The operating system took some bytes of the request.
    Progress,
    /// The operating system took the last byte of the payload, or there is none.
    Sent,
    /// The first byte of the response came.
    FirstByte,
    /// What came was an interim response (1xx, RFC 9110 §15.2): the response itself has not begun. The only event that takes
    /// another one back, because an interim response cannot be told from the response before its head is read.
    Interim,
    /// The last byte of the response came.
    Done,
}

/// The clock of one attempt. Every attempt starts its own (rule R10).
#[derive(Debug, Clone)]
pub struct PhaseClock {
    connect: Option<Duration>,
    write: Option<Duration>,
    read: Option<Duration>,
    profile: Profile,
    latest: Duration,
    connected: Option<Duration>,
    progress: Duration,
    sent: Option<Duration>,
    first_byte: Option<Duration>,
    done: bool,
}

impl PhaseClock {
    /// A clock that starts at time zero in [`Phase::Connecting`].
    pub fn new(settings: &RequestsSettings, profile: Profile) -> Self {
        Self {
            connect: settings.connect_timeout.as_duration(),
            write: settings.write_timeout.as_duration(),
            read: settings.read_timeout.as_duration(),
            profile,
            latest: Duration::ZERO,
            connected: None,
            progress: Duration::ZERO,
            sent: None,
            first_byte: None,
            done: false,
        }
    }

    /// Takes note of an event. An event that comes twice counts once; a time before that of an earlier event is taken as that
    /// event's time, so that the clock never goes back.
    pub fn on(&mut self, event: Event, at: Duration) {
        let at = at.max(self.latest);
        self.latest = at;
        if event != Event::Connected && self.connected.is_none() {
            self.on(Event::Connected, at);
        }
        match event {
            Event::Connected => {
                if self.connected.is_none() {
                    self.connected = Some(at);
                    self.progress = at;
                }
            }
            Event::Progress => self.progress = at,
            Event::Sent => self.sent = self.sent.or(Some(at)),
            Event::FirstByte => self.first_byte = self.first_byte.or(Some(at)),
            Event::Interim => self.first_byte = None,
            Event::Done => self.done = true,
        }
    }

    /// Whether a limit may fall due sooner once the payload is sent than it does before.
    pub(crate) fn is_sooner_once_sent(&self) -> bool {
        let or_never = |limit: Option<Duration>| limit.unwrap_or(Duration::MAX);
        let (connect, write, read) = (or_never(self.connect), or_never(self.write), or_never(self.read));
        match self.profile {
            // All of them from the connection on, but `read` from the payload sent.
            Profile::Total => read < connect.min(write),
            // `write` from the last progress, the others from the payload sent, which is that or later.
            Profile::Stall => connect.min(read) < write,
        }
    }

    /// The phase the attempt is in.
    pub fn phase(&self) -> Phase {
        match self {
            Self { done: true, .. } => Phase::Done,
            Self { first_byte: Some(_), .. } => Phase::Reading,
            Self { sent: Some(_), .. } => Phase::Waiting,
            Self { connected: Some(_), .. } => Phase::Sending,
            _ => Phase::Connecting,
        }
    }

    /// The limit that falls due next, and when. `None` once the attempt is done, or when the limits that apply are unlimited.
    pub fn next_limit(&self) -> Option<(Duration, Limit)> {
        if self.done {
            return None;
        }
        let Some(connected) = self.connected else {
            return self.connect.map(|limit| (limit, Limit::Connect));
        };
        let (write_from, first_byte_from) = match self.profile {
            Profile::Total => (connected, Some(connected)),
            Profile::Stall => (self.progress, self.sent),
        };
        let due = |from: Option<Duration>, limit: Option<Duration>, which| Some((from?.saturating_add(limit?), which));
        let write = due(self.sent.is_none().then_some(write_from), self.write, Limit::Write);
        let first_byte = due(first_byte_from.filter(|_| self.first_byte.is_none()), self.connect, Limit::FirstByte);
        // A response that begins before the payload is complete starts the read clock too: the payload may never be.
        let read = due(self.sent.into_iter().chain(self.first_byte).min(), self.read, Limit::Read);
        [write, first_byte, read].into_iter().flatten().min_by_key(|(at, _)| *at)
    }
}

impl Phase {
    /// The phase's name in reports: `preparing`, `connecting`, `sending`, `waiting`, `reading`, `done`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Connecting => "connecting",
            Self::Sending => "sending",
            Self::Waiting => "waiting",
            Self::Reading => "reading",
            Self::Done => "done",
        }
    }
}

impl Limit {
    /// The field of [`RequestsSettings`] that sets it.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Connect | Self::FirstByte => "connect_timeout",
            Self::Write => "write_timeout",
            Self::Read => "read_timeout",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
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
            clock.on(*event, Duration::from_secs(*at));
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
        clock.on(Connected, Duration::from_secs(4));
        clock.on(Progress, Duration::from_secs(23));
        assert_eq!(clock.next_limit(), Some((Duration::from_secs(24), Limit::Write)));
        check(Stall, &[(Connected, 4)], Phase::Sending, Some((24, Limit::Write)));
        check(Stall, &[(Connected, 4), (Progress, 23)], Phase::Sending, Some((43, Limit::Write)));
        check(Stall, &[(Connected, 4), (Progress, 23), (Progress, 42)], Phase::Sending, Some((62, Limit::Write)));
    }

    #[test]
    fn r8_a_payload_that_moves_ten_times_the_limit_passes_as_an_upload_and_fails_as_a_request() {
        let mut unlimited_first_byte = settings();
        unlimited_first_byte.connect_timeout = Timeout::UNLIMITED;
        for (profile, passes) in [(Stall, true), (Total, false)] {
            let mut clock = PhaseClock::new(&unlimited_first_byte, profile);
            clock.on(Connected, Duration::ZERO);
            let in_time = (1..=200).map(Duration::from_secs).all(|now| {
                let in_time = clock.next_limit().is_none_or(|(at, _)| now <= at);
                clock.on(Progress, now);
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

    #[test]
    fn only_what_falls_due_sooner_once_the_payload_is_sent_is_said_to() {
        #[track_caller]
        fn check(profile: Profile, [connect, write, read]: [u64; 3], expected: bool) {
            let [connect_timeout, write_timeout, read_timeout] =
                [connect, write, read].map(|seconds| Timeout::from_secs(seconds).expect("> 0"));
            let settings = RequestsSettings { connect_timeout, write_timeout, read_timeout, ..settings() };
            let clock = PhaseClock::new(&settings, profile);
            assert_eq!(clock.is_sooner_once_sent(), expected, "{profile:?} {connect} {write} {read}");
        }
        check(Total, [10, 20, 9], true);
        check(Total, [10, 20, 10], false);
        check(Total, [20, 10, 15], false);
        check(Stall, [9, 10, 20], true);
        check(Stall, [20, 10, 9], true);
        check(Stall, [10, 10, 10], false);
        check(Stall, [20, 10, 20], false);
    }

    #[test]
    fn names_are_those_of_the_reports_and_of_the_settings() {
        use Phase::{Connecting, Preparing, Reading, Sending, Waiting};
        let phases =
            [Preparing, Connecting, Sending, Waiting, Reading, Phase::Done].map(|phase| format!("{phase:<10}|"));
        assert_eq!(phases, ["preparing |", "connecting|", "sending   |", "waiting   |", "reading   |", "done      |"]);
        let fields = [Limit::Connect, Limit::FirstByte, Limit::Write, Limit::Read].map(Limit::field);
        assert_eq!(fields, ["connect_timeout", "connect_timeout", "write_timeout", "read_timeout"]);
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![Just(Connected), Just(Progress), Just(Sent), Just(FirstByte), Just(Done)]
    }

    proptest! {
        #[test]
        fn a_payload_that_is_sent_brings_no_limit_forward_unless_it_was_said_to(
            (connect, write, read) in (1u64..5, 1u64..5, 1u64..5),
            events in prop::collection::vec((event(), 0u64..10), 0..10),
            stall in any::<bool>(),
        ) {
            let seconds = |s| Timeout::from_secs(s).expect("> 0");
            let (connect_timeout, write_timeout, read_timeout) = (seconds(connect), seconds(write), seconds(read));
            let settings = RequestsSettings { connect_timeout, write_timeout, read_timeout, ..settings() };
            let mut clock = PhaseClock::new(&settings, if stall { Stall } else { Total });
            clock.on(Connected, Duration::ZERO);
            for (event, at) in events {
                clock.on(event, Duration::from_secs(at));
            }
            let before = clock.next_limit();
            clock.on(Sent, Duration::ZERO);
            let after = clock.next_limit();
            prop_assert!(clock.is_sooner_once_sent() || after.map(|(at, _)| at) >= before.map(|(at, _)| at));
        }

        #[test]
        fn r7_r8_r9_there_is_a_next_limit_until_done_and_phases_only_advance(
            events in prop::collection::vec((event(), 0u64..1000), 0..20),
            stall in any::<bool>(),
        ) {
            let mut clock = PhaseClock::new(&settings(), if stall { Stall } else { Total });
            let mut phase = clock.phase();
            for (event, at) in events {
                clock.on(event, Duration::from_secs(at));
                prop_assert!(clock.phase() >= phase);
                phase = clock.phase();
                prop_assert_eq!(clock.next_limit().is_none(), phase == Phase::Done);
            }
        }
    }
}
