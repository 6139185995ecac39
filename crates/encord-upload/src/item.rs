//! One item of a batch: a file and its target.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use encord_http::{Digests, HeaderMap, HeaderValue, Meter, Payload, Profile, Request, SignedUrl};
use encord_http_settings::RequestsSettings;

use crate::kind::ItemKind;
use crate::target::SignedTarget;

/// A file, and the signed URL that it is uploaded to. The data must be a file, because each attempt reads it again.
///
/// Both constructors make images. For another kind set `kind`:
///
/// ```
/// use encord_upload::{ItemKind, UploadItem};
///
/// let url = "https://storage.example/a.mp4?sig=…";
/// let item = UploadItem { kind: ItemKind::Video, ..UploadItem::new("a.mp4", url) };
/// assert_eq!(item.kind.content_type(&item.path).unwrap(), "application/octet-stream");
/// ```
#[derive(Clone)]
pub struct UploadItem {
    /// The file. It is opened when the item is started, and again for each attempt.
    pub path: PathBuf,
    /// The target. If it is `None`, the [`SignedUrlSource`](crate::SignedUrlSource) makes it. If the URL cannot be parsed, this
    /// item fails.
    pub signed_url: Option<SignedUrl>,
    /// The title in the report. Default: the file name.
    pub title: Option<String>,
    /// The kind, which determines the `Content-Type`. Default: an image.
    pub kind: ItemKind,
    /// The `Content-Type`, if it is not that of the kind.
    pub content_type: Option<HeaderValue>,
    /// The headers that came with the URL (`upload_headers` of the SDK, such as Azure's `x-ms-blob-type`). They replace all other
    /// headers, except `Content-Length`, `Transfer-Encoding`, `Connection` and `Expect`, which the client sets.
    pub headers: HeaderMap,
}

/// An item with its position in the input.
#[derive(Clone)]
pub(crate) struct Numbered {
    pub(crate) index: usize,
    pub(crate) item: UploadItem,
    /// The headers of the item itself, without those of a target.
    own_headers: HeaderMap,
    /// Whether the journal was already asked for this item, and does not list it as done.
    pub(crate) is_checked_in_journal: bool,
}

impl UploadItem {
    /// Makes an image item for the file at `path` and this URL, without headers.
    pub fn new(path: impl Into<PathBuf>, signed_url: impl Into<SignedUrl>) -> Self {
        Self { signed_url: Some(signed_url.into()), ..Self::unsigned(path) }
    }

    /// Makes an image item for the file at `path`. Its URL is signed shortly before it is sent.
    pub fn unsigned(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            signed_url: None,
            title: None,
            kind: ItemKind::default(),
            content_type: None,
            headers: HeaderMap::new(),
        }
    }

    /// Returns the title in the report.
    pub fn display_title(&self) -> String {
        self.title.clone().unwrap_or_else(|| {
            self.path.file_name().map_or_else(|| self.path.display().to_string(), |n| n.to_string_lossy().into_owned())
        })
    }

    /// Makes the request that the SDK would send (U8).
    pub(crate) fn request(
        &self,
        url: SignedUrl,
        settings: RequestsSettings,
        digests: Digests,
        meter: Arc<Meter>,
    ) -> Request {
        use encord_http::header::{CACHE_CONTROL, CONTENT_TYPE};
        let content_type = self.content_type.clone().or_else(|| self.kind.content_type(&self.path));
        let mut request = Request::put(url, Payload::file(&self.path).digests(digests))
            .settings(settings)
            .profile(Profile::Stall)
            .meter(meter)
            .header(CACHE_CONTROL, HeaderValue::from_static("max-age=86400"));
        if let Some(content_type) = content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        request.target_headers(self.headers.clone())
    }
}

impl Numbered {
    pub(crate) fn new(index: usize, item: UploadItem) -> Self {
        let own_headers = if item.signed_url.is_none() { item.headers.clone() } else { HeaderMap::new() };
        Self { index, item, own_headers, is_checked_in_journal: false }
    }

    /// Sets the target. Headers of the previous target are removed.
    pub(crate) fn set_target(&mut self, target: &SignedTarget) {
        self.item.signed_url = Some(target.url.clone());
        self.item.headers.clone_from(&self.own_headers);
        // Several values of one name stay together.
        for name in target.headers.keys() {
            self.item.headers.remove(name);
        }
        for (name, value) in &target.headers {
            self.item.headers.append(name.clone(), value.clone());
        }
    }
}

impl fmt::Debug for UploadItem {
    /// Shows path and target only, because the headers may carry credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UploadItem({}", self.path.display())?;
        if let Some(url) = &self.signed_url {
            write!(f, " to {url}")?;
        }
        f.write_str(")")
    }
}
