//! The layers of settings: flags over environment over file over the documented defaults.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use encord_http_settings::{PartialCloudUploadSettings, SettingsLayer, UploadResolution};
use encord_upload::formats::without_byte_order_mark;

use crate::args::{SettingsOptions, Stream};
use crate::folders;
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
/// All errors of all layers.
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

/// Returns the settings file and, if it is not from the flag, where its name comes from. It is the file of the flag, else of the
/// variable, else the file in the folder for configuration if it exists.
fn named(options: &SettingsOptions, environment: &[(OsString, OsString)]) -> Option<(Stream, &'static str)> {
    let variable = |name: &str| {
        environment.iter().find(|(known, value)| known == name && !is_blank(value)).map(|(_, value)| value.clone())
    };
    let by_flag = options.settings.clone().map(|file| (file, ""));
    let by_variable = || variable(FILE_VARIABLE).map(|file| (Stream::from(file), " (from ENCORD_SETTINGS)"));
    let by_default = || {
        let file = folders::settings_file(variable).filter(|file| file.exists())?;
        Some((Stream::File(file), ""))
    };
    by_flag.or_else(by_variable).or_else(by_default)
}

/// Returns the places where a settings file is looked for, and the file that is read.
pub(crate) fn places(
    options: &SettingsOptions,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> (Vec<String>, Option<String>) {
    let environment: Vec<_> = environment.into_iter().collect();
    let variable = |name: &str| {
        environment.iter().find(|(known, value)| known == name && !is_blank(value)).map(|(_, value)| value.clone())
    };
    let mut looked = vec!["--settings".to_owned(), FILE_VARIABLE.to_owned()];
    looked.extend(folders::settings_file(variable).map(|path| path.display().to_string()));
    (looked, named(options, &environment).map(|(file, from)| format!("{file}{from}")))
}

/// The settings file, if it is a file.
pub(crate) fn file_named(
    options: &SettingsOptions,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Option<PathBuf> {
    let environment: Vec<_> = environment.into_iter().collect();
    match named(options, &environment)? {
        (Stream::File(path), _) => Some(path),
        (Stream::Standard, _) => None,
    }
}

/// Whether a variable counts as not set. Many tools can only set a variable to blank, not remove it.
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

/// Reads the flags like the variables of the same names.
fn flags(options: &SettingsOptions) -> Result<SettingsLayer, Vec<String>> {
    let texts = [
        ("--max-retries", "ENCORD_MAX_RETRIES", &options.max_retries),
        ("--backoff-factor", "ENCORD_BACKOFF_FACTOR", &options.backoff_factor),
        ("--connection-retries", "ENCORD_CONNECTION_RETRIES", &options.connection_retries),
        ("--connect-timeout", "ENCORD_CONNECT_TIMEOUT", &options.connect_timeout),
        ("--read-timeout", "ENCORD_READ_TIMEOUT", &options.read_timeout),
        ("--write-timeout", "ENCORD_WRITE_TIMEOUT", &options.write_timeout),
    ];
    let given = texts.into_iter().filter_map(|(flag, variable, text)| Some((flag, variable, text.as_deref()?)));
    let mut problems: Vec<String> = given
        .clone()
        .filter(|(.., text)| text.trim().is_empty())
        .map(|(flag, ..)| format!("`{flag}` is empty"))
        .collect();
    match SettingsLayer::from_variables(given.clone().map(|(_, variable, text)| (variable, text))) {
        Ok(layer) if problems.is_empty() => {
            let upload = PartialCloudUploadSettings { allow_failures: options.allow_failures, ..layer.upload };
            Ok(SettingsLayer { upload, ..layer })
        }
        read => {
            let in_words = |problem: String| {
                given.clone().fold(problem, |problem, (flag, variable, _)| problem.replace(variable, flag))
            };
            let wrong =
                read.err().into_iter().flat_map(|error| error.problems().map(ToString::to_string).collect::<Vec<_>>());
            problems.extend(wrong.map(in_words));
            Err(problems)
        }
    }
}

fn variables(environment: &[(OsString, OsString)]) -> Result<SettingsLayer, Vec<String>> {
    SettingsLayer::from_variables(environment.iter().map(|(name, value)| (name, value)))
        .map_err(|error| error.problems().map(|problem| format!("environment: {problem}")).collect())
}

fn file(named: Option<(Stream, &str)>) -> Result<SettingsLayer, Vec<String>> {
    let Some((file, from)) = named else { return Ok(SettingsLayer::default()) };
    let (path, read) = match &file {
        Stream::Standard => (Path::new(""), io::stdin().lock().bytes().collect()),
        Stream::File(path) => (&**path, fs::read(path)),
    };
    let layer = read.map_err(|error| error.to_string()).and_then(|text| read_layer(path, &text));
    layer.map_err(|error| vec![format!("settings file {file}{from}: {}", with_section(error))])
}

/// Reads a layer from the text of a file. The path, which may be empty, gives the format.
fn read_layer(path: &Path, text: &[u8]) -> Result<SettingsLayer, String> {
    let text = str::from_utf8(without_byte_order_mark(text).map_err(|utf16| utf16.to_string())?)
        .map_err(|error| error.to_string())?;
    match Format::of(path, text) {
        Format::Toml => from_toml(text),
        Format::Json => from_json(text),
    }
}

/// Adds the section to the error about a field outside of all sections.
fn with_section(error: String) -> String {
    const FIELDS: [(&str, &str); 7] = [
        ("max_retries", "[requests] or [upload]"),
        ("backoff_factor", "[requests] or [upload]"),
        ("connection_retries", "[requests]"),
        ("connect_timeout", "[requests]"),
        ("read_timeout", "[requests]"),
        ("write_timeout", "[requests]"),
        ("allow_failures", "[upload]"),
    ];
    if !error.contains("known are `requests`, `upload`") {
        return error;
    }
    let misplaced = FIELDS.into_iter().find(|(field, _)| error.contains(&format!("`{field}` (")));
    misplaced.map(|(field, section)| format!("{error}: write `{field}` below {section}")).unwrap_or(error)
}

#[derive(Clone, Copy)]
enum Format {
    Toml,
    Json,
}

impl Format {
    /// Chooses the format by the ending, else by the first character: no TOML document begins with a brace.
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
