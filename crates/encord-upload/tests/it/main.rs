//! The uploader against a server in the same runtime, under paused time.
#![cfg(test)]

mod batch;
mod gate;
mod integrity;
mod journal;
mod signing;
mod stops;

use std::path::PathBuf;

use encord_http::Client;
use encord_http_settings::{CloudUploadSettings, RequestsSettings};
use encord_upload::{ItemReport, Status, UploadItem, Uploader};
use tempfile::TempDir;

/// With the settings of the SDK, under which waits take seconds: time is paused.
fn client() -> Client {
    Client::new(RequestsSettings::default())
}

fn allowed() -> CloudUploadSettings {
    CloudUploadSettings { allow_failures: true, ..CloudUploadSettings::default() }
}

fn uploader() -> Uploader {
    Uploader::new(&client(), allowed())
}

/// Small files in a folder of their own.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A file of this name and content.
    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

/// Uploads the items; their reports in input order.
async fn upload(uploader: &Uploader, items: Vec<UploadItem>) -> Vec<ItemReport> {
    uploader.upload(items, |_| {}).await.unwrap().into_items()
}

fn statuses(reports: &[ItemReport]) -> Vec<Status> {
    reports.iter().map(|report| report.status).collect()
}

/// The outcomes of an item's attempts, as a report has them.
fn attempts(report: &ItemReport) -> Vec<String> {
    report.attempts.iter().map(ToString::to_string).collect()
}

fn error(report: &ItemReport) -> String {
    report.error.as_ref().unwrap().to_string()
}
