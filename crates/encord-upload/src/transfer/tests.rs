//! A transfer that is stopped at a moment that no test of a batch can choose.

use encord_http::Client;
use encord_http_settings::{CloudUploadSettings, RequestsSettings};
use encord_test_server::{Server, status};
use tokio::task::yield_now;
use tokio::time::timeout;

use super::*;
use crate::context::Etags;
use crate::gate::Gate;
use crate::item::UploadItem;
use crate::journal::Journal;
use crate::progress::Progress;

#[tokio::test]
async fn u5_a_stop_while_the_journal_is_written_reports_what_is_stored() {
    let server = Server::start_here(|_, _| status(200));
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("a.jpg");
    std::fs::write(&path, "content").unwrap();
    let journal = Journal::open(files.path().join("journal")).unwrap();
    let writing = journal.hold().await;

    let requests = RequestsSettings::default();
    let context = Arc::new(Context {
        client: Client::new(requests),
        settings: CloudUploadSettings::default().over(&requests),
        source: None,
        journal: Some(journal.clone()),
        content_md5: false,
        compare_etag: true,
        etags: Etags::default(),
        progress: Progress::new(),
        gate: Gate::new(1, false),
    });
    let item = Numbered::new(0, UploadItem::new(path, server.url("/a")));
    let (arrival, decision) = (context.gate.count_arriving(), Decision::default());
    let running = tokio::spawn(transfer(context, item, arrival, decision.clone()));
    let decided = async {
        while !decision.0.load(Ordering::Acquire) {
            yield_now().await;
        }
    };
    timeout(Duration::from_secs(60), decided).await.expect("decided before the journal is written");

    // From here on a stop does not abort the transfer.
    assert!(!decision.take());
    drop(writing);
    let report = running.await.expect("not aborted");
    assert_eq!((report.status, report.bytes, journal.len()), (Status::Uploaded, 7, 0));
    journal.finish().expect("written");
    drop(journal);
    assert_eq!(Journal::open(files.path().join("journal")).expect("opened").len(), 1);
}
