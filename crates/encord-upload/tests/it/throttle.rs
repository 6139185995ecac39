//! A host that asks to be left alone is left alone by the whole batch.

use std::num::NonZeroUsize;
use std::time::Duration;

use encord_http::Client;
use encord_http_settings::RequestsSettings;
use encord_test_server::{Server, status};
use encord_upload::{SignedTarget, SignedUrlSource, SourceError, Status, UploadItem, Uploader};

use crate::{Files, allowed, attempts, statuses, upload, uploader};

#[tokio::test(start_paused = true)]
async fn r6_a_retry_after_slows_the_whole_batch_for_its_host() {
    let busy = Server::start_here(|request, before| match (request.target.as_str(), before) {
        ("/0", 0) => status(503).header("Retry-After", "60"),
        // Under way when the first is refused.
        ("/1", 0) => status(200).after(Duration::from_secs(1)),
        _ => status(200),
    });
    let other = Server::start_here(|_, _| status(200));
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

/// For how long an item waits that comes a second after another one got this answer, in seconds.
async fn check(code: u16, asked: &'static str, limit: u64, max_retries: u32, expected: u64) {
    let server = Server::start_here(move |request, before| match (request.target.as_str(), before) {
        ("/0", 0) => status(code).header("Retry-After", asked),
        ("/1", 0) => status(200).after(Duration::from_secs(1)),
        _ => status(200),
    });
    let files = Files::new();
    let file = files.file("a", "a");
    let client = Client::builder(RequestsSettings { max_retries, ..RequestsSettings::default() });
    let uploader = Uploader::new(&client.retry_after_limit(Duration::from_secs(limit)).build(), allowed());
    let items = (0..3).map(|n| UploadItem::new(&file, server.url(&format!("/{n}")))).collect();
    let reports = upload(&uploader.concurrency(NonZeroUsize::new(2).unwrap()), items).await;
    assert_eq!(statuses(&reports[1..]), [Status::Uploaded; 2]);
    let waited = reports[2].attempts[0].waited.as_secs();
    assert!((expected.saturating_sub(2)..=expected).contains(&waited), "{code}, {asked}: {waited} s");
}

#[tokio::test(start_paused = true)]
async fn r6_a_host_is_left_alone_for_as_long_as_it_asks_and_no_longer_than_the_limit() {
    check(429, "60", 120, 3, 60).await;
    check(429, "60", 120, 0, 60).await;
    check(503, "60", 120, 3, 60).await;
    check(503, "150", 180, 3, 150).await;
    // The item fails, and the others do not wait for ever.
    check(503, "86400", 120, 3, 120).await;
    check(503, "3600", 180, 3, 180).await;
    check(503, "60", 30, 3, 30).await;
    check(503, "60", 120, 0, 60).await;
    check(503, "3600", 120, 0, 120).await;
    check(500, "60", 120, 3, 0).await;
}

#[tokio::test(start_paused = true)]
async fn r6_a_backoff_without_retry_after_is_the_items_own() {
    let server = Server::start_here(|request, before| {
        status(if (request.target.as_str(), before) == ("/0", 0) { 503 } else { 200 })
    });
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
    let busy = Server::start_here(|request, before| match (request.target.as_str(), before) {
        ("/0", 0) => status(503).header("Retry-After", "60"),
        _ => status(200),
    });
    let files = Files::new();
    let file = files.file("a", "a");
    let expired = "http://127.0.0.1:9/b/o?X-Goog-Date=20240101T000000Z&X-Goog-Expires=60&X-Goog-Signature=s3cret";
    let items = vec![UploadItem::new(&file, busy.url("/0")), UploadItem::new(&file, expired)];
    let reports = upload(&uploader().source(Source(busy.url("/renewed"))), items).await;
    assert_eq!(statuses(&reports), [Status::Uploaded; 2]);
    let waited = reports[1].attempts[0].waited;
    assert!(waited >= Duration::from_secs(58), "{waited:?}");
}
