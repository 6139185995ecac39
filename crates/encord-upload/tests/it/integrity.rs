//! What the server says it has is compared with what was sent.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use encord_http::{ErrorKind, FaultKind, FileState, HeaderValue};
use encord_test_server::{Reply, Server, status};
use encord_upload::{ItemError, SignedTarget, SignedUrlSource, SourceError, Status, UploadItem};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::{Files, attempts, error, statuses, upload, uploader};

/// Of `123456789`.
const CRC32C: &str = "crc32c=4waSgw==";
const MD5: &str = "JfnnlDI7RTiF9RgfG2JNCw==";
const ETAG: &str = "\"25f9e794323b453885f5181f1b624d0b\"";
const WRONG_ETAG: &str = "\"25f9e794323b453885f5181f1b624d0c\"";

const PLAIN: &str = "/b/o";
const GCS: &str = "/b/o?X-Goog-Signature=s3cret&X-Goog-Credential=x";
const AZURE: &str = "/b/o?sv=2024-01-01&sr=b&sp=w&se=2099-01-01T00%3A00%3A00Z&sig=s3cret";
const S3: &str = "/b/o?X-Amz-Signature=s3cret&X-Amz-Credential=x";

/// Uploads one file to a server that answers so, the first time and from then on.
async fn check(target: &str, first: Reply, later: Reply, expected: &[&str]) {
    let server = Server::start_here(move |_, before| if before == 0 { first.clone() } else { later.clone() });
    let files = Files::new();
    let reports = upload(&uploader(), vec![UploadItem::new(files.file("a", "123456789"), server.url(target))]).await;
    assert_eq!(attempts(&reports[0]), expected, "{reports:?}");
    let arrived = expected.last().is_some_and(|last| last.starts_with("200"));
    assert_eq!(statuses(&reports), [if arrived { Status::Uploaded } else { Status::Failed }]);
    assert_eq!(reports[0].bytes, if arrived { 9 } else { 0 });
}

