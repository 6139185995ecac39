//! The uploader in a program: its settings, stopping a batch, and progress.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use encord_http::{Budget, Client, StopReason};
use encord_http_settings::{BackoffFactor, CloudUploadSettings, RequestsSettings};
use encord_test_server::{Reply, Server, status};
use encord_upload::{ItemError, ItemReport, Report, Status, StopCause, Stopped, UploadItem, Uploader};
use futures_util::stream;

fn client() -> Client {
    Client::new(RequestsSettings {
        max_retries: 2,
        connection_retries: 4,
        backoff_factor: BackoffFactor::new(0.001).unwrap(),
        ..RequestsSettings::default()
    })
}

fn allowed() -> CloudUploadSettings {
    CloudUploadSettings { allow_failures: true, ..CloudUploadSettings::default() }
}

/// Items of one small file for the given paths of a server.
fn items(server: &Server, paths: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<UploadItem> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    paths.into_iter().map(|path| UploadItem::new(&file, server.url(path.as_ref()))).collect()
}

fn upload(uploader: &Uploader, items: Vec<UploadItem>) -> Result<Report, Stopped> {
    runtime().block_on(uploader.upload(items, |_| {}))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// The attempts of the one item that a server refuses with 503, under these settings.
fn attempts_under(settings: CloudUploadSettings) -> usize {
    let server = Server::start(|_, _| status(503));
    let report = upload(&Uploader::new(&client(), settings), items(&server, ["/a"])).unwrap();
    assert_eq!(report.items()[0].attempts.len(), server.requests().len());
    server.requests().len()
}

#[test]
fn u1_none_inherits_from_the_client_that_uploads() {
    assert_eq!(attempts_under(allowed()), 3);
}

#[test]
fn u2_some_wins_also_when_it_is_zero() {
    assert_eq!(attempts_under(CloudUploadSettings { max_retries: Some(0), ..allowed() }), 1);
    assert_eq!(attempts_under(CloudUploadSettings { max_retries: Some(5), ..allowed() }), 6);
    let uploader = Uploader::new(
        &client(),
        CloudUploadSettings { backoff_factor: Some(BackoffFactor::new(0.0).unwrap()), ..allowed() },
    );
    let server = Server::start(|_, _| status(503));
    let report = upload(&uploader, items(&server, ["/a"])).unwrap();
    assert!(report.items()[0].attempts.iter().all(|attempt| attempt.waited.is_zero()));
}

#[test]
fn u3_connection_retries_stay_those_of_the_client() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let item = UploadItem::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), format!("http://{closed}/"));
    let settings = CloudUploadSettings { max_retries: Some(0), ..allowed() };
    let report = upload(&Uploader::new(&client(), settings), vec![item]).unwrap();
    let Some(ItemError::Request(error)) = &report.items()[0].error else { panic!("{report:?}") };
    assert_eq!(error.stop_reason(), StopReason::BudgetUsedUp { budget: Budget::ConnectionRetries, allowed: 4 });
}

#[test]
fn u5_the_error_says_what_became_of_every_item() {
    // Those that hang are under way when the failure comes, and are aborted, not waited for.
    let server = Server::start(|request, _| match request.path() {
        "/bad" => status(403),
        "/hangs" => Reply::silence(),
        _ => status(200),
    });
    let paths = ["/good", "/hangs", "/hangs", "/bad", "/never", "/never"];
    let began = Instant::now();
    let uploader = Uploader::new(&client(), CloudUploadSettings::default()).concurrency(3);
    let stopped = upload(&uploader, items(&server, paths)).unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let statuses: Vec<_> = stopped.report().items().iter().map(|item| item.status).collect();
    assert_eq!(
        statuses,
        [Status::Uploaded, Status::Cancelled, Status::Cancelled, Status::Failed, Status::Cancelled, Status::Cancelled]
    );
    assert_eq!(stopped.failure().unwrap().index, 3);
    assert_eq!(stopped.cause(), StopCause::Failure { index: 3 });
    assert!(server.requests_for("/never").is_empty());
    let text = stopped.to_string();
    assert!(text.starts_with(&format!("Cargo.toml: PUT {}/bad failed while waiting: 403", server.address())), "{text}");
    assert!(text.contains("(1 uploaded, 1 failed, 4 cancelled, 0 skipped; "), "{text}");
}

