//! The phase clock of one attempt: which documented limit expires next, and when (rules R7–R9).
//!
//! It is a state machine without a clock or a timer of its own. Each event is given with its time since the attempt began.

use std::time::Duration;

use encord_http_settings::RequestsSettings;

use crate::phase::{Limit, Phase, Profile};

/// Something that happened to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Event {
    /// The request has a connection, new or from the pool.
    Connected,
    /// The operating system took some bytes of the request.
    Progress,
    /// The last byte of the payload is on the network, as far as this can be known, or there is no payload.
    Sent,
    /// Some of what was taken for sent has not reached the peer. This event cancels `Sent`.
    NotSent,
    /// The first byte of the response came.
    FirstByte,
    /// An interim response arrived (1xx, RFC 9110 §15.2); the response itself has not begun. This event cancels `FirstByte`,
    /// because an interim response cannot be told from the response before its head is read.
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

    /// Records an event. A repeated event counts once. If its time is before the time of an earlier event, the earlier event's
    /// time is used, so that the clock never goes back.
    pub(crate) fn record(&mut self, event: Event, at: Duration) {
        let at = at.max(self.latest);
        self.latest = at;
        if event != Event::Connected && self.connected.is_none() {
            self.record(Event::Connected, at);
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
            Event::NotSent => (self.sent, self.progress) = (None, at),
            Event::FirstByte => self.first_byte = self.first_byte.or(Some(at)),
            Event::Interim => self.first_byte = None,
            Event::Done => self.done = true,
        }
    }

    /// How the limits are interpreted.
    pub(crate) fn profile(&self) -> Profile {
        self.profile
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

    /// Returns the limit that expires next, and when. `None` once the attempt is done, or when no limit applies.
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
        // A response that begins before the payload is complete starts the read clock too, because the payload may never be
        // completed.
        let read = due(self.sent.into_iter().chain(self.first_byte).min(), self.read, Limit::Read);
        [write, first_byte, read].into_iter().flatten().min_by_key(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests;
