//! What a file is to the platform, and what that means for each step of its way.

use std::fmt;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;
use std::str::FromStr;

use encord_upload::ItemKind;
use serde::{Deserialize, Serialize};

/// What a unit becomes on the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// One image.
    Image,
    /// One video.
    Video,
    /// One audio file.
    Audio,
    /// A DICOM series. A single DICOM file is a series of one.
    DicomSeries,
    /// A NIfTI file.
    Nifti,
    /// Text, HTML, JSON or XML.
    Text,
    /// A PDF document.
    Pdf,
    /// A time series.
    TimeSeries,
    /// Several images that are labelled together.
    ImageGroup,
    /// Several images that are the frames of a video.
    ImageSequence,
}

/// One line of the table of extensions.
type Extensions = (Kind, &'static [&'static str]);

/// The table of extensions. Letter case does not matter. `nii.gz` is the only double one.
pub const EXTENSIONS: &[Extensions] = &[
    (Kind::Image, &["jpg", "jpeg", "jfif", "png", "bmp", "tif", "tiff", "webp", "avif", "gif"]),
    (Kind::Video, &["mp4", "m4v", "mov", "mkv", "webm", "avi", "mpg", "mpeg"]),
    (Kind::Audio, &["mp3", "wav", "flac", "m4a", "aac", "ogg", "opus"]),
    (Kind::DicomSeries, &["dcm", "dicom"]),
    (Kind::Nifti, &["nii", "nii.gz"]),
    (Kind::Text, &["txt", "html", "htm", "md", "json", "xml"]),
    (Kind::Pdf, &["pdf"]),
    (Kind::TimeSeries, &["csv"]),
];

/// How many bytes of a file [`Kind::of_content`] looks at.
pub const SNIFFED_BYTES: usize = 132;

const ALL: [Kind; 10] = [
    Kind::Image,
    Kind::Video,
    Kind::Audio,
    Kind::DicomSeries,
    Kind::Nifti,
    Kind::Text,
    Kind::Pdf,
    Kind::TimeSeries,
    Kind::ImageGroup,
    Kind::ImageSequence,
];

impl Kind {
    /// The kind that a file's name says, by [`EXTENSIONS`].
    pub fn of_name(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let (stem, extension) = name.rsplit_once('.')?;
        let double = stem.rsplit_once('.').map(|(_, before)| format!("{before}.{extension}"));
        let is = |known: &&str| {
            known.eq_ignore_ascii_case(extension) || double.as_ref().is_some_and(|d| known.eq_ignore_ascii_case(d))
        };
        // A name that begins with its only dot is a hidden file, not an extension.
        let line = EXTENSIONS.iter().find(|(_, known)| known.iter().any(is))?;
        (!stem.is_empty()).then_some(line.0)
    }

    /// The kind that the first [`SNIFFED_BYTES`] of a file say: DICOM has the letters `DICM` at byte 128.
    pub fn of_content(start: &[u8]) -> Option<Self> {
        (start.get(128..132) == Some(b"DICM".as_slice())).then_some(Self::DicomSeries)
    }

