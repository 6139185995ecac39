//! A source of signed URLs, for items without a URL, or with an expired one.

use std::error::Error as StdError;
use std::pin::Pin;
use std::sync::Arc;

use crate::item::UploadItem;
use crate::target::SignedTarget;

/// Why there is no signed URL for an item. The message is shown to people, so it must not repeat a URL.
pub type SourceError = Box<dyn StdError + Send + Sync>;

/// Signs URLs shortly before they are used, in batches, and again for items whose URLs have expired.
///
/// ```
/// use encord_upload::{SignedTarget, SignedUrlSource, SourceError, UploadItem};
///
/// struct Backend;
///
/// impl SignedUrlSource for Backend {
///     async fn sign(&self, items: &[UploadItem]) -> Vec<Result<SignedTarget, SourceError>> {
///         // One request to your backend for all of them.
///         items.iter().map(|item| Ok(format!("https://storage.example/{}?sig=…", item.display_title()).into())).collect()
///     }
/// }
/// ```
pub trait SignedUrlSource: Send + Sync {
    /// Returns a signed URL for each item: exactly one answer per item, in the order of `items`. An error fails its item. If the
    /// number of answers is wrong, none is used, and all items of the call fail.
    ///
    /// Each call gets at most as many items as may be under way at once, and one call follows the other. Renewals are separate
    /// calls of one item each. There may be as many renewals at once as items under way.
    ///
    /// `sign` is not retried and has no timeout: do both inside it. A call that never ends blocks its items and all items that
    /// are still to be signed.
    fn sign(&self, items: &[UploadItem]) -> impl Future<Output = Vec<Result<SignedTarget, SourceError>>> + Send;
}

/// A [`SignedUrlSource`] of any type.
pub(crate) type AnySource = Arc<dyn Erased>;

type SignFuture<'a> = Pin<Box<dyn Future<Output = Vec<Result<SignedTarget, SourceError>>> + Send + 'a>>;

pub(crate) trait Erased: Send + Sync {
    fn sign<'a>(&'a self, items: &'a [UploadItem]) -> SignFuture<'a>;
}

impl<S: SignedUrlSource> Erased for S {
    fn sign<'a>(&'a self, items: &'a [UploadItem]) -> SignFuture<'a> {
        Box::pin(SignedUrlSource::sign(self, items))
    }
}
