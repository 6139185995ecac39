//! URLs from a source: shortly before use, in batches, and again when they have expired.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use encord_http::{ErrorKind, FaultKind, HeaderValue};
use encord_http_settings::{CloudUploadSettings, RequestsSettings};
use encord_test_server::{Reply, Server, status};
use encord_upload::{ItemError, SignedTarget, SignedUrlSource, SourceError, Status, UploadItem, Uploader};

use crate::{Files, allowed, attempts, error, statuses, upload, uploader};

const EXPIRED: &str = "<?xml version='1.0'?><Error><Code>ExpiredToken</Code><Message>…</Message></Error>";

/// Numbers its URLs, and keeps how many it was asked for each time.
#[derive(Clone)]
struct Numbering {
    url: String,
    calls: Arc<Mutex<Vec<usize>>>,
}

impl Numbering {
    fn new(server: &Server) -> Self {
        Self { url: server.url("/signed"), calls: Arc::default() }
    }

    fn calls(&self) -> Vec<usize> {
        self.calls.lock().unwrap().clone()
    }
}

impl SignedUrlSource for Numbering {
    async fn sign(&self, items: &[UploadItem]) -> Vec<Result<SignedTarget, SourceError>> {
        let call = {
            let mut calls = self.calls.lock().unwrap();
            calls.push(items.len());
            calls.len()
        };
        tokio::time::sleep(Duration::from_millis(10)).await;
        let sign = |item: &UploadItem| {
            if item.display_title() == "refused" {
                return Err("no such dataset".into());
            }
            let mut target = SignedTarget::from(format!("{}/{}/{call}?sig=s3cret", self.url, item.display_title()));
            target.headers.insert("x-call", HeaderValue::from(call));
            Ok(target)
        };
        items.iter().map(sign).collect()
    }
}

/// Gives this many answers whatever it is asked for, each of them this URL.
struct Always(usize, String);

impl SignedUrlSource for Always {
    async fn sign(&self, _: &[UploadItem]) -> Vec<Result<SignedTarget, SourceError>> {
        (0..self.0).map(|_| Ok(self.1.as_str().into())).collect()
    }
}

fn unsigned(files: &Files, names: impl IntoIterator<Item = String>) -> Vec<UploadItem> {
    names.into_iter().map(|name| UploadItem::unsigned(files.file(&name, "x"))).collect()
}

#[tokio::test(start_paused = true)]
async fn urls_are_asked_for_in_batches_as_they_are_needed() {
    let server = Server::start_here(|_, _| status(200));
    let files = Files::new();
    let source = Numbering::new(&server);
    let uploader = uploader().source(source.clone()).concurrency(8);
    let reports = upload(&uploader, unsigned(&files, (0..100).map(|n| n.to_string()))).await;
    assert_eq!(statuses(&reports), [Status::Uploaded; 100]);
    let calls = source.calls();
    assert_eq!(calls.iter().sum::<usize>(), 100, "each was signed once");
    assert!(calls.iter().all(|call| *call <= 8), "never more than are under way: {calls:?}");
    assert!(calls.len() <= 30, "in batches: {calls:?}");
    let request = &server.requests()[0];
    assert_eq!(request.header("x-call"), Some("1"), "the headers come along");
}

