//! Lists: pages, records that cannot be read, names.

use encord_client::{Effect, ErrorKind, FolderFilter, ItemFilter, MAX_PAGE_SIZE};
use serde_json::{Value, json};

use crate::support::{Answer, Server, folder, id, uuid};

fn page(results: &[Value], token: Option<&str>) -> Answer {
    Answer::json(&json!({"results": results, "nextPageToken": token}))
}

#[tokio::test]
async fn empty_pages_with_a_token_are_followed() {
    let server = Server::script([
        page(&[], Some("a")),
        page(&[], Some("b")),
        page(&[folder("x", 1)], Some("c")),
        page(&[], None),
    ])
    .await;
    let folders = server.client().list_storage_folders(&FolderFilter::default()).all().await.unwrap();
    assert_eq!(folders.len(), 1);
    let tokens: Vec<_> = server.seen().iter().map(|seen| seen.target.contains("pageToken=")).collect();
    assert_eq!(tokens, [false, true, true, true]);
}

#[tokio::test]
async fn c5_a_record_that_cannot_be_read_is_one_error_and_the_list_goes_on() {
    let strange = json!({"uuid": uuid(2), "name": 7});
    let mut new = folder("new", 3);
    new["folderType"] = "quantum".into();
    new["userRole"] = "emperor".into();
    new["unheardOf"] = json!({"a": 1});
    let server =
        Server::script([page(&[folder("a", 1), strange, new], Some("t")), page(&[folder("b", 4)], None)]).await;
    let mut list = server.client().list_storage_folders(&FolderFilter::default());
    let mut names = Vec::new();
    while let Some(record) = list.next().await {
        names.push(match record {
            Ok(folder) => folder.name,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Record);
                error.to_string()
            }
        });
    }
    assert_eq!((names.len(), names[0].as_str(), names[2].as_str(), names[3].as_str()), (4, "a", "new", "b"));
    assert!(
        names[1].starts_with(&format!("a record cannot be read: {}: invalid type: integer `7`", uuid(2))),
        "{}",
        names[1]
    );
}

#[tokio::test]
async fn c5_unreadable_records_do_not_hide() {
    let server = Server::script([page(&[json!("no record"), folder("a", 1)], None)]).await;
    let folders = server.client().list_storage_folders(&FolderFilter::default()).all().await.unwrap();
    assert_eq!((folders.len(), folders.unreadable().len()), (1, 1));
}

#[tokio::test]
async fn a_page_that_cannot_be_fetched_ends_the_list() {
    let server = Server::script([page(&[folder("a", 1)], Some("t")), Answer::status(403, &"")]).await;
    let mut list = server.client().list_storage_folders(&FolderFilter::default());
    assert!(list.next().await.unwrap().is_ok());
    assert_eq!(list.next().await.unwrap().unwrap_err().kind(), ErrorKind::Authorisation);
    assert!(list.next().await.is_none());
}

#[tokio::test]
async fn the_same_page_for_ever_is_an_error() {
    let server = Server::script([page(&[folder("a", 1)], Some("t"))]).await;
    let error = server.client().list_storage_folders(&FolderFilter::default()).all().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Answer, "{error}");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_page_size_that_cannot_be_meant_is_refused_before_anything_is_sent() {
    let server = Server::script([page(&[], None)]).await;
    for page_size in [0, MAX_PAGE_SIZE + 1] {
        let folders = FolderFilter { page_size, ..FolderFilter::default() };
        let items = ItemFilter { page_size, ..ItemFilter::default() };
        let client = server.client();
        let errors = [
            client.list_storage_folders(&folders).all().await.unwrap_err(),
            client.folder(id(1)).list_items(&items).all().await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!((error.kind(), error.effect()), (ErrorKind::Input, Effect::NeverSent));
            assert_eq!(error.to_string(), format!("wrong input: page_size must be from 1 to 1000, not {page_size}"));
        }
    }
    assert_eq!(server.seen().len(), 0);
}

/// At any time one page is there, and none is fetched before it is wanted.
#[tokio::test]
async fn a_long_list_is_fetched_page_by_page() {
    let mut pages = 0;
    let record = folder("NAME", 1).to_string();
    let server = Server::start(move |_| {
        let first = pages * 100;
        pages += 1;
        let items: Vec<_> = (first..first + 100).map(|n| record.replace("NAME", &n.to_string())).collect();
        let token = if pages < 100 { pages.to_string() } else { "null".to_owned() };
        Answer::json(
            &format!(r#"{{"results": [{}], "nextPageToken": {token:?}}}"#, items.join(",")).replace("\"null\"", "null"),
        )
    })
    .await;
    let filter = FolderFilter { page_size: 100, ..FolderFilter::default() };
    let mut list = server.client().list_storage_folders(&filter);
    for n in 0..10_000_usize {
        assert_eq!(list.next().await.unwrap().unwrap().name, n.to_string());
        assert_eq!(server.seen().len(), n / 100 + 1);
    }
    assert!(list.next().await.is_none());
}

#[tokio::test]
async fn a_name_is_an_id_or_exact_or_a_path() {
    // Two folders named `twice`; `a` holds `b`, which holds `deep`.
    let server = Server::start(|seen| {
        let search = seen.target.split("search=").nth(1).map(|rest| rest.split('&').next().unwrap().to_owned());
        let results: Vec<Value> = match (seen.target.split('?').next().unwrap(), search.as_deref()) {
            ("/v2/public/storage/search/folders", Some("twice")) => vec![folder("twice", 1), folder("twice", 2)],
            ("/v2/public/storage/search/folders", Some("deep")) => vec![folder("deep", 5), folder("deeper", 6)],
            ("/v2/public/storage/folders", Some("a")) => vec![folder("a", 3), folder("ab", 7)],
            ("/v2/public/storage/folders", None) => vec![folder("a", 3), folder("photos", 8), folder("phones", 9)],
            (path, Some("b")) if path.contains(&uuid(3)) => vec![folder("b", 4)],
            (path, Some("deep")) if path.contains(&uuid(4)) => vec![folder("deep", 5)],
            (path, None) if path.contains(&uuid(4)) => vec![folder("deep", 5), folder("shallow", 6)],
            _ => Vec::new(),
        };
        page(&results, None)
    })
    .await;
    let client = server.client();
    assert_eq!(client.resolve_folder(&uuid(9)).await.unwrap(), id(9));
    assert_eq!(server.seen().len(), 0, "an identifier needs no call");
    assert_eq!(client.resolve_folder("deep").await.unwrap(), id(5));
    assert_eq!(client.resolve_folder("a/b/deep").await.unwrap(), id(5));
    assert_eq!(client.resolve_folder("/a/b/").await.unwrap(), id(4));
    let error = client.resolve_folder("twice").await.unwrap_err();
    assert_eq!((error.kind(), error.candidates()), (ErrorKind::AmbiguousName, [uuid(1), uuid(2)].as_slice()));
    let error = client.resolve_folder("Photo").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "nothing has this name: no folder is called \"Photo\"; the nearest: \"photos\", \"phones\""
    );
    let error = client.resolve_folder("a/b/depe").await.unwrap_err();
    assert_eq!((error.kind(), error.candidates()), (ErrorKind::NoSuchName, ["a/b/deep".to_owned()].as_slice()));
}
