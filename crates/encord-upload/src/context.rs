//! The parts that all items of a batch share.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use encord_http::{Client, Origin, SignedUrl};
use encord_http_settings::EffectiveUploadSettings;

use crate::gate::Gate;
use crate::journal::Journal;
use crate::progress::Progress;
use crate::source::AnySource;

pub(crate) struct Context {
    pub(crate) client: Client,
    pub(crate) settings: EffectiveUploadSettings,
    pub(crate) source: Option<AnySource>,
    pub(crate) journal: Option<Journal>,
    pub(crate) content_md5: bool,
    pub(crate) compare_etag: bool,
    pub(crate) etags: Etags,
    pub(crate) progress: Progress,
    pub(crate) gate: Arc<Gate>,
}

/// The origins that have answered with the MD5 of a file as its `ETag`. From such an origin, an `ETag` with a different MD5 means
/// that the file did not arrive intact.
#[derive(Debug, Clone, Default)]
pub(crate) struct Etags(Arc<Mutex<HashSet<Origin>>>);

impl Etags {
    pub(crate) fn insert(&self, url: &SignedUrl) {
        let Some(origin) = url.origin() else { return };
        let mut origins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !origins.contains(origin) {
            origins.insert(origin.clone());
        }
    }

    pub(crate) fn are_md5s(&self, url: &SignedUrl) -> bool {
        let origins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        url.origin().is_some_and(|origin| origins.contains(origin))
    }
}
