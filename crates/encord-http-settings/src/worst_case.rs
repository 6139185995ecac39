//! The longest time that a request or an upload can take under its settings.

use core::time::Duration;

use crate::{Backoff, BackoffFactor, EffectiveUploadSettings, RETRY_AFTER_LIMIT, RequestsSettings, Timeout};

impl RequestsSettings {
    /// Returns the longest time that one request can take before it succeeds or fails for good, or `None` if a timeout is
    /// unlimited. A time that a [`Duration`] cannot hold is [`Duration::MAX`].
    ///
    /// It is the sum of
    ///
    /// - the tries to get a connection: `(1 + max_retries + connection_retries) * connect_timeout`;
    /// - the attempts: `(1 + max_retries) * (write_timeout + read_timeout)`; the time to the first byte, which
    ///   `connect_timeout` limits too, lies within these two;
    /// - the waits: `d_k` before retry k, for k from 1 to `max_retries + connection_retries`, where `d_k` is
    ///   `backoff_factor * 2^(k-1)` seconds and at most [`BACKOFF_CAP`](crate::BACKOFF_CAP). `Retry-After` can lengthen
    ///   `max_retries` of them to [`RETRY_AFTER_LIMIT`]. At worst these are the shortest ones: so the wait is
    ///   `max(d_k, RETRY_AFTER_LIMIT)` for k up to `max_retries`, and `d_k` for the others.
    ///
    /// Not counted are an attempt that is repeated without `Expect` after a 417, the hops of redirects, and the time that a disk
    /// takes to open the payload.
    ///
    /// ```
    /// use core::time::Duration;
    /// use encord_http_settings::{RequestsSettings, Timeout};
    ///
    /// // 7 tries of 180 s, 4 attempts of 360 s, waits of 3 * 120 s and 12 + 24 + 48 s.
    /// let settings = RequestsSettings::default();
    /// assert_eq!(settings.worst_case(), Some(Duration::from_secs(3144)));
    ///
    /// let patient = RequestsSettings { read_timeout: Timeout::UNLIMITED, ..settings };
    /// assert_eq!(patient.worst_case(), None);
    /// ```
    pub fn worst_case(&self) -> Option<Duration> {
        let attempt = nanos(self.write_timeout)?.saturating_add(nanos(self.read_timeout)?);
        self.worst_case_with(attempt)
    }

    /// Returns the worst case if each attempt takes up to `attempt` nanoseconds.
    fn worst_case_with(&self, attempt: u128) -> Option<Duration> {
        let retries = u64::from(self.max_retries);
        let all_retries = retries + u64::from(self.connection_retries);
        let tries = nanos(self.connect_timeout)?.saturating_mul(u128::from(all_retries) + 1);
        let attempts = attempt.saturating_mul(u128::from(retries) + 1);
        let waits = sum_of_waits(self.backoff_factor, 1, retries, RETRY_AFTER_LIMIT)
            + sum_of_waits(self.backoff_factor, retries + 1, all_retries, Duration::ZERO);
        Some(duration(tries.saturating_add(attempts).saturating_add(waits)))
    }
}

impl EffectiveUploadSettings {
    /// Returns the longest time that one upload can take, or `None` if a timeout is unlimited.
    ///
    /// The settings alone do not limit an upload: they limit pauses, and a payload without pauses may take as long as it needs.
    /// `sending` is your estimate of the time in which the payload of one attempt is sent. After it, an attempt ends at the latest
    /// when the payload stalls or the response does not come, so it takes up to `sending + max(write_timeout, read_timeout)`. The
    /// tries to get a connection and the waits are those of [`RequestsSettings::worst_case`].
    pub fn worst_case(&self, sending: Duration) -> Option<Duration> {
        let Self { requests, allow_failures: _ } = self;
        let stall = nanos(requests.write_timeout)?.max(nanos(requests.read_timeout)?);
        requests.worst_case_with(sending.as_nanos().saturating_add(stall))
    }
}

fn nanos(timeout: Timeout) -> Option<u128> {
    timeout.as_duration().map(|limit| limit.as_nanos())
}

/// From this retry on, all waits of a schedule are the same: the cap, or nothing for a factor of 0. The smallest other factor is
/// 2^-1074, and 2^-1074 * 2^1099 seconds are far above the cap.
const FIRST_CONSTANT_RETRY: u64 = 1100;

/// Returns the sum in nanoseconds of the waits before retry `first` to `last`, each at least `floor`. It cannot overflow: the
/// numbers of retries go up to 2^33.
fn sum_of_waits(factor: BackoffFactor, first: u64, last: u64, floor: Duration) -> u128 {
    let schedule = Backoff::new(factor);
    let wait = |retry: u64| {
        let delay = schedule.delay(u32::try_from(retry).unwrap_or(u32::MAX));
        delay.max(floor).as_nanos()
    };
    let doubling: u128 = (first..=last.min(FIRST_CONSTANT_RETRY - 1)).map(wait).sum();
    let settled = (last + 1).saturating_sub(first.max(FIRST_CONSTANT_RETRY));
    doubling + wait(FIRST_CONSTANT_RETRY) * u128::from(settled)
}

