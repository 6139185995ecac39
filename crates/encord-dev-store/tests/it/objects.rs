//! Uploads and what is stored of them.

use encord_dev_store::{DevStore, Running, Storage};
use http::Method;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{Answer, get, head, log, put, raw, send, store};

#[tokio::test]
async fn an_object_is_stored_and_read_and_deleted() {
    let store = store("").await;
    let url = store.presign_put("a b/é.jpg").unwrap();
    let answer = send(store.addr(), "PUT", &url, &[("Content-Type", "image/jpeg")], b"123456789").await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("etag"), Some("\"25f9e794323b453885f5181f1b624d0b\""));
    assert_eq!(answer.header("x-goog-hash"), Some("crc32c=4waSgw==,md5=JfnnlDI7RTiF9RgfG2JNCw=="));

    let url = store.url("a b/é.jpg");
    let answer = get(&store, Method::GET, &url).await;
    assert_eq!((answer.status, answer.text()), (200, "123456789"));
    assert_eq!(answer.header("content-type"), Some("image/jpeg"));
    assert_eq!(answer.header("etag"), Some("\"25f9e794323b453885f5181f1b624d0b\""));
    let answer = get(&store, Method::HEAD, &url).await;
    assert_eq!((answer.status, answer.header("content-length")), (200, Some("9")));

    assert_eq!(get(&store, Method::DELETE, &url).await.status, 204);
    let answer = get(&store, Method::GET, &url).await;
    assert_eq!((answer.status, answer.element("Code")), (404, Some("NoSuchKey")));
    assert_eq!(get(&store, Method::DELETE, &url).await.status, 404);
    assert_eq!(
        log(&store),
        [
            "PUT dev/a b/é.jpg 200 (9 bytes)",
            "GET dev/a b/é.jpg 200 (0 bytes)",
            "HEAD dev/a b/é.jpg 200 (0 bytes)",
            "DELETE dev/a b/é.jpg 204 (0 bytes)",
            "GET dev/a b/é.jpg 404 (0 bytes)",
            "DELETE dev/a b/é.jpg 404 (0 bytes)",
        ]
    );
}

#[tokio::test]
async fn hashes_that_the_client_claims_are_checked() {
    #[track_caller]
    fn check(answer: &Answer, status: u16, code: Option<&str>) {
        assert_eq!((answer.status, answer.element("Code")), (status, code));
    }
    let store = store("").await;
    let url = store.presign_put("a").unwrap();
    let upload =
        async |md5: &str| send(store.addr(), "PUT", &url, &[("Content-MD5", md5)], b"123456789").await.unwrap();
    check(&upload("AAAAAAAAAAAAAAAAAAAAAA==").await, 400, Some("BadDigest"));
    check(&upload("nonsense").await, 400, Some("InvalidDigest"));
    assert!(store.objects().is_empty());
    check(&upload("JfnnlDI7RTiF9RgfG2JNCw==").await, 200, None);
}

