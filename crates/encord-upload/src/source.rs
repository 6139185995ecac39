//! Where signed URLs come from when they are not known beforehand, or have expired.

use std::error::Error as StdError;
use std::pin::Pin;
use std::sync::Arc;

use crate::item::UploadItem;
use crate::target::SignedTarget;

/// Why there is no signed URL for an item. It is shown to people: it must not repeat a URL.
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
    /// A signed URL for each item: exactly one answer for each, in the order of `items`. An error is the failure of its item. Of
    /// more or fewer answers none is used, and every item of the call fails.
    ///
    /// It is asked for a few items at a time, at most as many as are under way at once, by one call after the other. Renewals come
    /// beside them: one item a call, up to as many calls at once as items are under way.
    ///
    /// Retries are its own affair: each call's answer is final for that call. So is the time: nobody limits how long a call takes,
    /// and one that never ends holds up its items and every item still to be signed. Give it a timeout.
    fn sign(&self, items: &[UploadItem]) -> impl Future<Output = Vec<Result<SignedTarget, SourceError>>> + Send;
}

/// A [`SignedUrlSource`] of a type that nobody has to name.
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
