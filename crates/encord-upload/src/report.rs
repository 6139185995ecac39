//! The results of a batch.

use std::error::Error as StdError;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use encord_http::{Attempt, SignedUrl, StatusCode};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::item::Numbered;

/// The results of all items, in input order.
#[derive(Debug, Clone, Default)]
pub struct Report {
    pub(crate) items: Vec<ItemReport>,
}

/// The result of one item.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ItemReport {
    /// The position in the input, from 0.
    pub index: usize,
    /// The file.
    pub path: PathBuf,
    /// The title.
    pub title: String,
    /// The status.
    pub status: Status,
    /// The bytes that the server has acknowledged: the length of the file if it was uploaded, else 0.
    pub bytes: u64,
    /// Every attempt, in order. Empty when the item was not started, or was cancelled or skipped.
    pub attempts: Vec<Attempt>,
    /// Why the item failed.
    pub error: Option<ItemError>,
    /// When the item ended, if it was started.
    pub ended_at: Option<SystemTime>,
    /// The time from the start to the end of the item, with all waits.
    pub took: Duration,
}

/// The status of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// The server answered with a 2xx.
    Uploaded,
    /// It failed for good.
    Failed,
    /// The batch was stopped before the item was started, or while it was under way.
    Cancelled,
    /// The journal lists the item as uploaded, and the file has not changed since.
    Skipped,
}

/// Why an item failed. Of its URL the message shows host and path only (rule U9).
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum ItemError {
    /// The request failed for good. Its [`kind`](encord_http::Error::kind) shows, for example, that the file changed while it was
    /// sent ([`Changed`](encord_http::FaultKind::Changed)), or that the server stored other bytes than were sent
    /// ([`Integrity`](encord_http::FaultKind::Integrity)).
    #[error(transparent)]
    Request(#[from] encord_http::Error),
    /// The signed URL has expired, and there is no source to renew it, or the renewals did not help.
    #[error("the signed URL has expired: {0}")]
    Expired(#[source] encord_http::Error),
    /// The source of signed URLs returned an error for the item.
    #[error("no signed URL: {0}")]
    Source(Arc<dyn StdError + Send + Sync>),
    /// The item has no signed URL, and there is no source.
    #[error("the item has no signed URL")]
    NoUrl,
    /// The server answered with a redirect or another status that stores nothing. Redirects are not followed (rule U8).
    #[error("PUT {url} failed: the server answered {status}, which is not a success and is not followed")]
    NotStored {
        /// The URL of the item.
        url: SignedUrl,
        /// The answer.
        status: StatusCode,
    },
}

/// Why a batch stopped early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopCause {
    /// The item at this position failed, and failures are not allowed (rule U5).
    Failure {
        /// The position in the input, from 0.
        index: usize,
    },
    /// It was cancelled before all items had ended.
    Cancelled,
}

/// The error of a batch that stopped early: by a failure that was not allowed (rule U5), or because it was cancelled.
#[derive(Debug, Clone)]
pub struct Stopped {
    pub(crate) report: Report,
    pub(crate) cause: StopCause,
}

/// The totals of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Summary {
    /// Items uploaded.
    pub uploaded: u64,
    /// Items failed.
    pub failed: u64,
    /// Items cancelled.
    pub cancelled: u64,
    /// Items skipped.
    pub skipped: u64,
    /// Bytes that servers have acknowledged.
    pub bytes: u64,
    /// Attempts of all items.
    pub attempts: u64,
}

impl ItemReport {
    /// Makes the report of an item that was not started.
    pub(crate) fn cancelled(Numbered { index, item, .. }: &Numbered) -> Self {
        Self {
            index: *index,
            path: item.path.clone(),
            title: item.display_title(),
            status: Status::Cancelled,
            bytes: 0,
            attempts: Vec::new(),
            error: None,
            ended_at: None,
            took: Duration::ZERO,
        }
    }

    pub(crate) fn failed(self, error: ItemError) -> Self {
        Self { status: Status::Failed, error: Some(error), ..self }
    }
}

impl Report {
    /// The items, in input order.
    pub fn items(&self) -> &[ItemReport] {
        &self.items
    }

    /// The items, without a copy.
    pub fn into_items(self) -> Vec<ItemReport> {
        self.items
    }

    /// The items that failed, in input order.
    pub fn failed(&self) -> impl Iterator<Item = &ItemReport> {
        self.items.iter().filter(|item| item.status == Status::Failed)
    }

    /// The totals.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for item in &self.items {
            summary.add(item);
        }
        summary
    }
}

impl Stopped {
    /// The results of all items.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The results of all items, without a copy.
    pub fn into_report(self) -> Report {
        self.report
    }

    /// What stopped the batch.
    pub fn cause(&self) -> StopCause {
        self.cause
    }

    /// The item whose failure stopped the batch; `None` when the batch was cancelled.
    pub fn failure(&self) -> Option<&ItemReport> {
        let StopCause::Failure { index } = self.cause else { return None };
        let position = self.report.items.binary_search_by_key(&index, |item| item.index).ok()?;
        self.report.items.get(position)
    }
}

impl Summary {
    /// Adds the result of an item.
    pub fn add(&mut self, item: &ItemReport) {
        match item.status {
            Status::Uploaded => self.uploaded += 1,
            Status::Failed => self.failed += 1,
            Status::Cancelled => self.cancelled += 1,
            Status::Skipped => self.skipped += 1,
        }
        self.bytes += item.bytes;
        self.attempts += item.attempts.len() as u64;
    }
}

impl Status {
    /// The status as a report file shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uploaded => "uploaded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { uploaded, failed, cancelled, skipped, bytes, attempts } = self;
        write!(
            f,
            "{uploaded} uploaded, {failed} failed, {cancelled} cancelled, {skipped} skipped; {bytes} bytes, {attempts} attempts"
        )
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.failure() {
            Some(ItemReport { title, error: Some(error), .. }) => write!(f, "{title}: {error}")?,
            _ => f.write_str("the upload was cancelled")?,
        }
        write!(f, " ({})", self.report.summary())
    }
}

impl std::error::Error for Stopped {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.failure().and_then(|item| item.error.as_ref()).map(|e| e as _)
    }
}
