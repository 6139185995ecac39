//! A host that asks to be left alone is left alone by the whole batch.

use std::num::NonZeroUsize;
use std::time::Duration;

use encord_upload::{SignedTarget, SignedUrlSource, SourceError, Status, UploadItem};

use crate::server::{Server, status};
use crate::{Files, attempts, statuses, upload, uploader};

#[tokio::test(start_paused = true)]
async fn r6_a_retry_after_slows_the_whole_batch_for_its_host() {
    let busy = Server::start(|request, before| match (request.target.as_str(), before) {
        ("/0", 0) => status(503).header("Retry-After", "60"),
        // Under way when the first is refused.
        ("/1", 0) => status(200).after(Duration::from_secs(1)),
        _ => status(200),
    })
    .await;
    let other = Server::start(|_, _| status(200)).await;
    let files = Files::new();
    let file = files.file("a", "a");
    let mut items: Vec<_> = (0..4).map(|n| UploadItem::new(&file, busy.url(&format!("/{n}")))).collect();
    items.insert(2, UploadItem::new(&file, other.url("/")));

    let reports = upload(&uploader().concurrency(NonZeroUsize::new(3).unwrap()), items).await;
    assert_eq!(statuses(&reports), [Status::Uploaded; 5]);
    let requests = busy.requests();
    let refused = requests[0].at;
    for request in &requests[2..] {
        assert!(request.at - refused >= Duration::from_secs(60), "{request:?}");
    }
    assert!(other.requests()[0].at - refused < Duration::from_secs(60), "another host goes on");
    // What was waited is told, whoever asked for it.
    assert_eq!(attempts(&reports[0]), ["503", "200 after 60s"]);
    assert!(reports[3].attempts[0].waited >= Duration::from_secs(58), "{:?}", reports[3].attempts);
}

#[tokio::test(start_paused = true)]
async fn r6_a_backoff_without_retry_after_is_the_items_own() {
    let server =
        Server::start(|request, before| status(if (request.target.as_str(), before) == ("/0", 0) { 503 } else { 200 }))
            .await;
    let files = Files::new();
    let file = files.file("a", "a");
    let items = (0..4).map(|n| UploadItem::new(&file, server.url(&format!("/{n}")))).collect();
    let reports = upload(&uploader().concurrency(NonZeroUsize::new(1).unwrap()), items).await;
    assert_eq!(attempts(&reports[0]), ["503", "200 after 1.5s"]);
    assert!(reports[1..].iter().all(|report| report.attempts[0].waited.is_zero()));
}

#[tokio::test(start_paused = true)]
async fn r6_a_renewed_url_waits_for_the_host_that_it_leads_to() {
    struct Source(String);
    impl SignedUrlSource for Source {
        async fn sign(&self, _: &[UploadItem]) -> Vec<Result<SignedTarget, SourceError>> {
            // Until the other item was refused.
            tokio::time::sleep(Duration::from_secs(1)).await;
            vec![Ok(self.0.as_str().into())]
        }
    }
    let busy = Server::start(|request, before| match (request.target.as_str(), before) {
        ("/0", 0) => status(503).header("Retry-After", "60"),
        _ => status(200),
    })
    .await;
    let files = Files::new();
    let file = files.file("a", "a");
    let expired = "http://127.0.0.1:9/b/o?X-Goog-Date=20240101T000000Z&X-Goog-Expires=60&X-Goog-Signature=s3cret";
    let items = vec![UploadItem::new(&file, busy.url("/0")), UploadItem::new(&file, expired)];
    let reports = upload(&uploader().source(Source(busy.url("/renewed"))), items).await;
    assert_eq!(statuses(&reports), [Status::Uploaded; 2]);
    let waited = reports[1].attempts[0].waited;
    assert!(waited >= Duration::from_secs(58), "{waited:?}");
}
