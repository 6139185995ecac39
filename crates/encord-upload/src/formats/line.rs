//! One line of a manifest.

use std::path::PathBuf;

use encord_enums::DataType;
use encord_http::{HeaderName, HeaderValue};

use super::object::{Object, Text, Value};
use super::record::{Record, header_map, path_of};
use crate::kind::ItemKind;
use crate::target::SignedTarget;

/// The keys of an item.
const KEYS: [&str; 6] = ["path", "signed_url", "title", "data_type", "content_type", "headers"];

/// Other names that people write for a key.
const OTHER_NAMES: [(&str, &str); 12] = [
    ("url", "signed_url"),
    ("signedurl", "signed_url"),
    ("upload_url", "signed_url"),
    ("presigned_url", "signed_url"),
    ("file", "path"),
    ("filename", "path"),
    ("file_name", "path"),
    ("file_path", "path"),
    ("name", "title"),
    ("type", "data_type"),
    ("mime_type", "content_type"),
    ("upload_headers", "headers"),
];

/// The longest part of a key or name that is repeated in an error.
const MAX_REPEATED_BYTES: usize = 40;

/// How many headers an item can have. No server accepts as many.
pub const MAX_HEADERS: usize = 1000;

/// Whether the items of a manifest must have signed URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urls {
    /// Every item must have one.
    Required,
    /// If an item has none, a [`SignedUrlSource`](crate::SignedUrlSource) makes it.
    Optional,
}

/// A line of a manifest whose files go into a folder of the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileLine {
    /// The file.
    pub path: PathBuf,
    /// The title, if the line has one.
    pub title: Option<String>,
    /// The kind, if the line has a data type.
    pub kind: Option<ItemKind>,
}

/// Reads an item. The error says why the line is malformed.
pub(super) fn read(line: &str, urls: Urls) -> Result<Record, String> {
    let mut object = Object::read(line)?;
    refuse_other_formats(&object)?;
    let path = object.text("path")?;
    let signed_url = object.text("signed_url")?;
    let title = object.text("title")?.map(Text::lossy).map(|title| no_url("title", title)).transpose()?;
    let data_type = object.text("data_type")?.map(Text::lossy);
    let content_type = object.text("content_type")?.map(Text::lossy);
    let headers = object.take("headers")?;
    refuse_unknown_keys(&object)?;
    let path = path.ok_or("`path` is missing")?.bytes();
    if signed_url.is_none() && urls == Urls::Required {
        return Err("`signed_url` is missing".to_owned());
    }
    refuse_url_as_path(&path)?;
    Ok(Record {
        path,
        // A text that is not Unicode is not a URL. The item fails later, as with any URL that cannot be parsed.
        signed_url: signed_url.map(|url| url.unicode().unwrap_or_default()),
        title,
        kind: data_type.as_deref().map(kind).transpose()?,
        content_type: content_type.map(media_type).transpose()?,
        headers: headers.map(header_list).transpose()?.unwrap_or_default(),
    })
}

/// Reads the line of a file for a folder of the platform. The platform signs its URL, so the line may say nothing about one.
pub(super) fn read_file(line: &str) -> Result<FileLine, String> {
    let Record { path, signed_url, title, kind, content_type, headers } = read(line, Urls::Optional)?;
    let of_a_url = [
        ("signed_url", signed_url.is_some()),
        ("content_type", content_type.is_some()),
        ("headers", !headers.is_empty()),
    ];
    if let Some((key, _)) = of_a_url.into_iter().find(|(_, is_there)| *is_there) {
        return Err(format!("`{key}`: the platform signs the URL of a file for a folder; leave the key out"));
    }
    Ok(FileLine { path: path_of(path), title, kind })
}

/// Reads a signed URL and its headers from a line such as `{"signed_url": "https://…", "headers": {}}`. Other keys are ignored,
/// except `error`, a text that says why there is no URL.
///
/// # Errors
///
/// The reason why the line is malformed, or the text of `error`.
pub fn read_target(line: &str) -> Result<SignedTarget, String> {
    let mut object = Object::read(line)?;
    if let Some(error) = object.text("error")? {
        return Err(error.lossy());
    }
    let url = object.text("signed_url")?.ok_or("`signed_url` is missing")?;
    let headers = object.take("headers")?.map(header_list).transpose()?.unwrap_or_default();
    Ok(SignedTarget { url: url.unicode().unwrap_or_default().into(), headers: header_map(headers) })
}

fn refuse_other_formats(object: &Object<'_>) -> Result<(), String> {
    if object.has("journal") {
        return Err("this is a journal, for --journal".to_owned());
    }
    if object.has("status") && object.has("attempts") {
        return Err("this is a line of a report, for --retry-from; a manifest says what is to be uploaded".to_owned());
    }
    if object.has("mtime_ns") && object.has("target") {
        return Err("this is a line of a journal, for --journal".to_owned());
    }
    Ok(())
}