#[tokio::test(start_paused = true)]
async fn u11_stored_is_stored_unless_a_hash_of_the_object_says_otherwise() {
    let right = |name, value| status(200).header(name, value);
    for (target, reply) in [
        (GCS, right("x-goog-hash", &format!("{CRC32C},md5={MD5}"))),
        (GCS, right("x-goog-hash", CRC32C)),
        (GCS, right("x-goog-hash", &format!("md5={MD5}"))),
        (AZURE, right("Content-MD5", MD5)),
        (PLAIN, right("x-goog-hash", CRC32C)),
        (S3, right("ETag", ETAG)),
        (S3, right("x-amz-checksum-crc32c", "4waSgw==")),
        // Hashes that do not mean the object: of the answer's own body, and of what only looks like one.
        (PLAIN, right("Content-MD5", "AAAAlDI7RTiF9RgfG2JNCw==")),
        (GCS, right("Content-MD5", "AAAAlDI7RTiF9RgfG2JNCw==")),
        (PLAIN, right("ETag", WRONG_ETAG)),
        (S3, right("ETag", WRONG_ETAG)),
        (S3, right("ETag", WRONG_ETAG).header("x-amz-server-side-encryption", "aws:kms")),
        (S3, right("ETag", "\"multipart-2\"")),
        (PLAIN, status(200)),
    ] {
        check(target, reply.clone(), reply, &["200"]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn r1_u11_a_hash_of_the_object_that_is_wrong_is_a_fault_that_is_retried() {
    let wrong = |name, value| status(200).header(name, value);
    for (target, reply) in [
        (GCS, wrong("x-goog-hash", "crc32c=4waSgA==")),
        (PLAIN, wrong("x-goog-hash", "crc32c=4waSgA==")),
        (AZURE, wrong("Content-MD5", "AAAAlDI7RTiF9RgfG2JNCw==")),
        (S3, wrong("x-amz-checksum-crc32c", "4waSgA==")),
    ] {
        check(target, reply.clone(), status(200), &["integrity", "200 after 1.5s"]).await;
        check(
            target,
            reply.clone(),
            reply,
            &["integrity", "integrity after 1.5s", "integrity after 3s", "integrity after 6s"],
        )
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn u11_an_etag_is_a_hash_where_an_earlier_one_was_unless_it_is_switched_off() {
    for (compares, expected) in [(true, &["integrity", "200 after 1.5s"][..]), (false, &["200"])] {
        let server = Server::start_here(|request, before| {
            let is_right = request.path() == "/b/right" || before > 0;
            status(200).header("ETag", if is_right { ETAG } else { WRONG_ETAG })
        });
        let files = Files::new();
        let file = files.file("a", "123456789");
        let items =
            ["right", "wrong"].map(|name| UploadItem::new(&file, server.url(&S3.replace("/o?", &format!("/{name}?")))));
        let uploader = uploader().concurrency(1).compare_etag(compares);
        let reports = upload(&uploader, items.into()).await;
        assert_eq!(
            (attempts(&reports[0]), attempts(&reports[1])),
            (vec!["200".to_owned()], expected.iter().map(|&o| o.to_owned()).collect())
        );
    }
}

#[tokio::test(start_paused = true)]
async fn u6_a_success_before_the_file_is_there_is_none() {
    // The longer one waits for a `100 Continue` with its first byte.
    for length in [15 << 20, 16 << 20] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                // Part of the head is enough to say that all is well.
                stream.read_u8().await.unwrap();
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
                open.push(stream);
            }
        });
        let files = Files::new();
        let path = files.file("a", "");
        std::fs::File::create(&path).unwrap().set_len(length).unwrap();
        let reports = upload(&uploader(), vec![UploadItem::new(path, format!("http://{host}/b/o"))]).await;
        assert_eq!(statuses(&reports), [Status::Failed]);
        let error = error(&reports[0]);
        let reason = "the server does not have the data that was sent: \
                      the server answered before it had been sent the whole file";
        assert!(error.contains(reason) && reports[0].attempts.len() == 4, "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn r11_u9_the_error_says_which_hash_was_wrong() {
    let server = Server::start_here(|_, _| status(200).header("x-amz-checksum-crc32c", "4waSgA=="));
    let files = Files::new();
    let reports = upload(&uploader(), vec![UploadItem::new(files.file("a", "123456789"), server.url(S3))]).await;
    let Some(ItemError::Request(request)) = &reports[0].error else { panic!("{reports:?}") };
    assert_eq!(request.kind(), ErrorKind::Fault(FaultKind::Integrity));
    assert_eq!(
        error(&reports[0]),
        format!(
            "PUT {}/b/o failed after the answer: the server does not have the data that was sent: \
             x-amz-checksum-crc32c of the server is CRC32C e3069280, the file has CRC32C e3069283 \
             (4 attempts: integrity, integrity after 1.5s, integrity after 3s, integrity after 6s; \
             max_retries = 3 used up)",
            server.host()
        )
    );
}

#[tokio::test(start_paused = true)]
async fn u8_content_md5_is_sent_on_request_only_and_where_the_signature_allows_it() {
    let server = Server::start_here(|_, _| status(200));
    let files = Files::new();
    let file = files.file("a", "123456789");
    let v2 = "/b/v2?Expires=99999999999&Signature=s3cret&AWSAccessKeyId=x";
    let mut own = UploadItem::new(&file, server.url("/own"));
    own.headers.insert("content-md5", HeaderValue::from_static("mine"));
    let items = || vec![UploadItem::new(&file, server.url(GCS)), UploadItem::new(&file, server.url(v2)), own.clone()];
    upload(&uploader(), items()).await;
    upload(&uploader().content_md5(true), items()).await;
    let mut sent: Vec<_> =
        server.requests().iter().map(|r| (r.target.clone(), r.header("content-md5").map(str::to_owned))).collect();
    sent[..3].sort();
    sent[3..].sort();
    let sent: Vec<_> = sent.iter().map(|(target, md5)| (target.as_str(), md5.as_deref())).collect();
    assert_eq!(
        sent,
        [(GCS, None), (v2, None), ("/own", Some("mine")), (GCS, Some(MD5)), (v2, None), ("/own", Some("mine")),]
    );
}

/// A file whose content can be replaced by other content of the same length. Its hash shows which of the two was read.
struct Sly(PathBuf, SystemTime);

impl Sly {
    fn new(files: &Files) -> Self {
        let path = files.file("a", "123456789");
        let modified = path.metadata().unwrap().modified().unwrap();
        Self(path, modified)
    }

    /// Rewrites the file, and sets its time of modification to this many seconds after the first one.
    fn change(&self, seconds: u64) {
        let state = || FileState::of(&self.0.metadata().unwrap());
        let before = state();
        std::fs::write(&self.0, "987654321").unwrap();
        let file = std::fs::File::options().write(true).open(&self.0).unwrap();
        file.set_modified(self.1 + Duration::from_secs(seconds)).unwrap();
        // The clock of the file system ticks every few milliseconds.
        while before.changed.is_some() && state().changed == before.changed {
            file.set_modified(self.1 + Duration::from_secs(seconds)).unwrap();
        }
    }
}

/// Of `987654321`.
const OTHER_MD5: &str = "br52yftBG+l7Ow1It5GnyQ==";

fn announced(server: &Server) -> Vec<String> {
    server.requests().iter().map(|request| request.header("content-md5").unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn u6_a_file_that_has_changed_is_hashed_again() {
    let files = Files::new();
    let file = Arc::new(Sly::new(&files));
    let sly = Arc::clone(&file);
    let server = Server::start_here(move |_, before| {
        // The time of modification stays as it was. On Unix the time of change does not.
        sly.change(if cfg!(unix) { 0 } else { before as u64 + 1 });
        status(if before < 1 { 503 } else { 200 })
    });
    let reports = upload(&uploader().content_md5(true), vec![UploadItem::new(&file.0, server.url(GCS))]).await;
    assert_eq!(attempts(&reports[0]), ["503", "200 after 1.5s"]);
    assert_eq!(announced(&server), [MD5, OTHER_MD5]);
}

#[tokio::test(start_paused = true)]
async fn a_url_is_renewed_after_the_file_was_hashed_and_not_before() {
    struct Source(Arc<Sly>, String);
    impl SignedUrlSource for Source {
        async fn sign(&self, _: &[UploadItem]) -> Vec<Result<SignedTarget, SourceError>> {
            self.0.change(0);
            vec![Ok(self.1.as_str().into())]
        }
    }
    let server = Server::start_here(|_, _| status(200));
    let files = Files::new();
    let file = Arc::new(Sly::new(&files));
    let expired = server.url("/b/o?X-Goog-Date=20240101T000000Z&X-Goog-Expires=60&X-Goog-Signature=s3cret");
    let uploader = uploader().content_md5(true).source(Source(Arc::clone(&file), server.url(GCS)));
    let reports = upload(&uploader, vec![UploadItem::new(&file.0, expired)]).await;
    assert_eq!(statuses(&reports), [Status::Uploaded]);
    assert_eq!((server.targets(), announced(&server)), (vec![GCS.to_owned()], vec![MD5.to_owned()]));
}
