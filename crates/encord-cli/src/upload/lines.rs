//! Passes the lines of the report to the disk.

use std::mem::take;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use encord_upload::ItemReport;
use tokio::task::spawn_blocking;

use crate::report::{Line, Reporter};

/// How many bytes of lines are collected before they are written.
const MAX_WAITING_BYTES: usize = 64 * 1024;

/// The report, if one is written.
pub(super) type SharedReporter = Arc<Mutex<Option<Reporter>>>;

/// Collects lines, and writes them on a blocking thread, so that a disk that hangs does not block the uploads.
pub(super) struct Lines {
    reporter: SharedReporter,
    is_wanted: bool,
    waiting: Vec<Line>,
    bytes: usize,
}

impl Lines {
    pub(super) fn new(reporter: SharedReporter) -> Self {
        let is_wanted = lock(&reporter).is_some();
        Self { reporter, is_wanted, waiting: Vec::new(), bytes: 0 }
    }

    /// Adds the result of an item.
    pub(super) async fn add(&mut self, item: &ItemReport) {
        if !self.is_wanted {
            return;
        }
        let line = Line::from(item);
        self.bytes += line.len();
        self.waiting.push(line);
        if self.bytes > MAX_WAITING_BYTES {
            self.flush().await;
        }
    }

    /// Writes the collected lines.
    pub(super) async fn flush(&mut self) {
        self.bytes = 0;
        let (reporter, lines) = (Arc::clone(&self.reporter), take(&mut self.waiting));
        let write = move || {
            if let Some(reporter) = &mut *lock(&reporter) {
                for line in &lines {
                    reporter.add(line);
                }
            }
        };
        // It can fail only by a panic, which has already been printed.
        let _ = spawn_blocking(write).await;
    }
}

pub(super) fn lock(reporter: &Mutex<Option<Reporter>>) -> MutexGuard<'_, Option<Reporter>> {
    reporter.lock().unwrap_or_else(PoisonError::into_inner)
}