    /// The kind of a file: by its name, else by its content.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub(crate) fn of_file(path: &Path) -> io::Result<Option<Self>> {
        if let Some(known) = Self::of_name(path) {
            return Ok(Some(known));
        }
        let mut start = Vec::with_capacity(SNIFFED_BYTES);
        fs::File::open(path)?.take(SNIFFED_BYTES as u64).read_to_end(&mut start)?;
        Ok(Self::of_content(&start))
    }

    /// The kind of single files that are uploaded like this, if a folder takes them.
    pub fn of_upload(kind: ItemKind) -> Option<Self> {
        // In the table the kinds of single files stand before those of groups.
        ALL.into_iter().find(|known| known.upload_kind() == kind)
    }

    /// Whether one item is made of several files.
    pub const fn takes_several_files(self) -> bool {
        matches!(self, Self::ImageGroup | Self::ImageSequence | Self::DicomSeries)
    }

    /// Whether the job names the placeholder of a file. For a time series the SDK sends the object's key alone.
    pub const fn names_placeholder(self) -> bool {
        !matches!(self, Self::TimeSeries)
    }

    /// What decides the `Content-Type` of the PUT.
    pub const fn upload_kind(self) -> ItemKind {
        match self {
            Self::Image | Self::ImageGroup | Self::ImageSequence => ItemKind::Image,
            Self::Video => ItemKind::Video,
            Self::Audio => ItemKind::Audio,
            Self::DicomSeries => ItemKind::Dicom,
            Self::Nifti => ItemKind::Nifti,
            Self::Text => ItemKind::PlainText,
            Self::Pdf => ItemKind::Pdf,
            Self::TimeSeries => ItemKind::TimeSeries,
        }
    }

    /// The kind as the command line and the ledger write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::DicomSeries => "dicom-series",
            Self::Nifti => "nifti",
            Self::Text => "text",
            Self::Pdf => "pdf",
            Self::TimeSeries => "time-series",
            Self::ImageGroup => "image-group",
            Self::ImageSequence => "image-sequence",
        }
    }

    /// All kinds.
    pub const fn all() -> &'static [Self] {
        &ALL
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

/// A word that names no kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no kind; the kinds are {known}", known = ALL.map(Kind::as_str).join(", "))]
pub struct UnknownKind(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_kinds() {
        #[track_caller]
        fn check(path: &str, expected: Option<Kind>) {
            assert_eq!(Kind::of_name(Path::new(path)), expected, "{path}");
        }
        check("a/b.jpg", Some(Kind::Image));
        check("B.JPEG", Some(Kind::Image));
        check("scan.tiff", Some(Kind::Image));
        check("a.b.mp4", Some(Kind::Video));
        check("a.wav", Some(Kind::Audio));
        check("IM1.dcm", Some(Kind::DicomSeries));
        check("brain.nii", Some(Kind::Nifti));
        check("brain.nii.gz", Some(Kind::Nifti));
        check("Brain.NII.GZ", Some(Kind::Nifti));
        check("x.txt", Some(Kind::Text));
        check("x.json", Some(Kind::Text));
        check("x.pdf", Some(Kind::Pdf));
        check("x.csv", Some(Kind::TimeSeries));
        check("x.tar.gz", None);
        check("x.gz", None);
        check("IM0001", None);
        check("", None);
        check(".jpg", None);
        check("a.jpg/x", None);
        check("x.", None);
        check("größe.png", Some(Kind::Image));
    }

    #[test]
    fn content_tells_dicom_only() {
        #[track_caller]
        fn check(start: &[u8], expected: Option<Kind>) {
            assert_eq!(Kind::of_content(start), expected);
        }
        let with = |at: usize| [&vec![0; at][..], b"DICM", b"rest"].concat();
        check(&with(128), Some(Kind::DicomSeries));
        check(&with(128)[..SNIFFED_BYTES], Some(Kind::DicomSeries));
        check(&with(127), None);
        check(&with(129), None);
        check(&with(128)[..131], None);
        check(b"DICM", None);
        check(b"", None);
    }

    #[test]
    fn no_extension_stands_twice_and_words_are_read_back() {
        let all: Vec<_> = EXTENSIONS.iter().flat_map(|(_, known)| *known).collect();
        let distinct: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(all.len(), distinct.len());
        for kind in Kind::all() {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
            assert_eq!(serde_json::to_string(kind).expect("JSON"), format!("\"{kind}\""));
        }
        assert_eq!(
            "scene".parse::<Kind>().expect_err("unknown").to_string(),
            "`scene` is no kind; the kinds are image, video, audio, dicom-series, nifti, text, pdf, time-series, \
             image-group, image-sequence"
        );
    }
}
