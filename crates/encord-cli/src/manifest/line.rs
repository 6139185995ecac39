//! One line of a manifest.
//!
//! No error repeats a value that might be a signed URL (rule U9), also where a URL stands in the wrong place.

use encord_enums::DataType;
use encord_http::{HeaderMap, HeaderName, HeaderValue};
use encord_upload::{ItemKind, UploadItem};

use crate::json::Json;

/// All keys of an item.
const KEYS: [&str; 6] = ["path", "signed_url", "title", "data_type", "content_type", "headers"];

/// What is written out of a key or a name that a person chose.
const LONGEST_WORD: usize = 40;

/// Reads an item. The error is the reason why it is malformed.
pub(super) fn read(line: &[u8]) -> Result<UploadItem, String> {
    let entries = match Json::read(line)? {
        Json::Object(entries) => entries,
        other => return Err(format!("must be a JSON object, not {}", other.kind())),
    };
    let mut fields = Fields { entries };
    let path = no_url("path", fields.required("path")?)?;
    let signed_url = fields.required("signed_url")?;
    let title = fields.text("title")?.map(|title| no_url("title", title)).transpose()?;
    let data_type = fields.text("data_type")?;
    let content_type = fields.text("content_type")?;
    let headers = fields.take("headers")?;
    fields.refuse_others()?;

    let mut item = UploadItem::new(path, signed_url);
    item.title = title;
    item.kind = data_type.as_deref().map(kind).transpose()?.unwrap_or_default();
    item.content_type = content_type.as_deref().map(media_type).transpose()?;
    item.headers = headers.map(header_map).transpose()?.unwrap_or_default();
    Ok(item)
}

/// The keys of a line that are not read yet.
struct Fields {
    entries: Vec<(String, Json)>,
}

impl Fields {
    /// The value of a key. Null counts as absent.
    fn take(&mut self, key: &'static str) -> Result<Option<Json>, String> {
        let mut found = self.entries.extract_if(.., |(name, _)| name == key).map(|(_, value)| value);
        let value = found.next();
        if found.next().is_some() {
            return Err(format!("`{key}` is given more than once"));
        }
        Ok(value.filter(|value| !matches!(value, Json::Null)))
    }

    fn text(&mut self, key: &'static str) -> Result<Option<String>, String> {
        match self.take(key)? {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text)),
            Some(other) => Err(format!("`{key}` must be a string, not {}", other.kind())),
        }
    }

    fn required(&mut self, key: &'static str) -> Result<String, String> {
        self.text(key)?.ok_or_else(|| format!("`{key}` is missing"))
    }

    fn refuse_others(&self) -> Result<(), String> {
        let Some((key, _)) = self.entries.first() else { return Ok(()) };
        let known: Vec<String> = KEYS.iter().map(|key| format!("`{key}`")).collect();
        Err(format!("unknown key{}, known are {}", named(key), known.join(", ")))
    }
}

/// Refuses a URL where it would be shown: keys are easily swapped.
fn no_url(key: &str, text: String) -> Result<String, String> {
    let begins_with =
        |scheme: &str| text.trim_start().get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme));
    if begins_with("http://") || begins_with("https://") {
        let expected = if key == "path" { "the file" } else { "a name" };
        return Err(format!("`{key}` is a URL; it must be {expected}"));
    }
    Ok(text)
}

fn kind(data_type: &str) -> Result<ItemKind, String> {
    let Ok(known) = data_type.parse::<DataType>() else {
        let known = DataType::ALL.iter().copied().filter(|known| item_kind(*known).is_some());
        let known: Vec<&str> = known.map(DataType::as_str).collect();
        return Err(format!("unknown `data_type`{}, expected one of {}", named(data_type), known.join(", ")));
    };
    item_kind(known).ok_or_else(|| format!("`data_type`: an item of data type {known} is not uploaded as one file"))
}

/// What is uploaded for a data type: the images of a group and the files of a study come one by one.
fn item_kind(data_type: DataType) -> Option<ItemKind> {
    Some(match data_type {
        DataType::Image | DataType::ImgGroup => ItemKind::Image,
        DataType::Video => ItemKind::Video,
        DataType::Audio => ItemKind::Audio,
        DataType::Dicom | DataType::DicomStudy => ItemKind::Dicom,
        DataType::Nifti => ItemKind::Nifti,
        DataType::PlainText => ItemKind::PlainText,
        DataType::Pdf => ItemKind::Pdf,
        DataType::TimeSeries => ItemKind::TimeSeries,
        DataType::Scene => ItemKind::Scene,
        _ => return None,
    })
}

fn media_type(text: &str) -> Result<HeaderValue, String> {
    if text.trim().is_empty() {
        return Err("`content_type` is empty; null or nothing stands for the one of the data type".to_owned());
    }
    HeaderValue::from_str(text).map_err(|_| "`content_type` has a character that no header can have".to_owned())
}

fn header_map(headers: Json) -> Result<HeaderMap, String> {
    let entries = match headers {
        Json::Object(entries) => entries,
        other => return Err(format!("`headers` must be an object, not {}", other.kind())),
    };
    let mut headers = HeaderMap::with_capacity(entries.len());
    for (name, value) in entries {
        let known = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| format!("`headers`: not a header name{}", named(&name)))?;
        let value = match value {
            Json::Text(value) => value,
            other => {
                return Err(format!("`headers`: the value of{} must be a string, not {}", named(&name), other.kind()));
            }
        };
        let value = HeaderValue::from_str(&value)
            .map_err(|_| format!("`headers`: the value of{} has a character that no header can have", named(&name)))?;
        if headers.insert(known, value).is_some() {
            return Err(format!("`headers`:{} is given more than once", named(&name)));
        }
    }
    Ok(headers)
}

/// A name in backticks with a blank before it. Nothing but a name: a URL is too long and has other characters.
fn named(text: &str) -> String {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b' ');
    if text.len() <= LONGEST_WORD && text.bytes().all(is_name) { format!(" `{text}`") } else { String::new() }
}

#[cfg(test)]
mod tests;
