//! The phase clock of one attempt: which documented limit falls due next, and when (rules R7–R9).
//!
//! A plain state machine on explicit times. It is told what happened and when, as the time since the attempt began; it reads no
//! clock and sets no timer.

use std::time::Duration;

use encord_http_settings::RequestsSettings;

use crate::phase::{Limit, Phase, Profile};

/// Something that happened to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Event {
    /// A connection is there for this request, new or from the pool.
    Connected,
    /// The operating system took some bytes of the request.
    Progress,
    /// The last byte of the payload is on the network, as far as that can be known, or there is none.
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
pub(crate) struct PhaseClock {
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
    pub(crate) fn new(settings: &RequestsSettings, profile: Profile) -> Self {
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
    pub(crate) fn on(&mut self, event: Event, at: Duration) {
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

    /// The phase the attempt is in.
    pub(crate) fn phase(&self) -> Phase {
        match self {
            Self { done: true, .. } => Phase::Done,
            Self { first_byte: Some(_), .. } => Phase::Reading,
            Self { sent: Some(_), .. } => Phase::Waiting,
            Self { connected: Some(_), .. } => Phase::Sending,
            _ => Phase::Connecting,
        }
    }

    /// The limit that falls due next, and when. `None` once the attempt is done, or when the limits that apply are unlimited.
    pub(crate) fn next_limit(&self) -> Option<(Duration, Limit)> {
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

#[cfg(test)]
mod tests;
