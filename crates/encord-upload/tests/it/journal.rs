//! A second run skips what is done and unchanged.

use std::fs;
use std::path::Path;

use encord_test_server::{Server, status};
use encord_upload::{Journal, SignedTarget, SignedUrlSource, SourceError, Status, UploadItem};

use crate::{Files, statuses, upload, uploader};

#[tokio::test(start_paused = true)]
async fn u9_what_is_done_and_unchanged_is_skipped_by_the_next_run() {
    let server = Server::start_here(|request, before| {
        status(if request.target.starts_with("/2") && before == 0 { 403 } else { 200 })
    });
    let files = Files::new();
    let paths: Vec<_> = (0..4).map(|n| files.file(&n.to_string(), n.to_string())).collect();
    let item = |(n, path)| UploadItem::new(path, server.url(&format!("/{n}?sig=s3cret")));
    let items = || paths.iter().enumerate().map(item).collect::<Vec<_>>();
    let journal = files.0.path().join("journal");

    let reports = upload(&uploader().journal(Journal::open(&journal).unwrap()), items()).await;
    assert_eq!(statuses(&reports), [Status::Uploaded, Status::Uploaded, Status::Failed, Status::Uploaded]);
    fs::write(&paths[3], "changed").unwrap();
    let open = Journal::open(&journal).unwrap();
    let done: Vec<_> = items().iter().map(|item| open.contains(item)).collect();
    assert_eq!((open.len(), done), (3, vec![true, true, false, false]));
    let reports = upload(&uploader().journal(open), items()).await;
    assert_eq!(statuses(&reports), [Status::Skipped, Status::Skipped, Status::Uploaded, Status::Uploaded]);
    assert!(reports[0].attempts.is_empty() && reports[0].bytes == 0);
    assert_eq!(server.requests().len(), 6);
    let text = fs::read_to_string(&journal).unwrap();
    assert!(!text.contains("s3cret") && !text.contains('?'), "{text}");
}

/// As a converter does it that wants the time of the original.
#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn u6_a_file_that_was_rewritten_and_keeps_its_time_is_uploaded_again() {
    use std::os::unix::fs::MetadataExt;

    let server = Server::start_here(|_, _| status(200));
    let files = Files::new();
    let (path, other) = (files.file("a", "old"), files.file("b", "new"));
    let journal = files.0.path().join("journal");
    let time = std::time::UNIX_EPOCH;
    for path in [&path, &other] {
        fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    }
    let run = || async {
        let uploader = uploader().journal(Journal::open(&journal).unwrap());
        statuses(&upload(&uploader, vec![UploadItem::new(&path, server.url("/a"))]).await)
    };
    assert_eq!(run().await, [Status::Uploaded]);
    assert_eq!(run().await, [Status::Skipped]);
    // The times of file systems move on in steps of some milliseconds.
    let changed = |path: &Path| (path.metadata().unwrap().ctime(), path.metadata().unwrap().ctime_nsec());
    while changed(&other) <= changed(&path) {
        fs::File::options().write(true).open(&other).unwrap().set_modified(time).unwrap();
    }
    fs::rename(&other, &path).unwrap();
    assert_eq!(path.metadata().unwrap().modified().unwrap(), time);
    assert_eq!(run().await, [Status::Uploaded]);
    assert_eq!(server.stored("/a"), b"new");
}

struct Fails;

impl SignedUrlSource for Fails {
    async fn sign(&self, items: &[UploadItem]) -> Vec<Result<SignedTarget, SourceError>> {
        items.iter().map(|_| Err("asked".into())).collect()
    }
}

/// Without a URL it is done wherever it went; so say the journal and batches with a source and without one.
#[tokio::test(start_paused = true)]
async fn an_item_without_a_url_is_skipped_before_anybody_is_asked_for_one() {
    let server = Server::start_here(|_, _| status(200));
    let files = Files::new();
    let journal = files.0.path().join("journal");
    let (old, new) = (files.file("old", "x"), files.file("new", "x"));
    upload(&uploader().journal(Journal::open(&journal).unwrap()), vec![UploadItem::new(&old, server.url("/old"))])
        .await;
    for uploader in [uploader(), uploader().source(Fails)] {
        let open = Journal::open(&journal).unwrap();
        let items = [&old, &new].map(UploadItem::unsigned);
        assert_eq!(items.each_ref().map(|item| open.contains(item)), [true, false]);
        let elsewhere = UploadItem::new(&old, server.url("/elsewhere"));
        assert!(!open.contains(&elsewhere));
        let reports = upload(&uploader.journal(open), Vec::from(items)).await;
        assert_eq!(statuses(&reports), [Status::Skipped, Status::Failed]);
    }
}

/// With `?` in place of what is not UTF-8 they would be one.
#[cfg(target_os = "linux")]
#[tokio::test(start_paused = true)]
async fn files_whose_paths_cannot_be_written_down_are_uploaded_again() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let server = Server::start_here(|_, _| status(200));
    let files = Files::new();
    let journal = files.0.path().join("journal");
    let paths = [b"a\xfe", b"a\xff"].map(|name| files.0.path().join(OsStr::from_bytes(name)));
    let time = std::time::SystemTime::UNIX_EPOCH;
    for path in &paths {
        fs::write(path, "x").unwrap();
        fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    }
    for path in &paths {
        let open = Journal::open(&journal).unwrap();
        assert!(open.is_empty());
        let reports = upload(&uploader().journal(open), vec![UploadItem::new(path, server.url("/x"))]).await;
        assert_eq!(statuses(&reports), [Status::Uploaded]);
    }
}
