//! The layers of settings: flags over environment over file over the documented defaults.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::str::{self, FromStr};

use encord_http_settings::{BackoffFactor, PartialCloudUploadSettings, SettingsLayer, UploadResolution};
use encord_upload::formats::without_byte_order_mark;

use crate::args::{SettingsOptions, Stream};
use crate::output::Failure;

/// The variable that names the settings file.
const FILE_VARIABLE: &str = "ENCORD_SETTINGS";

/// A layer, for people and in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Flag,
    Environment,
    File,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::File => "file",
        })
    }
}

/// Reads all layers and resolves them; `environment` is that of the process.
///
/// # Errors
///
/// Everything that is wrong in all of them.
pub(crate) fn resolve(
    options: &SettingsOptions,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<UploadResolution<Source>, Failure> {
    let environment: Vec<(OsString, OsString)> = environment.into_iter().collect();
    let mut errors = Vec::new();
    let mut keep = |layer: Result<SettingsLayer, Vec<String>>| {
        layer.unwrap_or_else(|problems| {
            errors.extend(problems);
            SettingsLayer::default()
        })
    };
    let layers = [
        (Source::Flag, keep(flags(options))),
        (Source::Environment, keep(variables(&environment))),
        (Source::File, keep(file(named(options, &environment)))),
    ];
    if errors.is_empty() { Ok(UploadResolution::explain(layers)) } else { Err(Failure::usages(errors)) }
}

/// The settings file, if there is to be one, and what of its name is not from the flag.
fn named(options: &SettingsOptions, environment: &[(OsString, OsString)]) -> Option<(Stream, &'static str)> {
    let is_it = |(name, value): &&(OsString, OsString)| name == FILE_VARIABLE && !is_blank(value);
    let by_variable = || environment.iter().find(is_it).map(|(_, value)| Stream::from(value.clone()));
    let by_flag = options.settings.clone().map(|file| (file, ""));
    by_flag.or_else(|| by_variable().map(|file| (file, " (from ENCORD_SETTINGS)")))
}

/// Whether a variable counts as not set: many tools can only blank one, not remove it.
pub(crate) fn is_blank(value: &OsStr) -> bool {
    value.to_string_lossy().trim().is_empty()
}

/// Whether the settings file is standard input.
pub(crate) fn read_standard_input(
    options: &SettingsOptions,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> bool {
    let environment: Vec<_> = environment.into_iter().collect();
    named(options, &environment).is_some_and(|(file, _)| file == Stream::Standard)
}

fn flags(options: &SettingsOptions) -> Result<SettingsLayer, Vec<String>> {
    let SettingsOptions { settings: _, allow_failures, max_retries, backoff_factor } = options;
    let max_retries = value("--max-retries", max_retries.as_deref(), |text| {
        let expected = "a whole number from 0 to 4294967295";
        text.trim().parse::<u32>().map_err(|_| format!("must be {expected}, not {text:?}"))
    });
    let backoff_factor = value("--backoff-factor", backoff_factor.as_deref(), BackoffFactor::from_str);
    match (max_retries, backoff_factor) {
        (Ok(max_retries), Ok(backoff_factor)) => {
            let upload = PartialCloudUploadSettings { max_retries, backoff_factor, allow_failures: *allow_failures };
            Ok(SettingsLayer { upload, ..SettingsLayer::default() })
        }
        (max_retries, backoff_factor) => Err(max_retries.err().into_iter().chain(backoff_factor.err()).collect()),
    }
}

fn value<T, E: fmt::Display>(
    flag: &str,
    text: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, String> {
    text.map(parse).transpose().map_err(|error| format!("`{flag}` {error}"))
}

fn variables(environment: &[(OsString, OsString)]) -> Result<SettingsLayer, Vec<String>> {
    // A value that is not Unicode cannot be right; what can be shown of it is in the error.
    let variables = environment.iter().filter_map(|(name, value)| Some((name.to_str()?, value.to_string_lossy())));
    SettingsLayer::from_variables(variables)
        .map_err(|error| error.problems().map(|problem| format!("environment: {problem}")).collect())
}

fn file(named: Option<(Stream, &str)>) -> Result<SettingsLayer, Vec<String>> {
    let Some((file, from)) = named else { return Ok(SettingsLayer::default()) };
    let (path, read) = match &file {
        Stream::Standard => (Path::new(""), io::stdin().lock().bytes().collect()),
        Stream::File(path) => (&**path, fs::read(path)),
    };
    let layer = read.map_err(|error| error.to_string()).and_then(|text| read_layer(path, &text));
    layer.map_err(|error| vec![format!("settings file {file}{from}: {error}")])
}

/// Reads a layer from a file that may have a name.
fn read_layer(path: &Path, text: &[u8]) -> Result<SettingsLayer, String> {
    let text = str::from_utf8(without_byte_order_mark(text).map_err(|utf16| utf16.to_string())?)
        .map_err(|error| error.to_string())?;
    match Format::of(path, text) {
        Format::Toml => from_toml(text),
        Format::Json => from_json(text),
    }
}

#[derive(Clone, Copy)]
enum Format {
    Toml,
    Json,
}

impl Format {
    /// By the ending, else by the first character: no TOML document begins with a brace.
    fn of(path: &Path, text: &str) -> Self {
        let ending = path.extension().unwrap_or_default();
        let has_ending = |format: &str| ending.eq_ignore_ascii_case(format);
        if has_ending("json") || !has_ending("toml") && text.trim_start().starts_with('{') {
            Self::Json
        } else {
            Self::Toml
        }
    }
}

fn from_toml(text: &str) -> Result<SettingsLayer, String> {
    toml::from_str(text).map_err(|error| {
        let message = error.message().replace('\n', ", ");
        // Bad values have no place: the message names their fields.
        match error.span().and_then(|span| text.get(..span.start)) {
            Some(before) if !before.is_empty() => format!("{message} at line {}", before.matches('\n').count() + 1),
            _ => message,
        }
    })
}

fn from_json(text: &str) -> Result<SettingsLayer, String> {
    serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        // Bad values are found at the end of the document; the message names their fields.
        let place = format!(" at line {} column {}", error.line(), error.column());
        if error.is_data() { message.strip_suffix(&place).unwrap_or(&message).to_owned() } else { message }
    })
}

#[cfg(test)]
mod tests;