#[tokio::test]
async fn what_is_not_complete_is_not_stored() {
    let folder = tempfile::tempdir().unwrap();
    for storage in [Storage::Memory, Storage::Discard, Storage::Folder(folder.path().to_owned())] {
        let store = DevStore::builder().storage(storage).start().await.unwrap();
        put(&store, "a", b"before").await.unwrap();
        let url = store.presign_put("a").unwrap();
        let mut stream = TcpStream::connect(store.addr()).await.unwrap();
        stream.write_all(format!("{}short", head("PUT", &url, &[], Some(100))).as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        // The connection ends once the store has seen that nothing more comes.
        drop(tokio::io::copy(&mut stream, &mut tokio::io::sink()).await);
        assert_eq!(store.object("a").unwrap().size, 6);
        assert_eq!(log(&store)[1], "PUT dev/a abandoned (5 bytes)");
    }
    assert_eq!(std::fs::read_dir(folder.path().join(".tmp")).unwrap().count(), 0);
}

/// Names that a file system would take for something else, or not at all.
fn hostile() -> Vec<String> {
    let mut names: Vec<String> = [
        ".",
        "..",
        "../../etc/passwd",
        "/",
        "a/",
        "a//b",
        "a",
        "a/b",
        "a+",
        ".meta",
        "%2E",
        "a\\b",
        "é\u{1f980}\n\u{1}",
    ]
    .map(str::to_owned)
    .into();
    names.extend([200, 201, 399, 400, 401, 1024].map(|length| "n".repeat(length)));
    names.push("é".repeat(512));
    names
}

#[tokio::test]
async fn any_name_can_be_kept_and_none_leads_out_of_the_folder() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("store");
    let start = async || DevStore::builder().storage(Storage::Folder(folder.clone())).start().await.unwrap();
    let first = start().await;
    for name in hostile() {
        let answer = put(&first, &name, name.as_bytes()).await.unwrap();
        assert_eq!(answer.status, 200, "{name} {}", answer.text());
    }
    let stored = first.objects();
    assert_eq!(stored.len(), hostile().len());
    first.shutdown().await;
    assert_eq!(std::fs::read_dir(outer.path()).unwrap().count(), 1);

    let second = start().await;
    assert_eq!(second.objects(), stored);
    for name in hostile() {
        assert_eq!(second.read(&name).await.unwrap().as_deref(), Some(name.as_bytes()), "{name}");
        let answer = get(&second, Method::GET, &second.url(&name)).await;
        assert_eq!((answer.status, answer.text()), (200, &*name));
        assert_eq!(get(&second, Method::DELETE, &second.url(&name)).await.status, 204);
    }
    assert!(second.objects().is_empty());
}

#[tokio::test]
async fn a_file_that_was_changed_by_others_is_hashed_again() {
    let folder = tempfile::tempdir().unwrap();
    let start = async || DevStore::builder().storage(Storage::Folder(folder.path().to_owned())).start().await.unwrap();
    let first = start().await;
    put(&first, "a", b"12345678X").await.unwrap();
    let before = first.object("a").unwrap();
    first.shutdown().await;
    std::fs::write(folder.path().join("dev/a"), b"123456789").unwrap();
    std::fs::write(folder.path().join("dev/not ours"), b"").unwrap();

    let second = start().await;
    let after = second.object("a").unwrap();
    assert_ne!(after.etag(), before.etag());
    assert_eq!(after.etag(), "\"25f9e794323b453885f5181f1b624d0b\"");
    assert_eq!(second.objects().len(), 1);
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let error = DevStore::builder().storage(Storage::Folder(file.clone())).start().await.unwrap_err();
    let expected = format!("cannot keep objects in {}: Not a directory (os error 20)", file.display());
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn of_what_is_unfinished_only_the_stores_own_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let temporary = folder.path().join(".tmp");
    std::fs::create_dir(&temporary).unwrap();
    for name in ["4711-0", "notes", "4711-", "a-1"] {
        std::fs::write(temporary.join(name), name).unwrap();
    }
    drop(DevStore::builder().storage(Storage::Folder(folder.path().to_owned())).start().await.unwrap());
    let mut left: Vec<_> = std::fs::read_dir(&temporary).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["4711-", "a-1", "notes"]);
}

#[tokio::test]
async fn what_is_discarded_has_size_and_hashes() {
    let store = DevStore::builder().storage(Storage::Discard).start().await.unwrap();
    let answer = put(&store, "a", b"123456789").await.unwrap();
    assert_eq!(answer.header("x-goog-hash"), Some("crc32c=4waSgw==,md5=JfnnlDI7RTiF9RgfG2JNCw=="));
    assert_eq!(store.object("a").unwrap().size, 9);
    assert_eq!(get(&store, Method::GET, &store.url("a")).await.status, 500);
    assert_eq!(log(&store)[1], "GET dev/a 500 (0 bytes): the bytes of the object were discarded");
    assert!(store.read("a").await.is_err());
    assert!(store.read("b").await.unwrap().is_none());
}

