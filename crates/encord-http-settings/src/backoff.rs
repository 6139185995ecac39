//! The schedule of waits between attempts, and the limits of a wait.

use core::iter::FusedIterator;
use core::time::Duration;

use crate::BackoffFactor;

/// The longest wait that a [`Backoff`](crate::Backoff) schedule gives, unless the cap is lifted: 120 s (rule R2).
///
/// It is the same as `Retry.DEFAULT_BACKOFF_MAX` of urllib3 2.
pub const BACKOFF_CAP: Duration = Duration::from_secs(120);

/// The longest `Retry-After` that is obeyed, unless another limit is set: 120 s (rule R6).
pub const RETRY_AFTER_LIMIT: Duration = Duration::from_secs(120);

/// The waits before retry 1, 2, 3 and so on (rule R2): `factor * 2^(k-1)` seconds, at most the cap.
///
/// The schedule is endless unless it is [bounded](Backoff::with_retries). Each wait is at most [`BACKOFF_CAP`], unless
/// [another cap](Backoff::with_cap) is set. There is no jitter.
///
/// ```
/// use encord_http_settings::{Backoff, BackoffFactor};
///
/// let seconds: Vec<f64> = Backoff::new(BackoffFactor::of(1.5))
///     .with_retries(8)
///     .map(|wait| wait.as_secs_f64())
///     .collect();
/// assert_eq!(seconds, [1.5, 3.0, 6.0, 12.0, 24.0, 48.0, 96.0, 120.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    factor: BackoffFactor,
    cap: Option<Duration>,
    next_retry: u32,
    remaining: Option<u32>,
}

impl Backoff {
    /// Makes the endless schedule of this factor, capped at [`BACKOFF_CAP`].
    pub const fn new(factor: BackoffFactor) -> Self {
        Self { factor, cap: Some(BACKOFF_CAP), next_retry: 1, remaining: None }
    }

    /// Sets the longest wait; `None` lifts the cap, and waits then saturate at [`Duration::MAX`].
    #[must_use]
    pub const fn with_cap(self, cap: Option<Duration>) -> Self {
        Self { cap, ..self }
    }

    /// Ends the schedule after this many further waits.
    #[must_use]
    pub const fn with_retries(self, retries: u32) -> Self {
        Self { remaining: Some(retries), ..self }
    }

    /// Returns the longest wait, or `None` if the cap is lifted.
    pub const fn cap(&self) -> Option<Duration> {
        self.cap
    }

    /// Returns the wait before a retry, counted from 1. It does not depend on the iteration. Number 0, the first attempt, has no
    /// wait.
    pub fn delay(&self, retry_number: u32) -> Duration {
        let delay = self.factor.delay(retry_number);
        self.cap.map_or(delay, |cap| delay.min(cap))
    }
}

impl Iterator for Backoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.nth(0)
    }

    fn nth(&mut self, skipped: usize) -> Option<Duration> {
        let skipped = u32::try_from(skipped).unwrap_or(u32::MAX);
        if let Some(remaining) = &mut self.remaining {
            let after = remaining.saturating_sub(skipped);
            *remaining = after.saturating_sub(1);
            if after == 0 {
                return None;
            }
        }
        // Saturating is exact: long before number u32::MAX all waits are equal.
        let retry_number = self.next_retry.saturating_add(skipped);
        self.next_retry = retry_number.saturating_add(1);
        Some(self.delay(retry_number))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self.remaining.map(usize::try_from) {
            Some(Ok(remaining)) => (remaining, Some(remaining)),
            Some(Err(_)) | None => (usize::MAX, None),
        }
    }
}

impl FusedIterator for Backoff {}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::RequestsSettings;

    fn backoff(factor: f64) -> Backoff {
        Backoff::new(BackoffFactor::new(factor).unwrap())
    }

    #[track_caller]
    fn check(schedule: Backoff, expected: &[f64]) {
        let seconds: Vec<f64> = schedule.take(expected.len()).map(|wait| wait.as_secs_f64()).collect();
        assert_eq!(seconds, expected);
    }

    #[test]
    fn r2_the_default_schedule_starts_with_the_factor() {
        check(Backoff::new(RequestsSettings::DEFAULT.backoff_factor), &[1.5, 3.0, 6.0]);
        check(backoff(0.0), &[0.0, 0.0, 0.0, 0.0]);
        check(backoff(0.1), &[0.1, 0.2, 0.4, 0.8, 1.6]);
        check(backoff(60.0), &[60.0, 120.0, 120.0]);
    }

    #[test]
    fn r2_the_cap_can_be_moved_and_lifted() {
        let cap = Some(Duration::from_secs(4));
        check(backoff(1.5).with_cap(cap), &[1.5, 3.0, 4.0, 4.0]);
        check(backoff(100.0).with_cap(None), &[100.0, 200.0, 400.0]);
        assert_eq!(backoff(1.5).cap(), Some(Duration::from_secs(120)));
        assert_eq!(backoff(1.5).with_cap(None).nth(usize::MAX), Some(Duration::MAX));
    }

    #[test]
    fn r2_a_bounded_schedule_ends() {
        assert_eq!(backoff(1.5).with_retries(0).next(), None);
        assert_eq!(backoff(1.5).with_retries(3).count(), 3);
        assert_eq!(backoff(1.5).with_retries(3).size_hint(), (3, Some(3)));
        assert_eq!(backoff(1.5).size_hint(), (usize::MAX, None));

        let mut schedule = backoff(1.5).with_retries(u32::MAX);
        let last = u32::MAX as usize - 1;
        assert_eq!(schedule.nth(last), Some(BACKOFF_CAP));
        assert_eq!(schedule.next(), None);
        assert_eq!(schedule.next(), None);
    }

    proptest! {
        #[test]
        fn nth_is_repeated_next(
            factor in 0.0..200.0,
            retries in proptest::option::of(0u32..40),
            steps in proptest::collection::vec(0usize..6, 0..12),
        ) {
            let mut schedule = backoff(factor);
            schedule.remaining = retries;
            let mut plain = schedule.clone();
            for step in steps {
                let mut expected = plain.next();
                for _ in 0..step {
                    expected = plain.next();
                }
                prop_assert_eq!(schedule.nth(step), expected);
            }
        }
    }
}