fn refuse_unknown_keys(object: &Object<'_>) -> Result<(), String> {
    let Some((key, _)) = object.entries.first() else { return Ok(()) };
    let lower = key.to_ascii_lowercase();
    let other_name = OTHER_NAMES.iter().find(|(other, _)| *other == lower).map(|(_, key)| *key);
    let meant = other_name.or_else(|| KEYS.into_iter().find(|key| strsim::damerau_levenshtein(key, &lower) <= 2));
    let known: Vec<String> = KEYS.iter().map(|key| format!("`{key}`")).collect();
    let key = named(key);
    Err(match meant {
        Some(meant) => format!("unknown key{key}: write `{meant}`"),
        None => format!("unknown key{key}, known are {}", known.join(", ")),
    })
}

/// Refuses a URL as the path. The two keys are easily swapped, and a path is shown to people.
fn refuse_url_as_path(path: &[u8]) -> Result<(), String> {
    let begins_with = |scheme: &str| begins_with(path, scheme);
    if begins_with("http://") || begins_with("https://") {
        return Err("`path` is a URL; it must be the file".to_owned());
    }
    if begins_with("file://") {
        return Err("`path` is a URL; write the path alone, without file://".to_owned());
    }
    if let Some(scheme) = ["gs://", "s3://", "az://"].into_iter().find(|scheme| begins_with(scheme)) {
        return Err(format!("`path` is an object in a cloud ({scheme}); it must be a file of this machine"));
    }
    Ok(())
}

fn no_url(key: &str, text: String) -> Result<String, String> {
    if begins_with(text.as_bytes(), "http://") || begins_with(text.as_bytes(), "https://") {
        return Err(format!("`{key}` is a URL; it must be a name"));
    }
    Ok(text)
}

fn begins_with(text: &[u8], scheme: &str) -> bool {
    text.trim_ascii_start().get(..scheme.len()).is_some_and(|text| text.eq_ignore_ascii_case(scheme.as_bytes()))
}

fn kind(data_type: &str) -> Result<ItemKind, String> {
    if let Ok(known) = data_type.parse::<DataType>() {
        return ItemKind::try_from(known)
            .map_err(|_| format!("`data_type`: an item of data type {known} is not uploaded as one file"));
    }
    let known = DataType::ALL.iter().copied().filter(|known| ItemKind::try_from(*known).is_ok());
    let known: Vec<&str> = known.map(DataType::as_str).collect();
    let lower = data_type.to_ascii_lowercase();
    let meant = match lower.as_str() {
        "jpg" | "jpeg" | "png" | "tiff" | "photo" => Some("image"),
        "mp4" | "mov" => Some("video"),
        "txt" | "text" => Some("plain_text"),
        lower => known.iter().copied().find(|known| strsim::damerau_levenshtein(known, lower) <= 2),
    };
    Err(match meant {
        Some(meant) => format!("unknown `data_type`{}: write `{meant}`", named(data_type)),
        None => format!("unknown `data_type`{}, expected one of {}", named(data_type), known.join(", ")),
    })
}

fn media_type(text: String) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("`content_type` is empty; leave it out, or write null, for that of the data type".to_owned());
    }
    match HeaderValue::from_str(&text) {
        Ok(_) => Ok(text),
        Err(_) => Err("`content_type` has a character that no header can have".to_owned()),
    }
}

fn header_list(headers: Value<'_>) -> Result<Vec<(String, String)>, String> {
    let Some(object) = headers.object() else {
        return Err(format!("`headers` must be an object, not {}", headers.kind()));
    };
    if object.entries.len() > MAX_HEADERS {
        return Err(format!("`headers` has {} entries, more than {MAX_HEADERS}", object.entries.len()));
    }
    let mut headers: Vec<(String, String)> = Vec::with_capacity(object.entries.len());
    for (name, value) in object.entries {
        let shown = named(&name);
        let name =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`headers`: not a header name{shown}"))?;
        let Some(text) = value.text() else {
            return Err(format!("`headers`: the value of{shown} must be a string, not {}", value.kind()));
        };
        let value = text.unicode().filter(|value| HeaderValue::from_str(value).is_ok());
        let value =
            value.ok_or_else(|| format!("`headers`: the value of{shown} has a character that no header can have"))?;
        if headers.iter().any(|(known, _)| known == name.as_str()) {
            return Err(format!("`headers`:{shown} is given more than once"));
        }
        headers.push((name.as_str().to_owned(), value));
    }
    Ok(headers)
}

/// Returns a name in backticks after a blank. Other texts are not repeated: a URL is too long and has other characters.
fn named(text: &str) -> String {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b' ');
    if text.len() <= MAX_REPEATED_BYTES && text.bytes().all(is_name) { format!(" `{text}`") } else { String::new() }
}

#[cfg(test)]
mod tests;
