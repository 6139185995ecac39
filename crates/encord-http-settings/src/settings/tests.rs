//! Defaults, and the overlay of upload settings over those of the client.

use core::time::Duration;
use std::vec::Vec;

use super::*;

#[test]
fn the_defaults_of_requests_are_the_documented_ones() {
    let RequestsSettings {
        max_retries,
        backoff_factor,
        connection_retries,
        connect_timeout,
        read_timeout,
        write_timeout,
    } = RequestsSettings::default();
    assert_eq!(max_retries, 3);
    assert_eq!(backoff_factor, BackoffFactor::new(1.5).unwrap());
    assert_eq!(connection_retries, 3);
    let timeout = Some(Duration::from_secs(180));
    assert_eq!(connect_timeout.as_duration(), timeout);
    assert_eq!(read_timeout.as_duration(), timeout);
    assert_eq!(write_timeout.as_duration(), timeout);
}

#[test]
fn r2_the_default_delays_are_1_5_and_3_and_6_seconds() {
    let delays: Vec<Duration> = RequestsSettings::default().backoff_delays().collect();
    assert_eq!(delays, [1500, 3000, 6000].map(Duration::from_millis));
}

fn factor(value: f64) -> BackoffFactor {
    BackoffFactor::new(value).unwrap()
}

fn client() -> RequestsSettings {
    RequestsSettings {
        max_retries: 7,
        backoff_factor: factor(0.5),
        connection_retries: 9,
        connect_timeout: Timeout::from_secs(1).unwrap(),
        read_timeout: Timeout::from_secs(2).unwrap(),
        write_timeout: Timeout::UNLIMITED,
    }
}

/// `expected` are the retries and the factor that hold in the end.
#[track_caller]
fn check(max_retries: Option<u32>, backoff_factor: Option<f64>, expected: (u32, f64)) {
    for allow_failures in [false, true] {
        let upload = CloudUploadSettings { max_retries, backoff_factor: backoff_factor.map(factor), allow_failures };
        let requests = RequestsSettings { max_retries: expected.0, backoff_factor: factor(expected.1), ..client() };
        assert_eq!(upload.over(&client()), EffectiveUploadSettings { requests, allow_failures });
    }
}

#[test]
fn the_defaults_of_uploads_are_the_documented_ones() {
    let CloudUploadSettings { max_retries, backoff_factor, allow_failures } = CloudUploadSettings::default();
    assert_eq!(max_retries, None);
    assert_eq!(backoff_factor, None);
    assert!(!allow_failures);
}

#[test]
fn u1_none_takes_the_clients_value() {
    check(None, None, (7, 0.5));
    check(Some(1), None, (1, 0.5));
    check(None, Some(3.0), (7, 3.0));
}

#[test]
fn u2_some_wins_also_when_it_is_zero() {
    check(Some(0), None, (0, 0.5));
    check(None, Some(0.0), (7, 0.0));
    check(Some(0), Some(0.0), (0, 0.0));
    check(Some(11), Some(4.0), (11, 4.0));
}

/// What can be evaluated while compiling allocates nothing.
#[test]
fn u2_settings_can_be_resolved_while_compiling() {
    const fn resolve(requests: &RequestsSettings) -> EffectiveUploadSettings {
        CloudUploadSettings { max_retries: Some(0), backoff_factor: None, allow_failures: true }.over(requests)
    }
    assert_eq!(resolve(&client()).requests, RequestsSettings { max_retries: 0, ..client() });
}

#[test]
fn u3_the_other_fields_stay_the_clients() {
    let upload = CloudUploadSettings { max_retries: Some(0), backoff_factor: Some(factor(0.0)), allow_failures: true };
    let requests = upload.over(&client()).requests;
    assert_eq!(requests.connection_retries, 9);
    assert_eq!(requests.connect_timeout, client().connect_timeout);
    assert_eq!(requests.read_timeout, client().read_timeout);
    assert_eq!(requests.write_timeout, Timeout::UNLIMITED);
}
