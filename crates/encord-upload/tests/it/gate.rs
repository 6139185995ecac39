//! The pace of a batch, as stores see it.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use encord_http::Client;
use encord_http_settings::RequestsSettings;
use encord_test_server::{Reply, Request, Server, status};
use encord_upload::{DEFAULT_CONCURRENCY, SignedTarget, SignedUrlSource, SourceError, Status, UploadItem, Uploader};

use futures_util::stream;
use tokio::time::{Instant, sleep};

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

    let reports = upload(&uploader().concurrency(3), items).await;
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
    let uploader = Uploader::new(&client.retry_after_limit(Duration::from_secs(limit)).build().unwrap(), allowed());
    let items = (0..3).map(|n| UploadItem::new(&file, server.url(&format!("/{n}")))).collect();
    let reports = upload(&uploader.concurrency(2), items).await;
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
    check(503, "60", 120, 0, 60).await;
    // The item fails, and the others do not wait.
    check(503, "86400", 120, 3, 0).await;
    check(503, "3600", 180, 3, 0).await;
    check(503, "60", 30, 3, 0).await;
    check(503, "3600", 120, 0, 0).await;
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
    let reports = upload(&uploader().concurrency(1), items).await;
    assert_eq!(attempts(&reports[0]), ["503", "200 after 1.5s"]);
    assert!(reports[1..].iter().all(|report| report.attempts[0].waited.is_zero()));
}

#[tokio::test(start_paused = true)]
async fn r6_a_renewed_url_waits_for_the_host_that_it_leads_to() {
    struct Source(String);
    impl SignedUrlSource for Source {
        async fn sign(&self, _: &[UploadItem]) -> Vec<Result<SignedTarget, SourceError>> {
            // Until the other item was refused.
            sleep(Duration::from_secs(1)).await;
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

/// 20 requests a second, and 5 at once; the others are refused.
fn rate_limit(retry_after: Option<&'static str>) -> impl Fn(&Request, usize) -> Reply + Send + Sync + 'static {
    let bucket = Mutex::new((5.0_f64, None));
    move |request, _| {
        let mut bucket = bucket.lock().unwrap();
        let passed = bucket.1.map_or(Duration::ZERO, |at| request.at.duration_since(at));
        let tokens = (bucket.0 + passed.as_secs_f64() * 20.0).min(5.0);
        *bucket = (if tokens >= 1.0 { tokens - 1.0 } else { tokens }, Some(request.at));
        match retry_after {
            _ if tokens >= 1.0 => status(200),
            Some(seconds) => status(429).header("Retry-After", seconds),
            None => status(429),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn u10_no_item_is_lost_to_a_limit_of_the_rate() {
    for (retry_after, most) in [(None, 15), (Some("1"), 25)] {
        let server = Server::start_here(rate_limit(retry_after));
        let files = Files::new();
        let file = files.file("a", "a");
        let began = Instant::now();
        let items = (0..150).map(|n| UploadItem::new(&file, server.url(&format!("/{n}")))).collect();
        let reports = upload(&uploader(), items).await;
        assert_eq!(statuses(&reports), [Status::Uploaded; 150]);
        assert!(began.elapsed() < Duration::from_secs(most), "{:?}", began.elapsed());
        // The waits of each item are those of its settings, or what the origin asked for (rule R2).
        let second = reports.iter().filter_map(|report| report.attempts.get(1));
        assert!(second.map(|attempt| attempt.waited).all(|waited| waited >= Duration::from_millis(1500)));
    }
}

#[tokio::test(start_paused = true)]
async fn u10_an_item_that_is_refused_for_long_holds_nobody() {
    let server = Server::start_here(|request, _| match request.target.as_str() {
        "/refused" => status(503).header("Retry-After", "100"),
        "/for-a-day" => status(503).header("Retry-After", "86400"),
        "/slow" => status(500),
        _ => status(200),
    });
    let other = Server::start_here(|_, _| status(200));
    let files = Files::new();
    let file = files.file("a", "a");
    let mut items = vec![UploadItem::new(&file, server.url("/for-a-day")), UploadItem::new(&file, server.url("/slow"))];
    items.push(UploadItem::new(&file, server.url("/refused")));
    items.extend((0..1000).map(|n| UploadItem::new(&file, other.url(&format!("/{n}")))));
    let began = Instant::now();
    let mut batch = uploader().concurrency(2).batch(stream::iter(items));
    let mut done = 0;
    while let Some(report) = batch.next().await {
        if report.status == Status::Uploaded {
            done += 1;
            assert!(began.elapsed() < Duration::from_secs(30), "{done} after {:?}", began.elapsed());
        }
    }
    assert_eq!(done, 1000);
}

#[tokio::test(start_paused = true)]
async fn u10_more_are_under_way_while_that_is_faster_and_never_more_than_the_user_says() {
    for (most, expected) in [(DEFAULT_CONCURRENCY, 256), (50, 50), (3, 3)] {
        let under_way = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let seen = Arc::clone(&under_way);
        let server = Server::start_here(move |_, _| {
            seen.1.fetch_max(seen.0.fetch_add(1, Relaxed) + 1, Relaxed);
            let seen = Arc::clone(&seen);
            tokio::spawn(async move {
                sleep(Duration::from_millis(50)).await;
                seen.0.fetch_sub(1, Relaxed);
            });
            status(200).after(Duration::from_millis(50))
        });
        let files = Files::new();
        let file = files.file("a", "a");
        let items: Vec<_> = (0..3000).map(|n| UploadItem::new(&file, server.url(&format!("/{n}")))).collect();
        let reports = upload(&uploader().concurrency(most), items).await;
        assert!(reports.iter().all(|report| report.status == Status::Uploaded));
        assert_eq!(under_way.1.load(Relaxed), expected);
    }
}

/// Three origins of different speed in one batch of 40,000: the slow ones do not hold the fast one, and none is asked for more than
/// it bears.
#[tokio::test(start_paused = true)]
async fn u10_each_origin_has_its_own_pace() {
    let fast = Server::start_here(|_, _| status(200).after(Duration::from_millis(10)));
    let slow = Server::start_here(|_, _| status(200).after(Duration::from_millis(200)));
    let limited = Server::start_here(rate_limit(None));
    let files = Files::new();
    let file = files.file("a", "a");
    let began = Instant::now();
    let url = |n: usize| match n % 100 {
        0 => limited.url(&format!("/{n}")),
        1..10 => slow.url(&format!("/{n}")),
        _ => fast.url(&format!("/{n}")),
    };
    let items: Vec<_> = (0..40_000).map(|n| UploadItem::new(&file, url(n))).collect();
    let mut last = [Duration::ZERO; 3];
    let report = uploader().batch(stream::iter(items)).report(|item| {
        last[match item.index % 100 {
            0 => 0,
            1..10 => 1,
            _ => 2,
        }] = began.elapsed();
    });
    assert_eq!(report.await.unwrap().summary().uploaded, 40_000);
    let [limited, slow, fast] = last;
    // At the slow one, 3,600 files take 2.8 s with 256 at once. The limited one accepts 400 in 19.75 s.
    assert!(fast < Duration::from_secs(8) && slow < Duration::from_secs(8), "{last:?}");
    assert!(limited < Duration::from_secs(30), "{last:?}");
}