fn duration(nanos: u128) -> Duration {
    const PER_SECOND: u128 = 1_000_000_000;
    match (u64::try_from(nanos / PER_SECOND), u32::try_from(nanos % PER_SECOND)) {
        (Ok(seconds), Ok(rest)) => Duration::new(seconds, rest),
        _ => Duration::MAX,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn settings(max_retries: u32, factor: f64, connection_retries: u32) -> RequestsSettings {
        RequestsSettings {
            max_retries,
            backoff_factor: BackoffFactor::new(factor).unwrap(),
            connection_retries,
            ..RequestsSettings::default()
        }
    }

    #[track_caller]
    fn check(settings: RequestsSettings, seconds: u64) {
        assert_eq!(settings.worst_case(), Some(Duration::from_secs(seconds)));
    }

    #[test]
    fn r2_the_worst_case_of_a_request() {
        check(settings(0, 1.5, 0), 180 + 360);
        check(settings(0, 1.0, 2), 3 * 180 + 360 + 1 + 2);
        check(settings(2, 1.0, 0), 3 * 180 + 3 * 360 + 2 * 120);
        check(settings(0, 0.0, 5), 6 * 180 + 360);
        check(settings(2, 0.0, 5), 8 * 180 + 3 * 360 + 2 * 120);
        let most = u64::from(u32::MAX);
        check(settings(u32::MAX, 1.5, u32::MAX), (2 * most + 1) * 180 + (most + 1) * 360 + 2 * most * 120);
        // 0.0, 0.0, ... while the wait rounds to nothing, and 120 s in the end.
        let slow = settings(0, f64::from_bits(1), u32::MAX).worst_case();
        assert!(slow > Some(Duration::from_secs((most + 1) * 180 + (most - 1100) * 120)));
    }

    #[test]
    fn the_worst_case_saturates() {
        let longest = Timeout::new(Duration::MAX).unwrap();
        let settings = RequestsSettings {
            connect_timeout: longest,
            read_timeout: longest,
            write_timeout: longest,
            ..settings(u32::MAX, f64::MAX, u32::MAX)
        };
        assert_eq!(settings.worst_case(), Some(Duration::MAX));
    }

    #[test]
    fn r12_an_unlimited_timeout_has_no_worst_case() {
        let limited = RequestsSettings::default();
        let unlimited = Timeout::UNLIMITED;
        for settings in [
            RequestsSettings { connect_timeout: unlimited, ..limited },
            RequestsSettings { read_timeout: unlimited, ..limited },
            RequestsSettings { write_timeout: unlimited, ..limited },
        ] {
            assert_eq!(settings.worst_case(), None);
            let upload = EffectiveUploadSettings { requests: settings, allow_failures: false };
            assert_eq!(upload.worst_case(Duration::ZERO), None);
        }
    }

    #[test]
    fn the_worst_case_of_an_upload() {
        let requests = RequestsSettings {
            read_timeout: Timeout::from_secs(100).unwrap(),
            write_timeout: Timeout::from_secs(30).unwrap(),
            ..settings(1, 1.0, 2)
        };
        let upload = EffectiveUploadSettings { requests, allow_failures: true };
        assert_eq!(
            upload.worst_case(Duration::from_secs(7)),
            Some(Duration::from_secs(4 * 180 + 2 * (7 + 100) + 120 + 2 + 4))
        );
        assert_eq!(upload.worst_case(Duration::MAX), Some(Duration::MAX));
    }

    /// The documented sum, term by term.
    fn naive(settings: &RequestsSettings) -> Duration {
        let limit = |timeout: Timeout| timeout.as_duration().unwrap();
        let mut sum = Duration::ZERO;
        for _ in 0..=settings.max_retries + settings.connection_retries {
            sum += limit(settings.connect_timeout);
        }
        for _ in 0..=settings.max_retries {
            sum += limit(settings.write_timeout) + limit(settings.read_timeout);
        }
        for retry in 1..=settings.max_retries + settings.connection_retries {
            let doubled = settings.backoff_factor.get() * f64::from(retry - 1).exp2();
            let wait = Duration::from_secs_f64(doubled.min(120.0));
            sum += if retry <= settings.max_retries { wait.max(Duration::from_secs(120)) } else { wait };
        }
        sum
    }

    proptest! {
        #[test]
        fn the_closed_form_is_the_sum(
            max_retries in 0u32..40,
            factor in prop_oneof![Just(0.0), 0.0..1e-9, 0.0..200.0],
            connection_retries in 0u32..60,
            timeouts in [1u64..1000, 1u64..1000, 1u64..1000],
        ) {
            let [connect, read, write] = timeouts.map(|n| Timeout::from_secs(n).unwrap());
            let settings = RequestsSettings {
                connect_timeout: connect,
                read_timeout: read,
                write_timeout: write,
                ..settings(max_retries, factor, connection_retries)
            };
            prop_assert_eq!(settings.worst_case(), Some(naive(&settings)));
        }

        #[test]
        fn the_worst_case_never_panics(
            max_retries: u32,
            bits: u64,
            connection_retries: u32,
            nanos in 1u64..,
        ) {
            let settings = RequestsSettings {
                max_retries,
                backoff_factor: BackoffFactor::new(f64::from_bits(bits)).unwrap_or(BackoffFactor::ZERO),
                connection_retries,
                connect_timeout: Timeout::new(Duration::from_nanos(nanos)).unwrap(),
                ..RequestsSettings::default()
            };
            let without_retries = RequestsSettings {
                max_retries: 0,
                connection_retries: 0,
                ..settings
            };
            prop_assert!(settings.worst_case() >= without_retries.worst_case());
        }
    }
}
