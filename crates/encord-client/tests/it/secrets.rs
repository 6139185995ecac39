//! A search of everything that is shown, logged and written: no key, no token, no signed query (C4, U9).

use std::io;
use std::sync::{Arc, Mutex};

use encord_client::{
    BearerToken, Credentials, EncordUserClient, FolderFilter, ItemFilter, NewFolder, RowFilter, StorageItemType,
};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{Answer, KEY, Server, id, key, uuid};

const TOKEN: &str = "t0ken-that-nobody-may-see";
const QUERY: &str = "X-Goog-Signature=s1gned-query";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Pieces of what may be shown nowhere.
fn secrets() -> Vec<String> {
    let mut secrets = vec![TOKEN.to_owned(), "s1gned-query".to_owned()];
    secrets.extend(KEY.lines().filter(|line| !line.starts_with("-----")).map(|line| line[..20].to_owned()));
    // The secret bytes, in hexadecimal.
    secrets.push("000102030405060708090a0b0c0d0e0f".to_owned());
    secrets
}

#[track_caller]
fn shows_nothing(what: &str, shown: &str) {
    for secret in secrets() {
        assert!(!shown.contains(&secret), "{what} shows {secret}: {shown}");
    }
}

/// Every kind of call, each answered well and badly; bad answers repeat what they were sent.
async fn work(server: &Server, credentials: Credentials, shown: &mut Vec<String>) {
    let client = EncordUserClient::builder(credentials.clone()).domain(server.domain()).build().unwrap();
    shown.extend([format!("{client:?}"), format!("{credentials:?}"), format!("{:?}", client.folder(id(1)))]);
    let folder = client.folder(id(1));
    let mut note = |outcome: Result<String, encord_client::Error>| match outcome {
        Ok(text) => shown.push(text),
        Err(error) => shown.extend([error.to_string(), format!("{error:?}"), format!("{:?}", error.message())]),
    };
    note(client.get_bearer_token().await.map(|token| format!("{token:?}")));
    note(client.create_storage_folder(&NewFolder::new("f")).await.map(|folder| format!("{folder:?}")));
    note(client.list_storage_folders(&FolderFilter::default()).all().await.map(|all| format!("{all:?}")));
    note(folder.list_items(&ItemFilter::default()).all().await.map(|all| format!("{all:?}")));
    note(client.get_storage_item(id(3), true).await.map(|item| {
        assert!(item.signed_url.is_some());
        format!("{item:?} {}", serde_json::to_string(&item).unwrap())
    }));
    note(folder.upload_signed_urls(StorageItemType::Image, 1).await.map(|urls| format!("{urls:?}")));
    note(client.dataset(id(6)).list_rows(&RowFilter::default()).await.map(|rows| format!("{rows:?}")));
}

fn answer(bad: bool, target: &str, authorization: &str) -> Answer {
    let url = format!("https://blob.example/k?{QUERY}");
    let time = "2024-05-01T12:00:00Z";
    if bad {
        let words = format!("{authorization} is no good for {url}");
        return Answer::status(400, &json!({"message": words, "status": 400, "response": [words], "payload": words}));
    }
    let item = json!({"uuid": uuid(3), "parent": uuid(1), "itemType": "image", "name": "n", "clientMetadata": "{}", "owner": "o",
        "createdAt": time, "lastEditedAt": time, "backedDataUnitsCount": 0, "storageLocation": "encord", "signedUrl": url});
    // Of a list, one record has something where it does not belong.
    let odd = json!({"uuid": uuid(4), "name": [url]});
    match target {
        target if target.ends_with("/bearer-token") => Answer::json(&json!({"token": TOKEN})),
        target if target.contains("/storage/items/") => Answer::json(&item),
        target if target.contains("/items") => Answer::json(&json!({"results": [item, odd]})),
        target if target.ends_with("/upload-signed-urls") => {
            let signed = json!({"itemUuid": uuid(3), "objectKey": "k", "signedUrl": url, "uploadHeaders": {}});
            Answer::json(&json!({"results": [signed]}))
        }
        "/public" => Answer::json(&json!({"status": 200, "response": [odd]})),
        _ => Answer::json(&json!({"results": [odd]})),
    }
}

#[tokio::test]
async fn c4_nothing_that_is_shown_or_logged_has_a_secret() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let mut shown = Vec::new();
    for bad in [false, true] {
        let server = Server::start(move |seen| {
            let authorization = seen.headers.get("authorization").cloned().unwrap_or_default();
            answer(bad, &seen.target, &authorization)
        })
        .await;
        work(&server, key().into(), &mut shown).await;
        work(&server, BearerToken::new(TOKEN).unwrap().into(), &mut shown).await;
        // A token is sent as a header, and nowhere else.
        for seen in server.seen() {
            shows_nothing("a request", &format!("{} {} {}", seen.method, seen.target, seen.body));
        }
    }
    drop(guard);
    assert!(shown.len() > 30, "{}", shown.len());
    for text in &shown {
        shows_nothing("a text", text);
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("attempt"), "{log}");
    shows_nothing("the log", &log);
}
