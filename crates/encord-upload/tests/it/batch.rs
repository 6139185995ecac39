//! The batch as a stream.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use encord_http::Client;
use encord_http_settings::{CloudUploadSettings, RequestsSettings};
use encord_test_server::{Server, status};
use encord_upload::{Shard, Status, StopCause, UploadItem, Uploader};
use futures_util::{Stream, stream};
use tokio::sync::mpsc;

use crate::{Files, client, uploader};

/// The receiving end of a channel, as a stream.
struct Channel(mpsc::Receiver<UploadItem>);

impl Stream for Channel {
    type Item = UploadItem;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<UploadItem>> {
        self.0.poll_recv(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn items_may_come_as_a_stream_that_is_slower_than_the_uploads() {
    let server = Server::start_here(|_, _| status(200));
    let files = Files::new();
    let file = files.file("a", "x");
    let (sender, receiver) = mpsc::channel(1);
    let mut batch = uploader().batch(Channel(receiver));
    for n in 0..5 {
        sender.send(UploadItem::new(&file, server.url(&format!("/{n}")))).await.unwrap();
        let report = batch.next().await.unwrap();
        assert_eq!((report.index, report.status), (n, Status::Uploaded));
        assert_eq!(batch.progress().snapshot().ended.uploaded, n as u64 + 1);
    }
    drop(sender);
    assert!(batch.next().await.is_none());
    assert_eq!(batch.stopped(), None);
}

#[tokio::test(start_paused = true)]
async fn u7_each_item_has_its_own_clocks() {
    // Each answer comes within the limits of 180 s, the second of a batch does not.
    let server = Server::start_here(|_, _| status(200).after(Duration::from_secs(100)));
    let files = Files::new();
    let file = files.file("a", "x");
    for concurrency in [1, 5] {
        let items = (0..5).map(|n| UploadItem::new(&file, server.url(&format!("/{n}"))));
        let client = Client::new(RequestsSettings { max_retries: 0, ..RequestsSettings::default() });
        let uploader = Uploader::new(&client, CloudUploadSettings::default());
        let report = uploader.concurrency(concurrency).upload(items, |_| {}).await.unwrap();
        assert_eq!((report.summary().uploaded, report.summary().attempts), (5, 5));
    }
}

#[tokio::test(start_paused = true)]
async fn u5_after_a_stop_the_rest_of_the_input_is_reported_as_cancelled() {
    let server = Server::start_here(|request, _| status(if request.target == "/2" { 403 } else { 200 }));
    let files = Files::new();
    let file = files.file("a", "x");
    let items = (0..1000).map(|n| UploadItem::new(&file, server.url(&format!("/{n}"))));
    let uploader = Uploader::new(&client(), CloudUploadSettings::default()).concurrency(2);
    let mut batch = uploader.batch(stream::iter(items));
    let mut reports = Vec::new();
    while let Some(report) = batch.next().await {
        reports.push(report);
    }
    assert_eq!(batch.stopped(), Some(StopCause::Failure { index: 2 }));
    reports.sort_by_key(|report| report.index);
    assert!(reports.iter().map(|report| report.index).eq(0..1000));
    let ended = batch.progress().snapshot().ended;
    assert_eq!((ended.failed, ended.uploaded + ended.cancelled), (1, 999));
    assert!(ended.uploaded < 5, "{ended}");
}

#[tokio::test(start_paused = true)]
async fn progress_counts_what_is_under_way_and_what_was_sent() {
    let server = Server::start_here(|request, before| match (request.target.as_str(), before) {
        ("/0", 0) => status(503),
        _ => status(200).after(Duration::from_secs(10)),
    });
    let files = Files::new();
    let file = files.file("a", [0; 1000]);
    let items = (0..2).map(|n| UploadItem::new(&file, server.url(&format!("/{n}"))));
    let mut batch = uploader().batch(stream::iter(items));
    let progress = batch.progress();
    let begin = progress.snapshot();
    assert_eq!((begin.under_way, begin.bytes_sent), (0, 0));
    batch.next().await.unwrap();
    let middle = progress.snapshot();
    assert_eq!((middle.under_way, middle.bytes_sent, middle.retries), (1, 3000, 1));
    assert_eq!((middle.ended.uploaded, middle.ended.bytes), (1, 1000));
    assert!(middle.elapsed >= Duration::from_secs(10), "{middle:?}");
    assert!(middle.bytes_per_second_since(&begin) > 0.0);
    batch.next().await.unwrap();
    let end = progress.snapshot();
    assert_eq!((end.under_way, end.ended.uploaded, end.ended.attempts), (0, 2, 3));
}

#[tokio::test(start_paused = true)]
async fn only_selected_items_are_taken_and_keep_their_places() {
    let server = Server::start_here(|_, _| status(200));
    let files = Files::new();
    let file = files.file("a", "x");
    let items = || (0..2000).map(|n| UploadItem::new(file.with_file_name(n.to_string()), server.url("/")));
    let mut seen = Vec::new();
    for shard in 0..3 {
        let shard = Shard::new(shard, 3).unwrap();
        let uploader = uploader().select(move |_, item| shard.contains(&item.path));
        // None of the files is there, so nothing is sent.
        let report = uploader.upload(items(), |_| {}).await.unwrap();
        assert!(report.items().iter().all(|item| item.path.ends_with(item.index.to_string())));
        seen.extend(report.items().iter().map(|item| item.index));
    }
    seen.sort_unstable();
    assert!(seen.into_iter().eq(0..2000));
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_dropped_aborts_what_is_under_way() {
    let server = Server::start_here(|_, _| status(200).after(Duration::from_secs(5)));
    let files = Files::new();
    let file = files.file("a", "x");
    let items = (0..4).map(|n| UploadItem::new(&file, server.url(&format!("/{n}"))));
    let mut batch = uploader().concurrency(2).batch(stream::iter(items));
    batch.next().await.unwrap();
    drop(batch);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(server.requests().len() <= 3, "{:?}", server.targets());
}

/// The outcomes of a batch can be awaited in a task of their own.
#[test]
fn a_batch_can_be_sent_to_another_thread() {
    fn is_send<T: Send>(_: &T) {}
    is_send(&uploader().batch(stream::iter(Vec::new())));
}
