//! The kind of an item, and the `Content-Type` that the SDK sends for it.

use std::path::Path;

#[cfg(feature = "formats")]
use encord_enums::DataType;
use encord_http::HeaderValue;
use serde::{Deserialize, Serialize};

/// The kind of an item, for its upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ItemKind {
    /// An image, alone or of an image group.
    #[default]
    Image,
    /// A video.
    Video,
    /// An audio file.
    Audio,
    /// A DICOM file, alone or of a study.
    Dicom,
    /// A NIfTI file.
    Nifti,
    /// Plain text, HTML, JSON or XML.
    PlainText,
    /// A PDF document.
    Pdf,
    /// A time series.
    TimeSeries,
    /// A scene.
    Scene,
}

impl ItemKind {
    /// Returns the `Content-Type` by the SDK's rule (U8). `None` means that the header is not sent.
    ///
    /// The rule is that of SDK 0.1.211. Video, audio and scenes are `application/octet-stream`; DICOM, NIfTI and PDF files are
    /// `application/dicom`, `application/nifti` and `application/pdf`. For images, text and time series the type is guessed from
    /// the file name. Without a guess an image is sent without the header, as by `upload_to_signed_url_list`; a time series is
    /// `application/octet-stream` and a text is `text/plain`.
    pub fn content_type(self, path: &Path) -> Option<HeaderValue> {
        let guessed = || guess(path).map(HeaderValue::from_static);
        match self {
            Self::Image => guessed(),
            Self::Video | Self::Audio | Self::Scene => Some(OCTET_STREAM),
            Self::Dicom => Some(HeaderValue::from_static("application/dicom")),
            Self::Nifti => Some(HeaderValue::from_static("application/nifti")),
            Self::Pdf => Some(HeaderValue::from_static("application/pdf")),
            Self::PlainText => guessed().or(Some(HeaderValue::from_static("text/plain"))),
            Self::TimeSeries => guessed().or(Some(OCTET_STREAM)),
        }
    }
}

/// Returns the kind of the files of a data type. The images of a group and the files of a study are uploaded one by one.
#[cfg(feature = "formats")]
impl TryFrom<DataType> for ItemKind {
    /// The data type, whose items are not single files.
    type Error = DataType;

    fn try_from(data_type: DataType) -> Result<Self, DataType> {
        Ok(match data_type {
            DataType::Image | DataType::ImgGroup => Self::Image,
            DataType::Video => Self::Video,
            DataType::Audio => Self::Audio,
            DataType::Dicom | DataType::DicomStudy => Self::Dicom,
            DataType::Nifti => Self::Nifti,
            DataType::PlainText => Self::PlainText,
            DataType::Pdf => Self::Pdf,
            DataType::TimeSeries => Self::TimeSeries,
            DataType::Scene => Self::Scene,
            other => return Err(other),
        })
    }
}

const OCTET_STREAM: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// Guesses the media type from the file name, as Python's `mimetypes.guess_type` does: a suffix of a compression is skipped.
fn guess(path: &Path) -> Option<&'static str> {
    const COMPRESSIONS: [&str; 5] = ["gz", "Z", "bz2", "xz", "br"];
    // Leading dots mark a hidden file, and do not begin a suffix.
    let name = path.file_name()?.to_str()?.trim_start_matches('.');
    let (mut stem, mut suffix) = name.rsplit_once('.')?;
    if COMPRESSIONS.contains(&suffix) {
        (stem, suffix) = stem.rsplit_once('.')?;
    }
    if stem.is_empty() {
        return None;
    }
    if suffix.eq_ignore_ascii_case("ico") {
        // Python uses the registered name; mime_guess returns the older `image/x-icon`.
        return Some("image/vnd.microsoft.icon");
    }
    mime_guess::from_ext(suffix).first_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: ItemKind, path: &str, expected: Option<&str>) {
        let content_type = kind.content_type(Path::new(path));
        assert_eq!(content_type.as_ref().map(|v| v.to_str().expect("text")), expected, "{kind:?} {path}");
    }

    #[test]
    fn u8_content_type_is_the_sdks_for_each_kind() {
        check(ItemKind::Image, "a/b.jpg", Some("image/jpeg"));
        check(ItemKind::Image, "B.JPEG", Some("image/jpeg"));
        check(ItemKind::Image, "x.png", Some("image/png"));
        check(ItemKind::Image, "x.tif", Some("image/tiff"));
        check(ItemKind::Image, "x.svgz", Some("image/svg+xml"));
        check(ItemKind::Image, "x.svg.gz", Some("image/svg+xml"));
        check(ItemKind::Image, "x.ICO", Some("image/vnd.microsoft.icon"));
        check(ItemKind::Image, "x.mp4", Some("video/mp4"));
        check(ItemKind::Image, "x", None);
        check(ItemKind::Image, ".jpg", None);
        check(ItemKind::Image, "..jpg", None);
        check(ItemKind::Image, ".a.jpg", Some("image/jpeg"));
        check(ItemKind::Image, "x.unknown", None);
        check(ItemKind::Image, "x.gz", None);
        check(ItemKind::Image, "a.jpg/x", None);
        check(ItemKind::Video, "x.mp4", Some("application/octet-stream"));
        check(ItemKind::Audio, "x.mp3", Some("application/octet-stream"));
        check(ItemKind::Scene, "x.pcd", Some("application/octet-stream"));
        check(ItemKind::Dicom, "x", Some("application/dicom"));
        check(ItemKind::Nifti, "x.nii.gz", Some("application/nifti"));
        check(ItemKind::Pdf, "x", Some("application/pdf"));
        check(ItemKind::PlainText, "x.html", Some("text/html"));
        check(ItemKind::PlainText, "README", Some("text/plain"));
        check(ItemKind::TimeSeries, "x.csv", Some("text/csv"));
        check(ItemKind::TimeSeries, "x", Some("application/octet-stream"));
    }
}
