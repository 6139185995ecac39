//! What the items of a batch have in common.

use std::sync::Arc;

use encord_http::Client;
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
    pub(crate) progress: Progress,
    pub(crate) gate: Arc<Gate>,
}
