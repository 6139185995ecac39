//! URLs that live for seconds, against servers that check them: `rclone serve s3`, and nginx with `secure_link`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};
use std::{fs, thread};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use encord_dev_store::sign::{Credentials, Presign, Scheme, Signer};
use encord_http::Client;
use encord_http_settings::{CloudUploadSettings, RequestsSettings};
use encord_upload::{ItemError, Report, SignedTarget, SignedUrlSource, SourceError, Status, UploadItem, Uploader};
use md5::{Digest, Md5};
use tempfile::TempDir;

use crate::dev_store::rclone;
use crate::support::encord::has_secret;
use crate::support::nginx::{Nginx, Options};
use crate::support::noise;
use crate::support::standstill::undisturbed;

const LIFE: Duration = Duration::from_secs(3);

/// A URL is used as long as it has a second to live. When the machine stands still for that long, it may expire on its way.
const MOST: Duration = Duration::from_millis(500);

const FILES: usize = 1_000;
const SECRET: &str = crate::support::encord::SECRET;

/// Signs a name at a time.
type Sign = Arc<dyn Fn(&str, SystemTime) -> String + Send + Sync>;

struct Source {
    sign: Sign,
    signed: Arc<AtomicUsize>,
}

impl SignedUrlSource for Source {
    async fn sign(&self, items: &[UploadItem]) -> Vec<Result<SignedTarget, SourceError>> {
        self.signed.fetch_add(items.len(), Ordering::Relaxed);
        items.iter().map(|item| Ok((self.sign)(&item.display_title(), SystemTime::now()).into())).collect()
    }
}

fn rclone_signs(server: &rclone::Server) -> Sign {
    let (url, signer) = (server.url(), Signer::new(Scheme::S3, Credentials::new("key", SECRET)));
    Arc::new(move |name, at| signer.presign(&Presign::put(&format!("{url}/dev/{name}"), LIFE, at)).unwrap())
}

/// The customary form: `md5` over expiry, path and a secret, and 410 for what has expired.
fn secure_link() -> Option<(Nginx, Sign)> {
    let server = format!(
        "secure_link $arg_md5,$arg_expires;
        secure_link_md5 \"$secure_link_expires$uri {SECRET}\";
        if ($secure_link = \"\") {{ return 403; }}
        if ($secure_link = \"0\") {{ return 410; }}"
    );
    let nginx = Nginx::with(&Options { server: &server, ..Options::default() })?;
    let base = nginx.url("");
    let sign = move |name: &str, at: SystemTime| {
        let expires = at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() + LIFE.as_secs();
        let md5 = BASE64_URL_SAFE_NO_PAD.encode(Md5::digest(format!("{expires}/{name} {SECRET}")));
        format!("{base}{name}?md5={md5}&expires={expires}")
    };
    Some((nginx, Arc::new(sign)))
}

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for index in 0..FILES {
            fs::write(folder.path().join(index.to_string()), noise(index as u64, index)).unwrap();
        }
        Self(folder)
    }

    fn path(&self, index: usize) -> PathBuf {
        self.0.path().join(index.to_string())
    }
}

/// More retries than anybody should use up, none of which takes time.
fn uploader() -> Uploader {
    let client = Client::new(RequestsSettings::default());
    let settings = CloudUploadSettings { max_retries: Some(9), allow_failures: true, ..CloudUploadSettings::default() };
    Uploader::new(&client, settings)
}

fn upload(uploader: &Uploader, items: Vec<UploadItem>) -> Report {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(uploader.upload(items, |_| {})).unwrap()
}

/// Every second item has a URL that has expired, the others have none.
#[track_caller]
fn all_arrive_that_are_signed_just_in_time(sign: &Sign) {
    let files = Files::new();
    let (report, signed) = undisturbed(MOST, || upload_with_a_hold_up(sign, &files));
    let failed: Vec<_> = report.failed().take(3).collect();
    assert_eq!(report.summary().uploaded, FILES as u64, "{failed:?}");
    assert!(report.items().iter().all(|item| item.attempts.len() == 1), "no URL was sent that had expired");
    // Those that were waiting when the batch was held up were signed again.
    assert!((FILES..FILES + 64).contains(&signed), "{signed}");
}

/// The report, and how many URLs were signed.
fn upload_with_a_hold_up(sign: &Sign, files: &Files) -> (Report, usize) {
    let signed = Arc::<AtomicUsize>::default();
    let source = Source { sign: Arc::clone(sign), signed: Arc::clone(&signed) };
    let long_ago = SystemTime::now() - 20 * LIFE;
    let mut items = Vec::new();
    for index in 0..FILES {
        items.push(match index % 2 {
            0 => UploadItem::unsigned(files.path(index)),
            _ => UploadItem::new(files.path(index), sign(&index.to_string(), long_ago)),
        });
    }
    // Slower than the URLs live.
    let mut taken = 0;
    let slowed = items.into_iter().inspect(move |_| {
        taken += 1;
        if taken == FILES / 2 {
            thread::sleep(LIFE + Duration::from_secs(1));
        }
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let report = runtime.block_on(uploader().concurrency(32).source(source).upload(slowed, |_| {})).unwrap();
    (report, signed.load(Ordering::Relaxed))
}

/// At most one request each, and the reason.
#[track_caller]
fn an_expired_list_fails_as_expired(sign: &Sign) {
    let files = Files::new();
    let long_ago = SystemTime::now() - 20 * LIFE;
    let items =
        (0..FILES).map(|index| UploadItem::new(files.path(index), sign(&index.to_string(), long_ago))).collect();
    let report = upload(&uploader(), items);
    for item in report.items() {
        let error = item.error.as_ref().unwrap();
        assert_eq!((item.status, item.attempts.len()), (Status::Failed, 1), "{error}");
        assert!(matches!(error, ItemError::Expired(_)) && error.to_string().contains("expired"), "{error}");
        assert!(!has_secret(format!("{error} {error:?}").as_bytes()) && !error.to_string().contains('?'), "{error}");
    }
}

#[test]
fn u6_urls_of_3_seconds_are_signed_just_in_time_for_rclone() {
    let Some(server) = rclone::Server::start("key", SECRET) else { return };
    all_arrive_that_are_signed_just_in_time(&rclone_signs(&server));
}

#[test]
fn u6_an_expired_list_fails_as_expired_at_rclone() {
    let Some(server) = rclone::Server::start("key", SECRET) else { return };
    an_expired_list_fails_as_expired(&rclone_signs(&server));
}

#[test]
fn u6_urls_of_3_seconds_are_signed_just_in_time_for_nginx() {
    let Some((nginx, sign)) = secure_link() else { return };
    all_arrive_that_are_signed_just_in_time(&sign);
    for index in 0..FILES {
        assert!(fs::read(nginx.store().join(index.to_string())).unwrap() == noise(index as u64, index), "{index}");
    }
}

#[test]
fn u6_an_expired_list_fails_as_expired_at_nginx() {
    let Some((mut nginx, sign)) = secure_link() else { return };
    an_expired_list_fails_as_expired(&sign);
    nginx.end();
    assert_eq!(nginx.answers().lines().filter(|line| line.starts_with("410 ")).count(), FILES);
    assert_eq!(nginx.answers().lines().count(), FILES, "one request each");
}
