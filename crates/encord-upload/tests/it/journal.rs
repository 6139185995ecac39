//! A second run skips what is done and unchanged.

use std::fs;

use encord_upload::{Journal, Status, UploadItem};

use crate::server::{Server, status};
use crate::{Files, statuses, upload, uploader};

#[tokio::test(start_paused = true)]
async fn u9_what_is_done_and_unchanged_is_skipped_by_the_next_run() {
    let server = Server::start(|request, before| {
        status(if request.target.starts_with("/2") && before == 0 { 403 } else { 200 })
    })
    .await;
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

#[tokio::test(start_paused = true)]
async fn an_item_without_a_url_is_skipped_before_anybody_is_asked_for_one() {
    struct Fails;
    impl encord_upload::SignedUrlSource for Fails {
        async fn sign(
            &self,
            items: &[UploadItem],
        ) -> Vec<Result<encord_upload::SignedTarget, encord_upload::SourceError>> {
            items.iter().map(|_| Err("asked".into())).collect()
        }
    }
    let server = Server::start(|_, _| status(200)).await;
    let files = Files::new();
    let journal = files.0.path().join("journal");
    let (old, new) = (files.file("old", "x"), files.file("new", "x"));
    upload(&uploader().journal(Journal::open(&journal).unwrap()), vec![UploadItem::new(&old, server.url("/old"))])
        .await;
    let uploader = uploader().journal(Journal::open(&journal).unwrap()).source(Fails);
    let reports = upload(&uploader, vec![UploadItem::unsigned(&old), UploadItem::unsigned(&new)]).await;
    assert_eq!(statuses(&reports), [Status::Skipped, Status::Failed]);
}
