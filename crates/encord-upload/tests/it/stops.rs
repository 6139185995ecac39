//! What a stop ends, and what is said of it afterwards.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use encord_http_settings::CloudUploadSettings;
use encord_test_server::{Server, status};
use encord_upload::{
    Batch, ItemReport, SignedTarget, SignedUrlSource, SourceError, Status, StopCause, Stopped, UploadItem, Uploader,
};
use futures_util::{Stream, stream};
use tokio::sync::Notify;
use tokio::task::coop;
use tokio::time::{sleep, timeout};

use crate::{Files, client, statuses, uploader};

/// Knows no dataset for items that are called "refused".
struct Choosy(String);

impl SignedUrlSource for Choosy {
    async fn sign(&self, items: &[UploadItem]) -> Vec<Result<SignedTarget, SourceError>> {
        let refused = |item: &UploadItem| item.path.ends_with("refused");
        items.iter().map(|item| if refused(item) { Err("no".into()) } else { Ok(self.0.as_str().into()) }).collect()
    }
}

/// Never answers.
struct Pending;

impl SignedUrlSource for Pending {
    async fn sign(&self, _: &[UploadItem]) -> Vec<Result<SignedTarget, SourceError>> {
        pending().await
    }
}

fn strict() -> Uploader {
    Uploader::new(&client(), CloudUploadSettings::default())
}

/// Runs a batch to its end; its reports in input order, each item once.
async fn run(batch: &mut Batch<impl Stream<Item = UploadItem>>) -> Vec<ItemReport> {
    let mut reports = Vec::new();
    while let Some(report) = batch.next().await {
        reports.push(report);
    }
    reports.sort_by_key(|report| report.index);
    assert!(reports.iter().map(|report| report.index).eq(0..reports.len()), "{reports:?}");
    reports
}

