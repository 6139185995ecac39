//! Manifests, as `encord upload` reads them.

use encord_http::{HeaderMap, HeaderName, HeaderValue, SignedUrl};
use encord_upload::formats::{Manifest, Urls};
use encord_upload::{ItemKind, UploadItem};

use crate::entries::{Entries, text};

const KEYS: [&str; 6] = ["path", "signed_url", "title", "data_type", "content_type", "headers"];

/// The parser returns all items in order, and the same items a second time; or an error that names the first bad line and no
/// signed URL.
pub(super) fn check(data: &[u8]) {
    let mut observed = Vec::new();
    let manifest = Manifest::read(data, Urls::Required, |item| observed.push(parts(item)));
    let Some(text) = crate::unmarked(data) else { return assert!(manifest.is_err()) };
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let lines: Vec<(usize, &[u8])> = (1..).zip(lines).filter(|(_, line)| !line.is_empty()).collect();
    let bad = lines.iter().find(|(_, line)| item(line).is_none());
    // The second parser does not read names that are not Unicode.
    let is_odd = lines.iter().any(|(_, line)| std::str::from_utf8(line).is_err() || crate::has_surrogate(line));
    match (manifest, bad) {
        (Ok(manifest), bad) => {
            let read: Vec<_> = manifest.items().map(|item| parts(&item.expect("in memory"))).collect();
            assert_eq!((read.len() as u64, &read), (manifest.len(), &observed));
            if let Some((number, line)) = bad.filter(|_| !is_odd) {
                panic!("line {number} is taken: {}", line.escape_ascii());
            }
            if !is_odd {
                let expected: Vec<_> =
                    lines.iter().filter_map(|(_, line)| item(line)).map(|item| parts(&item)).collect();
                assert_eq!(read, expected);
            }
        }
        (Err(failure), bad) => {
            let told = format!("{failure} {failure:?}");
            assert!(!told.contains(crate::SECRET), "{told}");
            match bad {
                Some((number, _)) => assert!(is_odd || told.contains(&format!("line {number}: ")), "{told}"),
                None => panic!("{told}"),
            }
        }
    }
}

type Parts = (std::path::PathBuf, Option<SignedUrl>, Option<String>, ItemKind, Option<HeaderValue>, HeaderMap);

fn parts(item: &UploadItem) -> Parts {
    let path = item.path.clone();
    if let Some(url) = item.signed_url.as_ref().filter(|url| url.check().is_ok()) {
        assert_eq!(format!("{item:?}"), format!("UploadItem({} to {url})", path.display()));
    }
    (path, item.signed_url.clone(), item.title.clone(), item.kind, item.content_type.clone(), item.headers.clone())
}

/// Parses a line with the second parser.
fn item(line: &[u8]) -> Option<UploadItem> {
    let entries = Entries::read(line)?;
    if entries.0.iter().any(|(key, _)| !KEYS.contains(&key.as_str()) || entries.all(key).len() > 1) {
        return None;
    }
    // `None` if the value is not a string.
    let optional = |key| match entries.all(key).first() {
        None => Some(None),
        Some(value) if value.get() == "null" => Some(None),
        Some(value) => text(value).map(Some),
    };
    let is_url = |text: &String| {
        let text = text.trim_start().to_ascii_lowercase();
        text.starts_with("http://") || text.starts_with("https://")
    };
    let mut item = UploadItem::new(optional("path")?.filter(|path| !is_url(path))?, optional("signed_url")??);
    item.title = optional("title")?;
    if item.title.as_ref().is_some_and(is_url) {
        return None;
    }
    if let Some(name) = optional("data_type")? {
        item.kind = kind(&name)?;
    }
    if let Some(value) = optional("content_type")? {
        item.content_type = Some(HeaderValue::from_str(&value).ok().filter(|_| !value.trim().is_empty())?);
    }
    if let Some(headers) = entries.all("headers").first().filter(|value| value.get() != "null") {
        for (name, value) in Entries::read(headers.get().as_bytes())?.0 {
            let name = HeaderName::try_from(name).ok()?;
            if item.headers.insert(name, HeaderValue::try_from(text(&value)?).ok()?).is_some() {
                return None;
            }
        }
    }
    Some(item)
}

fn kind(data_type: &str) -> Option<ItemKind> {
    Some(match data_type {
        "image" | "img_group" => ItemKind::Image,
        "video" => ItemKind::Video,
        "audio" => ItemKind::Audio,
        "dicom" | "dicom_study" => ItemKind::Dicom,
        "nifti" => ItemKind::Nifti,
        "plain_text" => ItemKind::PlainText,
        "pdf" => ItemKind::Pdf,
        "time_series" => ItemKind::TimeSeries,
        "scene" => ItemKind::Scene,
        _ => return None,
    })
}
