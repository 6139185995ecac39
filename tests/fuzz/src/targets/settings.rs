//! Settings from files in both formats, from variables and from flags (rules R12 and U4).

use std::ffi::OsString;

use encord_http_settings::{EffectiveUploadSettings, SettingsLayer, ValueOrigin};

use crate::args::{SettingsOptions, Stream};

/// The first byte is the format of the file. Then come its text, variables and flags, separated by NUL. All are parsed, checked and
/// merged, or the errors name each wrong part.
pub(super) fn check(mut data: &[u8]) {
    let [ending] = crate::take(&mut data);
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut parts = text.split('\0');
    let (file, variables, flags) = (parts.next(), parts.next(), parts.next());
    let (file, variables) = (file.unwrap_or_default(), variables.unwrap_or_default());
    let variables: Vec<(&str, &str)> = variables.lines().filter_map(|line| line.split_once('=')).collect();
    let mut flags = flags.unwrap_or_default().lines();
    let mut flag = || flags.next().filter(|flag| !flag.is_empty()).map(str::to_owned);
    let name = ["settings", "settings.toml", "settings.json"][usize::from(ending % 3)];

    crate::scratch::with_file(name, file.as_bytes(), |path| {
        let options = SettingsOptions {
            settings: Some(Stream::File(path.to_owned())),
            allow_failures: None,
            max_retries: flag(),
            backoff_factor: flag(),
            connection_retries: flag(),
            connect_timeout: flag(),
            read_timeout: flag(),
            write_timeout: flag(),
        };
        let environment = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let layers =
            (flags_layer(&options), SettingsLayer::from_variables(variables.iter().copied()).ok(), layer(name, file));
        match (crate::layers::resolve(&options, environment), layers) {
            (Ok(resolution), (Some(flags), Some(variables), Some(file))) => {
                assert_eq!(resolution.settings(), flags.or(variables).or(file).resolve_upload());
                for field in resolution.fields() {
                    let last = field.shadowed.last().map_or(&field.origin, |(origin, _)| origin);
                    assert!(matches!(last, ValueOrigin::Default), "below all is the default");
                }
                sane(&resolution.settings());
            }
            (Ok(_), layers) => panic!("taken: {layers:?}"),
            (Err(failure), (flags, variables, file)) => {
                let told = format!("{failure:?}");
                // The name at the start of an error. Within an error, quotes are escaped.
                let names = |part| ["[", " "].iter().any(|before| told.contains(&format!("{before}\"{part}")));
                assert_eq!(names("`--"), flags.is_none(), "{told}");
                assert_eq!(names("environment: `ENCORD_"), variables.is_none(), "{told}");
                assert_eq!(names("settings file "), file.is_none(), "{told}");
            }
        }
    });
}

/// Parses the file with the library.
fn layer(name: &str, file: &str) -> Option<SettingsLayer> {
    let file = file.strip_prefix('\u{feff}').unwrap_or(file);
    let is_json = name.ends_with("json") || !name.ends_with("toml") && file.trim_start().starts_with('{');
    let layer = if is_json { serde_json::from_str(file).ok() } else { toml::from_str(file).ok() };
    layer.inspect(round_trips)
}

fn flags_layer(options: &SettingsOptions) -> Option<SettingsLayer> {
    fn number<T: std::str::FromStr>(text: Option<&String>) -> Result<Option<T>, T::Err> {
        text.map(|text| text.trim().parse()).transpose()
    }
    let requests = encord_http_settings::PartialRequestsSettings {
        max_retries: number(options.max_retries.as_ref()).ok()?,
        backoff_factor: number(options.backoff_factor.as_ref()).ok()?,
        connection_retries: number(options.connection_retries.as_ref()).ok()?,
        connect_timeout: number(options.connect_timeout.as_ref()).ok()?,
        read_timeout: number(options.read_timeout.as_ref()).ok()?,
        write_timeout: number(options.write_timeout.as_ref()).ok()?,
    };
    Some(SettingsLayer { requests, ..SettingsLayer::default() })
}

/// Checks that settings are written and read as the same, in each format that can hold them.
fn round_trips(layer: &SettingsLayer) {
    let json = serde_json::to_string(layer).expect("written");
    let read: SettingsLayer = serde_json::from_str(&json).expect("read again");
    assert_eq!(read, *layer, "{json}");
    // TOML has no integers above 2^63.
    if let Ok(text) = toml::to_string(layer) {
        assert_eq!(toml::from_str::<SettingsLayer>(&text).expect("read again"), *layer, "{text}");
    }
}

/// Checks that all values are valid, and that the drawing of `encord settings` fits the screen.
fn sane(settings: &EffectiveUploadSettings) {
    let requests = &settings.requests;
    let factor = requests.backoff_factor.get();
    assert!(factor.is_finite() && factor.is_sign_positive());
    for timeout in [requests.connect_timeout, requests.read_timeout, requests.write_timeout] {
        assert!(timeout.as_duration().is_none_or(|limit| !limit.is_zero()));
        assert_eq!(timeout.to_string().trim_end_matches(" s").parse(), Ok(timeout));
    }
    let waits: Vec<_> = settings.backoff_delays().take(20).collect();
    assert!(waits.is_sorted());
    let mut drawn = Vec::new();
    crate::schedule::draw(&mut drawn, settings).expect("drawn");
    let drawn = String::from_utf8(drawn).expect("UTF-8");
    assert!(drawn.lines().all(|line| line.chars().count() < 130), "{drawn}");
}