#[tokio::test(start_paused = true)]
async fn no_more_items_are_taken_than_have_room_although_none_of_them_can_be_sent() {
    for (uploader, ahead) in [(uploader(), 4), (uploader().source(Choosy(String::new())), 8)] {
        let taken = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&taken);
        let items = (0..5000).map(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
            UploadItem::unsigned("refused")
        });
        let mut batch = uploader.concurrency(4).batch(stream::iter(items));
        for given in 0..5000 {
            assert_eq!(batch.next().await.unwrap().status, Status::Failed);
            let taken = taken.load(Ordering::Relaxed);
            assert!(taken <= given + ahead, "{taken} are taken, {given} were given out before");
        }
        assert!(batch.next().await.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn u5_nothing_is_started_after_an_item_that_cannot_be() {
    let server = Server::start_here(|_, _| status(200));
    let files = Files::new();
    let (refused, file) = (UploadItem::unsigned(files.file("refused", "x")), files.file("a", "x"));
    let signed = UploadItem::new(&file, server.url("/"));
    let unsigned = UploadItem::unsigned(&file);
    let source = || strict().source(Choosy(server.url("/")));
    for (uploader, items, failed) in [
        (strict(), [&refused, &signed, &signed], 0),
        (strict(), [&signed, &refused, &signed], 1),
        (source(), [&refused, &unsigned, &unsigned], 0),
        (source(), [&unsigned, &refused, &unsigned], 1),
    ] {
        let mut batch = uploader.batch(stream::iter(items.map(Clone::clone)));
        let first = batch.next().await.unwrap();
        assert_eq!(batch.progress().snapshot().under_way, 0, "{first:?}");
        assert_eq!(batch.stopped(), Some(StopCause::Failure { index: failed }));
        let mut reports = vec![first];
        while let Some(report) = batch.next().await {
            reports.push(report);
        }
        reports.sort_by_key(|report| report.index);
        let mut expected = [Status::Cancelled; 3];
        expected[failed] = Status::Failed;
        assert_eq!(statuses(&reports), expected);
    }
    assert!(server.requests().is_empty());
}

/// Of two that end while nobody looks, the first or the second fails.
#[tokio::test(start_paused = true)]
async fn u5_nothing_is_started_after_a_failure_that_nobody_has_seen_yet() {
    for failed in 0..2 {
        let server = Server::start_here(move |request, _| {
            let index: u64 = request.target[1..].parse().unwrap();
            status(if index == failed { 403 } else { 200 }).after(Duration::from_secs(1 + index))
        });
        let files = Files::new();
        let file = files.file("a", "x");
        let items = (0..4).map(|n| UploadItem::new(&file, server.url(&format!("/{n}"))));
        let mut batch = strict().concurrency(2).batch(stream::iter(items));
        timeout(Duration::from_millis(1), batch.next()).await.unwrap_err();
        sleep(Duration::from_secs(60)).await;
        let mut reports = Vec::new();
        while let Some(report) = batch.next().await {
            assert_eq!(batch.progress().snapshot().under_way, 0, "after {report:?}");
            reports.push(report);
        }
        // What had arrived is not called anything else.
        let mut expected = [Status::Uploaded, Status::Uploaded, Status::Cancelled, Status::Cancelled];
        expected[usize::try_from(failed).unwrap()] = Status::Failed;
        reports.sort_by_key(|report| report.index);
        assert_eq!(statuses(&reports), expected);
        assert_eq!(batch.stopped(), Some(StopCause::Failure { index: usize::try_from(failed).unwrap() }));
    }
}

/// Also when the runtime wants its thread back before all that have ended could be looked at.
#[tokio::test(start_paused = true)]
async fn u5_nothing_is_started_before_all_that_have_ended_were_looked_at() {
    let server = Server::start_here(|request, _| match request.target.as_str() {
        "/1" => status(403).after(Duration::from_secs(1)),
        _ => status(200),
    });
    let files = Files::new();
    let file = files.file("a", "x");
    for done_before in 0..128 {
        let items = (0..3).map(|n| UploadItem::new(&file, server.url(&format!("/{n}"))));
        let mut batch = strict().concurrency(2).batch(stream::iter(items));
        assert_eq!(batch.next().await.unwrap().status, Status::Uploaded);
        sleep(Duration::from_secs(2)).await;
        for _ in 0..done_before {
            coop::consume_budget().await;
        }
        assert_eq!(batch.next().await.unwrap().status, Status::Failed);
        assert_eq!(batch.progress().snapshot().under_way, 0, "after {done_before}");
        assert_eq!(batch.next().await.unwrap().status, Status::Cancelled);
        assert!(batch.next().await.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn u5_a_stop_reports_each_item_once_that_waits_for_its_url() {
    let server = Server::start_here(|_, _| status(403).after(Duration::from_secs(1)));
    let files = Files::new();
    let file = files.file("a", "x");
    let fails = UploadItem::new(&file, server.url("/"));
    let items =
        |first: UploadItem| stream::iter([first].into_iter().chain((0..20).map(|_| UploadItem::unsigned(&file))));

    let waiting = || strict().source(Pending).concurrency(4);
    let mut batch = waiting().batch(items(fails));
    let reports = run(&mut batch).await;
    assert_eq!((reports.len(), reports[0].status), (21, Status::Failed));
    assert_eq!(statuses(&reports[1..]), [Status::Cancelled; 20]);
    assert_eq!(batch.stopped(), Some(StopCause::Failure { index: 0 }));

    let mut batch = waiting().batch(items(UploadItem::unsigned(&file))).until(sleep(Duration::from_secs(1)));
    assert_eq!(statuses(&run(&mut batch).await), [Status::Cancelled; 21]);
    assert_eq!(batch.stopped(), Some(StopCause::Cancelled));
}

#[tokio::test(start_paused = true)]
async fn u5_a_batch_in_which_nothing_was_cancelled_is_not_stopped() {
    let server = Server::start_here(|_, _| status(200));
    let files = Files::new();
    let file = files.file("a", "x");
    for (cancelled_after, uploaded) in [(3, 3), (2, 2)] {
        let items: Vec<_> = (0..3).map(|_| UploadItem::new(&file, server.url("/"))).collect();
        let cancel = Arc::new(Notify::new());
        let mut seen = 0;
        let uploader = uploader().concurrency(1);
        let batch = uploader.batch(stream::iter(items)).until(Arc::clone(&cancel).notified_owned());
        let outcome = batch.report(|_| {
            seen += 1;
            if seen == cancelled_after {
                cancel.notify_one();
            }
        });
        let outcome = outcome.await;
        let cause = outcome.as_ref().err().map(Stopped::cause);
        assert_eq!(cause, (uploaded < 3).then_some(StopCause::Cancelled));
        let summary = outcome.unwrap_or_else(Stopped::into_report).summary();
        assert_eq!((summary.uploaded, summary.cancelled), (uploaded, 3 - uploaded));
    }
}
