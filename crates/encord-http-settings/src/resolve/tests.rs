//! The order of precedence, and that the explanation agrees with the plain resolution.

use std::string::{String, ToString};
use std::{format, vec};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::layer::tests::layers;
use crate::{BackoffFactor, PartialCloudUploadSettings, PartialRequestsSettings, Timeout};

/// `max_retries` in both sections.
fn layer(upload: Option<u32>, requests: Option<u32>) -> SettingsLayer {
    SettingsLayer {
        requests: PartialRequestsSettings { max_retries: requests, ..Default::default() },
        upload: PartialCloudUploadSettings { max_retries: upload, ..Default::default() },
    }
}

fn shown<O: fmt::Display>(field: &ResolvedField<O>) -> String {
    let place = |origin: &ValueOrigin<O>| match origin {
        ValueOrigin::Layer(_, section) => format!("{origin} [{section}]"),
        ValueOrigin::Default => origin.to_string(),
    };
    let holds = format!("{} = {} ({})", field.name, field.value, place(&field.origin));
    let shadowed = field.shadowed.iter();
    shadowed.fold(holds, |text, (origin, value)| format!("{text} < {value} ({})", place(origin)))
}

#[track_caller]
fn check(layers: &[(&str, SettingsLayer)], upload: &str, requests: &str) {
    let explained = UploadResolution::explain(layers.iter().copied());
    assert_eq!(shown(explained.field("max_retries").unwrap()), upload);
    let explained = RequestsResolution::explain(layers.iter().copied());
    assert_eq!(shown(explained.field("max_retries").unwrap()), requests);
}

#[test]
fn u4_the_order_is_layer_then_section() {
    check(&[], "max_retries = 3 (default)", "max_retries = 3 (default)");
    check(
        &[
            ("flag", layer(Some(11), Some(12))),
            ("environment", layer(Some(13), Some(14))),
            ("file", layer(Some(15), Some(16))),
        ],
        "max_retries = 11 (flag [upload]) < 12 (flag [requests]) \
         < 13 (environment [upload]) < 14 (environment [requests]) \
         < 15 (file [upload]) < 16 (file [requests]) < 3 (default)",
        "max_retries = 12 (flag [requests]) < 14 (environment [requests]) < 16 (file [requests]) < 3 (default)",
    );
    check(
        &[("environment", layer(None, Some(0))), ("file", layer(Some(9), None))],
        "max_retries = 0 (environment [requests]) < 9 (file [upload]) < 3 (default)",
        "max_retries = 0 (environment [requests]) < 3 (default)",
    );
}

#[test]
fn u4_every_field_has_its_place() {
    let requests = RequestsSettings {
        max_retries: 1,
        backoff_factor: BackoffFactor::new(0.25).unwrap(),
        connection_retries: 2,
        connect_timeout: Timeout::from_secs(4).unwrap(),
        read_timeout: Timeout::from_secs_f64(5.5).unwrap(),
        write_timeout: Timeout::UNLIMITED,
    };
    let layer = SettingsLayer {
        requests: requests.into(),
        upload: PartialCloudUploadSettings { allow_failures: Some(true), ..Default::default() },
    };
    let resolution = UploadResolution::explain([("file", layer)]);
    assert_eq!(resolution.settings(), EffectiveUploadSettings { requests, allow_failures: true });
    let fields: Vec<String> = resolution.fields().iter().map(shown).collect();
    assert_eq!(
        fields,
        vec![
            "max_retries = 1 (file [requests]) < 3 (default)",
            "backoff_factor = 0.25 (file [requests]) < 1.5 (default)",
            "connection_retries = 2 (file [requests]) < 3 (default)",
            "connect_timeout = 4 s (file [requests]) < 180 s (default)",
            "read_timeout = 5.5 s (file [requests]) < 180 s (default)",
            "write_timeout = unlimited (file [requests]) < 180 s (default)",
            "allow_failures = true (file [upload]) < false (default)",
        ]
    );
    let requests_only = RequestsResolution::explain([("file", layer)]);
    assert_eq!(requests_only.settings(), requests);
    assert_eq!(requests_only.fields(), &resolution.fields()[..6]);
    assert_eq!(requests_only.field("allow_failures"), None);
}

/// What the names say, taken from the settings themselves.
fn values(settings: EffectiveUploadSettings) -> Vec<(String, FieldValue)> {
    let EffectiveUploadSettings { requests, allow_failures } = settings;
    [
        ("max_retries", requests.max_retries.into()),
        ("backoff_factor", requests.backoff_factor.into()),
        ("connection_retries", requests.connection_retries.into()),
        ("connect_timeout", requests.connect_timeout.into()),
        ("read_timeout", requests.read_timeout.into()),
        ("write_timeout", requests.write_timeout.into()),
        ("allow_failures", allow_failures.into()),
    ]
    .map(|(name, value)| (name.to_string(), value))
    .into()
}

proptest! {
    #[test]
    fn u4_the_explanation_is_the_resolution(stack in vec(layers(), 0..5)) {
        let all = stack.iter().copied().fold(SettingsLayer::default(), SettingsLayer::or);
        let upload = UploadResolution::explain(stack.iter().copied().enumerate());
        prop_assert_eq!(upload.settings(), all.resolve_upload());
        let requests = RequestsResolution::explain(stack.iter().copied().enumerate());
        prop_assert_eq!(requests.settings(), all.resolve_requests());

        let named: Vec<_> = upload
            .fields()
            .iter()
            .map(|field| (field.name.to_string(), field.value))
            .collect();
        prop_assert_eq!(named, values(upload.settings()));
    }

    #[test]
    fn u4_what_is_shadowed_would_hold_without_the_winner(stack in vec(layers(), 1..5)) {
        // Without its topmost layer, a stack shows what that layer shadowed.
        let whole = UploadResolution::explain(stack.iter().copied().enumerate());
        let lower = UploadResolution::explain(stack.iter().copied().enumerate().skip(1));
        for (field, below) in whole.fields().iter().zip(lower.fields()) {
            let mut ranked = vec![(field.origin, field.value)];
            ranked.extend(&field.shadowed);
            let own = ranked
                .iter()
                .take_while(|(origin, _)| matches!(origin, ValueOrigin::Layer(0, _)))
                .count();
            prop_assert_eq!(ranked[own], (below.origin, below.value));
            prop_assert_eq!(&ranked[own + 1..], &below.shadowed);
            prop_assert_eq!(ranked.last().unwrap().0, ValueOrigin::Default);
        }
    }
}