#[tokio::test]
async fn large_objects_are_streamed() {
    let folder = tempfile::tempdir().unwrap();
    let store = DevStore::builder().storage(Storage::Folder(folder.path().to_owned())).start().await.unwrap();
    let body: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    put(&store, "large", &body).await.unwrap();
    assert!(get(&store, Method::GET, &store.url("large")).await.body == body);
    put(&store, "empty", b"").await.unwrap();
    assert_eq!(get(&store, Method::GET, &store.url("empty")).await.body, b"");
    // Only what is in its place is left.
    assert_eq!(std::fs::read_dir(folder.path().join(".tmp")).unwrap().count(), 0);
}

async fn listed(store: &Running, query: &str) -> Answer {
    let url = format!("{}/dev{query}", store.base_url());
    get(store, Method::GET, &url).await
}

#[tokio::test]
async fn a_listing_goes_on_where_it_stopped() {
    let store = store("").await;
    for key in ["a/1", "a/2&", "a/3", "b"] {
        put(&store, key, b"x").await.unwrap();
    }
    let keys = |answer: &Answer| -> Vec<String> {
        answer.text().split("<Key>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
    };
    let all = listed(&store, "?list-type=2").await;
    assert_eq!(keys(&all), ["a/1", "a/2&amp;", "a/3", "b"]);
    assert_eq!((all.element("IsTruncated"), all.element("KeyCount")), (Some("false"), Some("4")));

    let first = listed(&store, "?list-type=2&prefix=a/&max-keys=2").await;
    assert_eq!(keys(&first), ["a/1", "a/2&amp;"]);
    assert_eq!(first.element("IsTruncated"), Some("true"));
    let token = first.element("NextContinuationToken").unwrap();
    assert_eq!(token, "a%2F2%26");
    let next = listed(&store, "?list-type=2&prefix=a/&continuation-token=a%252F2%2526&encoding-type=url").await;
    assert_eq!(keys(&next), ["a%2F3"]);
    let none = listed(&store, "?list-type=2&max-keys=0").await;
    assert_eq!((none.element("IsTruncated"), none.element("KeyCount")), (Some("false"), Some("0")));
    assert_eq!(keys(&listed(&store, "?prefix=c").await), [""; 0]);
    let none = format!("{}/other", store.base_url());
    assert_eq!(keys(&get(&store, Method::GET, &none).await), [""; 0]);
}

/// Names that XML has no letters for, that are encoded already, and that a query would end in.
#[tokio::test]
async fn a_listing_goes_on_after_any_name() {
    let store = store("").await;
    let names = ["50%", "50%25", "a\u{1}a", "a\u{1}b", "a&b=c", "a+b", "é\u{fffe}", "é\u{fffe}é"];
    for name in names {
        put(&store, name, b"x").await.unwrap();
    }
    let (mut listed_names, mut token) = (Vec::new(), String::new());
    loop {
        let answer = listed(&store, &format!("?list-type=2&max-keys=1&encoding-type=url{token}")).await;
        listed_names.push(answer.element("Key").unwrap().to_owned());
        let Some(next) = answer.element("NextContinuationToken") else { break };
        token = format!("&continuation-token={}", next.replace('%', "%25"));
        assert!(listed_names.len() < names.len(), "{listed_names:?}");
    }
    let encode = |name: &&str| store.url(name).rsplit('/').next().unwrap().to_owned();
    assert_eq!(listed_names, names.iter().map(encode).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_upload_without_a_length_is_refused_as_each_service_does() {
    let store = store("").await;
    let chunked = "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n";
    for (scheme, status, code) in [
        (encord_dev_store::sign::Scheme::Gcs, 411, "MissingContentLength"),
        (encord_dev_store::sign::Scheme::S3, 501, "NotImplemented"),
    ] {
        let url = crate::client::signed(scheme, &Method::PUT, &store.url("a"));
        let head = head("PUT", &url, &[], None);
        let answer = raw(store.addr(), head.replace("\r\n\r\n", &format!("\r\n{chunked}"))).await.unwrap();
        assert_eq!((answer.status, answer.element("Code")), (status, Some(code)));
    }
    assert!(store.objects().is_empty());
}
