//! Gathers the items without a URL, and has them signed in batches.

use std::pin::Pin;
use std::slice;
use std::sync::Arc;
use std::task::{self, Poll};

use crate::context::Context;
use crate::item::{Numbered, UploadItem};
use crate::report::{ItemError, ItemReport, Status};
use crate::source::{AnySource, SourceError};
use crate::target::SignedTarget;

/// Gathers items and has them signed, by one call at a time.
pub(crate) struct Signing {
    context: Arc<Context>,
    gathered: Vec<Numbered>,
    call: Option<Call>,
}

/// The items of one call after it has ended.
pub(crate) struct Signed {
    pub(crate) ready: Vec<Numbered>,
    /// The reports of items that were done before, or could not be signed.
    pub(crate) ended: Vec<ItemReport>,
}

struct Call {
    /// The items of the call, which are reported if it is aborted.
    items: Vec<Numbered>,
    future: Pin<Box<dyn Future<Output = Signed> + Send>>,
}

impl Signing {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self { context, gathered: Vec::new(), call: None }
    }

    /// Whether there is a source.
    pub(crate) fn is_possible(&self) -> bool {
        self.context.source.is_some()
    }

    /// Returns how many items are gathered or being signed.
    pub(crate) fn len(&self) -> usize {
        self.gathered.len() + self.call.as_ref().map_or(0, |call| call.items.len())
    }

    pub(crate) fn push(&mut self, item: Numbered) {
        self.gathered.push(item);
    }

    /// Returns signed items; `None` if there is nothing to sign. If `is_urgent`, a call begins for any number of items,
    /// because the batch has nothing else to do.
    pub(crate) fn poll(&mut self, cx: &mut task::Context<'_>, is_urgent: bool) -> Poll<Option<Signed>> {
        if self.call.is_none() {
            // A call begins with half of the items that may be under way, so that each call signs many items, and the next call
            // runs ahead.
            let enough = self.context.gate.limit().div_ceil(2);
            let due = self.gathered.len() >= enough || (is_urgent && !self.gathered.is_empty());
            let source = self.context.source.clone().filter(|_| due);
            self.call = source.map(|source| Call::new(&self.context, source, std::mem::take(&mut self.gathered)));
        }
        let Some(call) = &mut self.call else { return Poll::Ready(None) };
        call.future.as_mut().poll(cx).map(|signed| {
            self.call = None;
            Some(signed)
        })
    }

    /// Aborts the call, and returns all items.
    pub(crate) fn abort(&mut self) -> Vec<Numbered> {
        let mut items = self.call.take().map(|call| call.items).unwrap_or_default();
        items.append(&mut self.gathered);
        items
    }
}

impl Call {
    fn new(context: &Arc<Context>, source: AnySource, items: Vec<Numbered>) -> Self {
        let future = Box::pin(sign(Arc::clone(context), source, items.clone()));
        Self { items, future }
    }
}

async fn sign(context: Arc<Context>, source: AnySource, items: Vec<Numbered>) -> Signed {
    let mut signed = Signed { ready: Vec::with_capacity(items.len()), ended: Vec::new() };
    let mut missing: Vec<Numbered> = Vec::with_capacity(items.len());
    for mut item in items {
        if let Some(journal) = &context.journal
            && journal.has_item(&item.item).await
        {
            signed.ended.push(ItemReport { status: Status::Skipped, ..ItemReport::cancelled(&item) });
        } else {
            item.is_checked_in_journal = true;
            missing.push(item);
        }
    }
    if missing.is_empty() {
        return signed;
    }
    let items: Vec<UploadItem> = missing.iter().map(|item| item.item.clone()).collect();
    let targets = ask(&source, &items).await;
    for (mut item, target) in missing.into_iter().zip(targets) {
        match target {
            Ok(target) => {
                item.set_target(&target);
                signed.ready.push(item);
            }
            Err(error) => signed.ended.push(ItemReport::cancelled(&item).failed(error)),
        }
    }
    signed
}

/// Asks the source for a new URL of one item.
pub(crate) async fn renew(source: &AnySource, item: &UploadItem) -> Result<SignedTarget, ItemError> {
    ask(source, slice::from_ref(item)).await.pop().unwrap_or(Err(ItemError::NoUrl))
}

/// Asks the source for the URLs of some items. Only the order relates answers to items, so if the number of answers is wrong,
/// none is used.
async fn ask(source: &AnySource, items: &[UploadItem]) -> Vec<Result<SignedTarget, ItemError>> {
    let answers = source.sign(items).await;
    if answers.len() == items.len() {
        return answers.into_iter().map(|answer| answer.map_err(|error| ItemError::Source(error.into()))).collect();
    }
    let error = format!("the source answered {} URLs for {} items; none is used", answers.len(), items.len());
    let error = ItemError::Source(SourceError::from(error).into());
    items.iter().map(|_| Err(error.clone())).collect()
}
