//! `RequestsSettings`, `CloudUploadSettings` and the overlay.

use std::time::Duration;

use encord_http_settings::{BackoffFactor, CloudUploadSettings, RequestsSettings, Timeout};
use serde_json::{Map, Value};

use super::{Answers, Overlay, current, seed};

#[test]
fn defaults_of_the_requests_settings_are_those_of_both_sdks() {
    for answers in [seed(), current()] {
        let theirs = answers.defaults.requests;
        let read: RequestsSettings = serde_json::from_value(Value::Object(theirs.clone())).unwrap();
        assert_eq!(read, RequestsSettings::default(), "SDK {}", answers.sdk);
        check_fields(RequestsSettings::default(), theirs);
    }
}

#[test]
fn defaults_of_the_upload_settings_are_those_of_both_sdks() {
    for answers in [seed(), current()] {
        let theirs = answers.defaults.upload;
        let read: CloudUploadSettings = serde_json::from_value(Value::Object(theirs.clone())).unwrap();
        assert_eq!(read, CloudUploadSettings::default(), "SDK {}", answers.sdk);
        check_fields(CloudUploadSettings::default(), theirs);
    }
}

#[test]
fn u1_u2_u3_the_overlay_is_that_of_the_seed_sdk() {
    check_overlays(&seed());
}

/// The current SDK takes a zero for `None`, so it falls back to the client's value; rule U2 forbids that.
#[test]
fn u2_zero_wins_where_the_current_sdk_drops_it() {
    let current = current();
    check_overlays(&current);
    let drops = |overlay: &&Overlay| overlay.upload.max_retries == Some(0) && overlay.used.max_retries != 0;
    assert_eq!(current.overlays.iter().filter(drops).count(), 24);
    assert_eq!(seed().overlays.iter().filter(drops).count(), 0);
}

/// The same fields with the same values, written by ours; numbers are compared by value, so 180 is 180.0.
#[track_caller]
fn check_fields(ours: impl serde::Serialize, mut theirs: Map<String, Value>) {
    // Tracing is not among the documented settings.
    theirs.remove("trace_id_provider");
    let ours = serde_json::to_value(ours).unwrap();
    let ours = ours.as_object().unwrap();
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    for (name, value) in ours {
        let same = match (value.as_f64(), theirs[name].as_f64()) {
            (Some(ours), Some(theirs)) => ours.to_bits() == theirs.to_bits(),
            _ => *value == theirs[name],
        };
        assert!(same, "{name}: {value}, in the SDK {}", theirs[name]);
    }
}

#[track_caller]
pub(crate) fn check_overlays(answers: &Answers) {
    let drops_zeros = answers.sdk != "0.1.98";
    for Overlay { requests, upload, used } in &answers.overlays {
        let client = RequestsSettings {
            max_retries: requests.max_retries,
            backoff_factor: factor(requests.backoff_factor),
            // Unlike the defaults, so that a mix-up shows.
            connection_retries: 7,
            connect_timeout: Timeout::new(Duration::from_secs(11)).unwrap(),
            read_timeout: Timeout::new(Duration::from_secs(12)).unwrap(),
            write_timeout: Timeout::UNLIMITED,
        };
        let settings = CloudUploadSettings {
            max_retries: upload.max_retries,
            backoff_factor: upload.backoff_factor.map(factor),
            allow_failures: upload.max_retries.is_some(),
        };
        let case = format!("{settings:?} over {client:?} in SDK {}", answers.sdk);
        let ours = settings.over(&client);

        if drops_zeros && settings.max_retries == Some(0) {
            assert_eq!((used.max_retries, ours.requests.max_retries), (client.max_retries, 0), "U2: {case}");
        } else {
            assert_eq!(ours.requests.max_retries, used.max_retries, "{case}");
        }
        if drops_zeros && settings.backoff_factor == Some(factor(0.0)) {
            assert_eq!(factor(used.backoff_factor), client.backoff_factor, "U2: {case}");
            assert_eq!(ours.requests.backoff_factor, factor(0.0), "U2: {case}");
        } else {
            assert_eq!(ours.requests.backoff_factor, factor(used.backoff_factor), "{case}");
        }

        // The SDK's upload ignores the client's other settings; rule U3 keeps them.
        let RequestsSettings { max_retries, backoff_factor, .. } = ours.requests;
        assert_eq!(ours.requests, RequestsSettings { max_retries, backoff_factor, ..client }, "U3: {case}");
        assert_eq!(ours.allow_failures, settings.allow_failures, "{case}");
    }
}

#[track_caller]
fn factor(seconds: f64) -> BackoffFactor {
    BackoffFactor::new(seconds).unwrap()
}
