//! The binary form in which the items of a checked manifest are kept until they are uploaded.

use std::fmt;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use encord_http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::item::UploadItem;
use crate::kind::ItemKind;

/// The checked content of a line of a manifest. It has no `Debug`, because it contains a signed URL (rule U9).
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    /// The path as bytes, as on Unix.
    pub(super) path: Vec<u8>,
    pub(super) signed_url: Option<String>,
    pub(super) title: Option<String>,
    /// The kind, if the line has one.
    pub(super) kind: Option<ItemKind>,
    pub(super) content_type: Option<String>,
    pub(super) headers: Vec<(String, String)>,
}

impl Record {
    /// Appends the record to `out`.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let bytes = postcard::to_stdvec(self).map_err(io::Error::other)?;
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        out.write_all(&length.to_le_bytes())?;
        out.write_all(&bytes)
    }

    /// Reads the next record. `buffer` can be reused for all calls.
    pub(super) fn read(input: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<Self> {
        let mut length = [0; size_of::<u32>()];
        input.read_exact(&mut length)?;
        buffer.resize(u32::from_le_bytes(length) as usize, 0);
        input.read_exact(buffer)?;
        postcard::from_bytes(buffer).map_err(io::Error::other)
    }

    pub(super) fn into_item(self) -> UploadItem {
        let Self { path, signed_url, title, kind, content_type, headers } = self;
        UploadItem {
            signed_url: signed_url.map(Into::into),
            title,
            kind: kind.unwrap_or_default(),
            content_type: content_type.and_then(|value| HeaderValue::try_from(value).ok()),
            headers: header_map(headers),
            ..UploadItem::unsigned(path_of(path))
        }
    }
}

/// A path as a JSON string of a manifest. A byte that is not UTF-8 is written as Python writes it (PEP 383).
#[derive(Debug, Clone, Copy)]
pub struct PathAsJson<'a>(pub &'a Path);

impl fmt::Display for PathAsJson<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[cfg(unix)]
        let bytes = std::os::unix::ffi::OsStrExt::as_bytes(self.0.as_os_str());
        #[cfg(not(unix))]
        let text = self.0.to_string_lossy();
        #[cfg(not(unix))]
        let bytes = text.as_bytes();
        f.write_str("\"")?;
        for chunk in bytes.utf8_chunks() {
            let quoted = serde_json::to_string(chunk.valid()).map_err(|_| fmt::Error)?;
            f.write_str(&quoted[1..quoted.len() - 1])?;
            for byte in chunk.invalid() {
                write!(f, "\\udc{byte:02x}")?;
            }
        }
        f.write_str("\"")
    }
}

/// Makes a map of headers that were checked before.
pub(super) fn header_map(headers: Vec<(String, String)>) -> HeaderMap {
    let header =
        |(name, value): (String, String)| Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?));
    headers.into_iter().filter_map(header).collect()
}

#[cfg(unix)]
pub(super) fn path_of(name: Vec<u8>) -> PathBuf {
    <std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(name).into()
}

/// On other systems a name is text: no file has a name with lone surrogates.
#[cfg(not(unix))]
pub(super) fn path_of(name: Vec<u8>) -> PathBuf {
    String::from_utf8_lossy(&name).into_owned().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[cfg(unix)]
    proptest! {
        /// Every file name is read back from the form that Python writes.
        #[test]
        fn u6_any_name_of_bytes_is_opened(name in proptest::collection::vec(1_u8.., 0..20)) {
            use std::os::unix::ffi::OsStrExt;
            let json = PathAsJson(Path::new(std::ffi::OsStr::from_bytes(&name))).to_string();
            let text: super::super::object::Text = serde_json::from_str(&json).expect("a string");
            let path = path_of(text.bytes());
            prop_assert_eq!(path.as_os_str().as_bytes(), &name[..]);
        }
    }
}
