//! One item of a batch: a file, and where it goes.

use std::fmt;
use std::path::PathBuf;

use encord_http::{HeaderMap, HeaderValue, Payload, Profile, Request, SignedUrl};
use encord_http_settings::RequestsSettings;

use crate::kind::ItemKind;

/// A file, and the signed URL it is to be PUT to.
#[derive(Clone)]
pub struct UploadItem {
    /// The file. Opened when its turn comes, and again for each attempt.
    pub path: PathBuf,
    /// Where it goes. A URL that cannot be parsed is the failure of this item.
    pub signed_url: SignedUrl,
    /// What the report calls it. Default: the file name.
    pub title: Option<String>,
    /// What it is, which decides the `Content-Type`. Default: an image.
    pub kind: ItemKind,
    /// Sent as `Content-Type` instead of the one that the kind gives.
    pub content_type: Option<HeaderValue>,
    /// The headers that came with the URL (`upload_headers` of the SDK, such as Azure's `x-ms-blob-type`). They win over all
    /// others but `Content-Length`.
    pub headers: HeaderMap,
}

impl UploadItem {
    /// An image at `path` for `signed_url`, without further headers.
    pub fn new(path: impl Into<PathBuf>, signed_url: impl Into<SignedUrl>) -> Self {
        Self {
            path: path.into(),
            signed_url: signed_url.into(),
            title: None,
            kind: ItemKind::default(),
            content_type: None,
            headers: HeaderMap::new(),
        }
    }

    /// What the report calls the item.
    pub fn display_title(&self) -> String {
        self.title.clone().unwrap_or_else(|| {
            self.path.file_name().map_or_else(|| self.path.display().to_string(), |n| n.to_string_lossy().into_owned())
        })
    }

    /// The request that the SDK would send (U8).
    pub(crate) fn request(&self, settings: RequestsSettings) -> Request {
        use encord_http::header::{CACHE_CONTROL, CONTENT_TYPE};
        let content_type = self.content_type.clone().or_else(|| self.kind.content_type(&self.path));
        let mut request = Request::put(self.signed_url.clone(), Payload::file(&self.path))
            .settings(settings)
            .profile(Profile::Stall)
            .header(CACHE_CONTROL, HeaderValue::from_static("max-age=86400"));
        if let Some(content_type) = content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        for (name, value) in &self.headers {
            request = request.header(name.clone(), value.clone());
        }
        request
    }
}

impl fmt::Debug for UploadItem {
    /// Path and target. The headers may carry credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UploadItem({} to {})", self.path.display(), self.signed_url)
    }
}