#[tokio::test(start_paused = true)]
async fn u6_an_item_without_a_url_fails_by_itself() {
    let server = Server::start_here(|_, _| status(200));
    let files = Files::new();
    let names = ["a", "refused", "b"].map(str::to_owned);
    let reports = upload(&uploader().source(Numbering::new(&server)), unsigned(&files, names.clone())).await;
    assert_eq!(statuses(&reports), [Status::Uploaded, Status::Failed, Status::Uploaded]);
    assert_eq!(error(&reports[1]), "no signed URL: no such dataset");

    let reports = upload(&uploader(), unsigned(&files, names)).await;
    assert!(reports.iter().all(|report| error(report) == "the item has no signed URL"));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn u6_of_too_many_or_too_few_answers_none_is_used() {
    let server = Server::start_here(|_, _| status(200));
    let files = Files::new();
    for answers in [0, 2, 4] {
        let source = Always(answers, server.url("/x?sig=s3cret"));
        let reports = upload(&uploader().source(source), unsigned(&files, ["a", "b", "c"].map(str::to_owned))).await;
        let expected = format!("no signed URL: the source answered {answers} URLs for 3 items; none is used");
        assert!(reports.iter().all(|report| error(report) == expected), "{reports:?}");
    }
    assert!(server.requests().is_empty());

    let server = Server::start_here(|_, _| status(400).body(EXPIRED));
    let source = Always(2, server.url("/x?sig=s3cret"));
    let item = UploadItem::new(files.file("a", "x"), server.url("/a?old"));
    let reports = upload(&uploader().source(source), vec![item]).await;
    assert_eq!(error(&reports[0]), "no signed URL: the source answered 2 URLs for 1 items; none is used");
    assert_eq!(server.targets(), ["/a?old"]);
}

#[tokio::test(start_paused = true)]
async fn u6_an_answer_that_is_no_url_is_the_failure_of_its_item() {
    let files = Files::new();
    let source = Always(1, "not/a/url?sig=s3cret".to_owned());
    let reports = upload(&uploader().source(source), unsigned(&files, ["a".to_owned()])).await;
    let Some(ItemError::Request(request)) = &reports[0].error else { panic!("{reports:?}") };
    assert_eq!(request.kind(), ErrorKind::Fault(FaultKind::Url));
    assert!(!error(&reports[0]).contains("s3cret"), "{reports:?}");
}

#[tokio::test(start_paused = true)]
async fn u8_the_headers_of_a_renewed_url_replace_those_of_the_old_one() {
    let server = Server::start_here(|request, _| match request.target.as_str() {
        "/signed/a/1?sig=s3cret" => status(400).body(EXPIRED),
        _ => status(200),
    });
    let files = Files::new();
    let mut item = UploadItem::unsigned(files.file("a", "x"));
    item.headers.insert("x-call", HeaderValue::from_static("none"));
    item.headers.insert("x-own", HeaderValue::from_static("kept"));
    let reports = upload(&uploader().source(Numbering::new(&server)), vec![item]).await;
    assert_eq!(attempts(&reports[0]), ["400 ExpiredToken", "200"]);
    let requests = server.requests();
    let headers: Vec<_> = requests.iter().map(|r| (r.header("x-call"), r.header("x-own"))).collect();
    assert_eq!(headers, [(Some("1"), Some("kept")), (Some("2"), Some("kept"))]);
}

#[tokio::test(start_paused = true)]
async fn u9_what_one_target_brought_never_goes_to_the_next() {
    let server = Server::start_here(|request, _| match request.target.as_str() {
        "/a?old" => status(400).body(EXPIRED),
        _ => status(200),
    });
    let files = Files::new();
    let mut item = UploadItem::new(files.file("a", "x"), server.url("/a?old"));
    item.headers.insert("x-amz-security-token", HeaderValue::from_static("s3cret"));
    let uploader = uploader().source(Numbering::new(&server)).content_md5(true);
    let reports = upload(&uploader, vec![item]).await;
    assert_eq!(attempts(&reports[0]), ["400 ExpiredToken", "200"]);
    let tokens: Vec<_> = server.requests().iter().map(|r| r.header("x-amz-security-token").is_some()).collect();
    assert_eq!(tokens, [true, false]);

    // The signature of the new URL does not allow the `Content-MD5` that went with the old one.
    let v2 = server.url("/b/v2?Expires=99999999999&Signature=s3cret&AWSAccessKeyId=x");
    let item = UploadItem::new(files.file("b", "x"), server.url("/a?old"));
    upload(&uploader.source(Always(1, v2)), vec![item]).await;
    let announced: Vec<_> = server.requests().iter().map(|r| r.header("content-md5").is_some()).collect();
    assert_eq!(announced, [true, true, true, false]);
}

#[tokio::test(start_paused = true)]
async fn u6_an_expired_url_without_a_source_is_one_request_and_expired() {
    let server = Server::start_here(|_, _| status(400).body(EXPIRED));
    let files = Files::new();
    let reports = upload(&uploader(), vec![UploadItem::new(files.file("a", "x"), server.url("/a?sig=s3cret"))]).await;
    assert_eq!(server.targets(), ["/a?sig=s3cret"]);
    assert!(matches!(reports[0].error, Some(ItemError::Expired(_))), "{reports:?}");
    let error = error(&reports[0]);
    let host = server.host();
    assert!(
        error.starts_with(&format!("the signed URL has expired: PUT {host}/a failed while waiting: 400")),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn r1_a_renewal_that_the_server_asks_for_is_no_retry() {
    let server = Server::start_here(|request, before| match request.target.as_str() {
        "/a?old" | "/signed/a/2?sig=s3cret" if before == 0 => status(503),
        "/a?old" => status(400).body(EXPIRED),
        "/signed/a/1?sig=s3cret" => status(403).body("Request has expired"),
        _ => status(200),
    });
    let files = Files::new();
    // Exactly two retries are needed, and both are of a 503.
    let client = encord_http::Client::new(RequestsSettings { max_retries: 2, ..RequestsSettings::default() });
    let uploader = Uploader::new(&client, allowed()).source(Numbering::new(&server));
    let reports = upload(&uploader, vec![UploadItem::new(files.file("a", "x"), server.url("/a?old"))]).await;
    assert_eq!(attempts(&reports[0]), ["503", "400 ExpiredToken after 1.5s", "403", "503", "200 after 3s"]);
    assert_eq!(statuses(&reports), [Status::Uploaded]);
}

#[tokio::test(start_paused = true)]
async fn renewals_are_bounded() {
    let server = Server::start_here(|_, _| status(400).body(EXPIRED));
    let files = Files::new();
    let source = Numbering::new(&server);
    let item = UploadItem::new(files.file("a", "x"), server.url("/a?old"));
    let reports = upload(&uploader().source(source.clone()), vec![item]).await;
    assert!(matches!(reports[0].error, Some(ItemError::Expired(_))), "{reports:?}");
    assert_eq!((server.requests().len(), source.calls()), (4, vec![1, 1, 1]));
}

struct Panics;

impl SignedUrlSource for Panics {
    async fn sign(&self, _: &[UploadItem]) -> Vec<Result<SignedTarget, SourceError>> {
        panic!("a mistake of the caller")
    }
}

/// The renewal is called in the task of its item.
#[tokio::test(start_paused = true)]
#[should_panic(expected = "a mistake of the caller")]
async fn a_panic_in_the_task_of_an_item_is_that_of_the_batch() {
    let server = Server::start_here(
        |request, _| {
            if request.path() == "/a" { status(400).body(EXPIRED) } else { Reply::silence() }
        },
    );
    let files = Files::new();
    let items = ["/b", "/a"].map(|name| UploadItem::new(files.file(&name[1..], "x"), server.url(name)));
    upload(&uploader().source(Panics), items.into()).await;
}

#[tokio::test(start_paused = true)]
async fn a_url_that_is_about_to_expire_is_not_used() {
    let server = Server::start_here(|_, _| status(200));
    let files = Files::new();
    let source = Numbering::new(&server);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let expiring = |expires| server.url(&format!("/v2?Expires={expires}&Signature=s3cret&AWSAccessKeyId=x"));
    let item = |url: String| UploadItem::new(files.file("a", "x"), url);
    let uploader = uploader().source(source.clone()).concurrency(1);
    let reports =
        upload(&uploader, vec![item(expiring(now - 5)), item(expiring(now + 1)), item(expiring(now + 3600))]).await;
    assert_eq!(statuses(&reports), [Status::Uploaded; 3]);
    assert_eq!(source.calls(), [1, 1]);
    // One whose URL is renewed lets the others go first.
    assert_eq!(server.targets().iter().filter(|target| target.starts_with("/signed/")).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn u5_a_source_that_fails_ends_the_batch() {
    let server = Server::start_here(|_, _| status(200));
    let files = Files::new();
    let items = unsigned(&files, ["refused", "b", "c"].map(str::to_owned));
    let uploader = Uploader::new(&crate::client(), CloudUploadSettings::default()).source(Numbering::new(&server));
    let stopped = uploader.upload(items, |_| {}).await.unwrap_err();
    assert_eq!(stopped.failure().unwrap().index, 0);
    assert_eq!(stopped.report().items().len(), 3);
}
