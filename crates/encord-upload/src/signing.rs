//! The items that have no URL yet: gathered, and signed some at a time.

use std::num::NonZeroUsize;
use std::pin::Pin;
use std::slice;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::batch::Numbered;
use crate::item::UploadItem;
use crate::report::{ItemError, ItemReport, Status};
use crate::source::{AnySource, SignedTarget, SourceError};
use crate::transfer::{BatchContext, on_disk};

/// Gathers items and has them signed, one call at a time.
pub(crate) struct Signing {
    shared: Arc<BatchContext>,
    /// So many are gathered before the source is asked, unless it presses.
    enough: usize,
    gathered: Vec<Numbered>,
    call: Option<Call>,
}

/// What became of items that had no URL.
pub(crate) struct Signed {
    pub(crate) ready: Vec<Numbered>,
    /// Of those that were done before, or are not to be signed.
    pub(crate) ended: Vec<ItemReport>,
}

struct Call {
    /// To be reported if the call is aborted.
    items: Vec<Numbered>,
    future: Pin<Box<dyn Future<Output = Signed> + Send>>,
}

impl Signing {
    pub(crate) fn new(shared: Arc<BatchContext>, concurrency: NonZeroUsize) -> Self {
        Self { shared, enough: concurrency.get().div_ceil(2), gathered: Vec::new(), call: None }
    }

    /// Whether there is somebody to ask.
    pub(crate) fn is_possible(&self) -> bool {
        self.shared.source.is_some()
    }

    /// How many items are here.
    pub(crate) fn len(&self) -> usize {
        self.gathered.len() + self.call.as_ref().map_or(0, |call| call.items.len())
    }

    pub(crate) fn push(&mut self, item: Numbered) {
        self.gathered.push(item);
    }

    /// The items that have been signed; `None` when none are to be. `pressing`: there is nothing else to do.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, pressing: bool) -> Poll<Option<Signed>> {
        if self.call.is_none() {
            let due = self.gathered.len() >= self.enough || (pressing && !self.gathered.is_empty());
            let source = self.shared.source.clone().filter(|_| due);
            self.call = source.map(|source| Call::new(&self.shared, source, std::mem::take(&mut self.gathered)));
        }
        let Some(call) = &mut self.call else { return Poll::Ready(None) };
        call.future.as_mut().poll(cx).map(|signed| {
            self.call = None;
            Some(signed)
        })
    }

    /// Gives up, and gives back what is here.
    pub(crate) fn abort(&mut self) -> Vec<Numbered> {
        let mut items = self.call.take().map(|call| call.items).unwrap_or_default();
        items.append(&mut self.gathered);
        items
    }
}

impl Call {
    fn new(shared: &Arc<BatchContext>, source: AnySource, items: Vec<Numbered>) -> Self {
        let copies =
            items.iter().map(|Numbered { index, item }| Numbered { index: *index, item: item.clone() }).collect();
        Self { items, future: Box::pin(sign(Arc::clone(shared), source, copies)) }
    }
}

async fn sign(shared: Arc<BatchContext>, source: AnySource, items: Vec<Numbered>) -> Signed {
    let mut signed = Signed { ready: Vec::with_capacity(items.len()), ended: Vec::new() };
    let mut missing: Vec<Numbered> = Vec::with_capacity(items.len());
    for numbered in items {
        if let Some(journal) = &shared.journal
            && let Some(entry) = on_disk(&numbered.item).await
            && journal.has(&entry)
        {
            let report = ItemReport::cancelled(numbered.index, &numbered.item);
            signed.ended.push(ItemReport { status: Status::Skipped, ..report });
        } else {
            missing.push(numbered);
        }
    }
    if missing.is_empty() {
        return signed;
    }
    let (places, items): (Vec<usize>, Vec<UploadItem>) = missing.into_iter().map(|n| (n.index, n.item)).unzip();
    let targets = ask(&source, &items).await;
    for ((index, mut item), target) in places.into_iter().zip(items).zip(targets) {
        match target {
            Ok(target) => {
                item.aim(target);
                signed.ready.push(Numbered { index, item });
            }
            Err(error) => signed.ended.push(Numbered { index, item }.failed(error)),
        }
    }
    signed
}

/// Asks for one item again.
pub(crate) async fn renew(source: &AnySource, item: &UploadItem) -> Result<SignedTarget, ItemError> {
    ask(source, slice::from_ref(item)).await.pop().unwrap_or(Err(ItemError::NoUrl))
}

/// An answer for each item. It is the place alone that says which answer is whose, so they are all given up when one is missing.
async fn ask(source: &AnySource, items: &[UploadItem]) -> Vec<Result<SignedTarget, ItemError>> {
    let answers = source.sign(items).await;
    if answers.len() == items.len() {
        return answers.into_iter().map(|answer| answer.map_err(|error| ItemError::Source(error.into()))).collect();
    }
    let error = format!("the source answered {} URLs for {} items; none is used", answers.len(), items.len());
    let error = ItemError::Source(SourceError::from(error).into());
    items.iter().map(|_| Err(error.clone())).collect()
}