#[test]
fn u5_a_cancelled_batch_leaves_a_true_report() {
    let server = Server::start(|_, _| status(200));
    let finished = Arc::new(tokio::sync::Notify::new());
    let paths: Vec<_> = (0..100).map(|n| format!("/{n}")).collect();
    let uploader = Uploader::new(&client(), allowed()).concurrency(4);
    let cancel = Arc::clone(&finished);
    let mut seen = 0;
    let batch = uploader.batch(stream::iter(items(&server, paths))).until(cancel.notified_owned());
    let stopped = runtime().block_on(batch.report(|item| {
        seen += u64::from(item.status == Status::Uploaded);
        if seen == 10 {
            finished.notify_one();
        }
    }));
    let stopped = stopped.unwrap_err();
    assert_eq!((stopped.cause(), stopped.failure().is_none()), (StopCause::Cancelled, true));
    let summary = stopped.report().summary();
    assert_eq!(summary.uploaded + summary.cancelled, 100);
    assert_eq!(summary.uploaded, seen);
    // One that the report calls cancelled may have arrived all the same: the abort came before the answer.
    for item in stopped.report().items().iter().filter(|item| item.status == Status::Uploaded) {
        assert_eq!(server.requests_for(&format!("/{}", item.index)).len(), 1);
    }
}

#[test]
fn u6_a_redirect_or_a_bad_url_is_the_failure_of_its_item() {
    let server = Server::start(|request, _| status(if request.path() == "/moved" { 307 } else { 201 }));
    let mut items = items(&server, ["/a", "/moved", "/b"]);
    items.push(UploadItem::new("Cargo.toml", "http//nonsense?s3cret"));
    let report = upload(&Uploader::new(&client(), allowed()), items).unwrap();
    let failed: Vec<_> = report.failed().map(|item| (item.index, item.error.as_ref().unwrap().to_string())).collect();
    let host = server.address();
    let not_stored = format!(
        "PUT {host}/moved failed: the server answered 307 Temporary Redirect, which is not a success and is not followed"
    );
    assert_eq!(failed[0], (1, not_stored));
    assert_eq!(failed[1].0, 3);
    assert!(failed[1].1.contains("the URL cannot be requested") && !failed[1].1.contains("s3cret"), "{}", failed[1].1);
    assert_eq!(report.summary().uploaded, 2);
}

#[test]
fn u7_each_item_has_its_own_budgets() {
    let server = Server::start(|_, before| status(if before < 2 { 503 } else { 200 }));
    let paths: Vec<_> = (0..20).map(|n| format!("/{n}")).collect();
    let report = upload(&Uploader::new(&client(), CloudUploadSettings::default()), items(&server, paths)).unwrap();
    assert!(report.items().iter().all(|item: &ItemReport| item.status == Status::Uploaded && item.attempts.len() == 3));
}

#[test]
fn u8_any_2xx_is_success() {
    let codes = [200, 201, 202, 203, 204, 205, 206, 207, 226, 299];
    let server = Server::start(|request, _| status(request.path()[1..].parse().unwrap()));
    let report = upload(
        &Uploader::new(&client(), CloudUploadSettings::default()),
        items(&server, codes.map(|code| format!("/{code}"))),
    );
    assert!(report.unwrap().items().iter().all(|item| item.status == Status::Uploaded && item.attempts.len() == 1));
}

#[test]
fn no_more_items_are_taken_than_are_under_way() {
    let server = Server::start(|_, _| status(200));
    let taken = AtomicUsize::new(0);
    let mut finished = 0;
    let items = items(&server, (0..50).map(|n| format!("/{n}"))).into_iter().inspect(|_| {
        taken.fetch_add(1, Ordering::Relaxed);
    });
    let uploader = Uploader::new(&client(), allowed()).concurrency(3);
    let report = runtime().block_on(uploader.upload(items, |_| {
        finished += 1;
        let ahead = taken.load(Ordering::Relaxed) + 1 - finished;
        assert!(ahead <= 3, "{ahead} under way");
    }));
    assert_eq!(report.unwrap().summary().uploaded, 50);
}
