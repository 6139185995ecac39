//! Datasets, their rows and their jobs.

use encord_dev_platform::{SkipReturns, Switches, Uuid};
use serde_json::{Value, json};

use crate::client::{Client, images, start, uuid};

async fn link(client: &Client, dataset: Uuid, items: &[Uuid], behavior: &str) -> crate::client::Answer {
    let payload = json!({ "item_uuids": items, "duplicates_behavior": behavior });
    client.older(("datasetlinkitems", "POST"), Some(dataset), json!(dataset), payload).await
}

#[tokio::test]
async fn items_that_are_linked_already_are_skipped_refused_or_linked_again() {
    for (skip_returns, returned) in [(SkipReturns::Rows, 2), (SkipReturns::Nothing, 0)] {
        let (platform, client) = start(Switches { skip_returns, ..Switches::default() }).await;
        let folder = client.folder("a").await;
        let items = client.items(folder, 2).await;
        let dataset = client.dataset(false).await;
        let count = |response: Value| response.as_array().unwrap().len();
        assert_eq!(count(link(&client, dataset, &items, "SKIP").await.response()), 2);
        assert_eq!(count(link(&client, dataset, &items, "SKIP").await.response()), returned);
        let refused = link(&client, dataset, &items, "FAIL").await;
        assert!(refused.text.contains("RESOURCE_EXISTS_ERROR"), "{}", refused.text);
        assert_eq!(platform.rows(dataset).len(), 2);
        assert_eq!(count(link(&client, dataset, &items, "DUPLICATE").await.response()), 2);
        assert_eq!(platform.rows(dataset).len(), 4);
        // The same twice in one request.
        let other = client.dataset(false).await;
        assert!(link(&client, other, &[items[0], items[0]], "FAIL").await.text.contains("RESOURCE_EXISTS_ERROR"));
        link(&client, other, &[items[0], items[0]], "SKIP").await.response();
        assert_eq!(platform.rows(other).len(), 1);
        // Without a word about it, as the SDK of 2023 asks.
        let payload = json!({ "item_uuids": items });
        client.older(("datasetlinkitems", "POST"), Some(other), json!(other), payload).await.response();
        assert_eq!(platform.rows(other).len(), 2);
    }
}

#[tokio::test]
async fn nothing_is_linked_when_an_item_is_not_known() {
    let (platform, client) = start(Switches::default()).await;
    let folder = client.folder("a").await;
    let item = client.items(folder, 1).await[0];
    let dataset = client.dataset(false).await;
    let refused = link(&client, dataset, &[item, Uuid::new_v4()], "SKIP").await;
    assert!(refused.text.contains("RESOURCE_NOT_FOUND_ERROR"), "{}", refused.text);
    assert_eq!(platform.rows(dataset), []);
    let refused = link(&client, Uuid::new_v4(), &[item], "SKIP").await;
    assert!(refused.text.contains("There is no such dataset"), "{}", refused.text);
}

#[tokio::test]
async fn rows_go_with_their_items_and_are_deleted_by_themselves() {
    let (platform, client) = start(Switches::default()).await;
    let folder = client.folder("a").await;
    let items = client.items(folder, 3).await;
    let dataset = client.dataset(false).await;
    let rows = link(&client, dataset, &items, "SKIP").await.response();
    client.older(("video", "DELETE"), Some(dataset), json!([rows[0]["data_hash"]]), Value::Null).await.response();
    assert_eq!(platform.rows(dataset).len(), 2);
    let path = format!("storage/folders/{folder}/items/delete");
    let body = json!({ "childUuids": [items[1]], "removeUnusedFrames": true });
    let removed = client.post(&path, &body).await.json();
    assert_eq!(removed, json!({ "removedItemsCount": 1, "removedFoldersCount": 0 }));
    assert_eq!((platform.rows(dataset).len(), platform.items(folder).len()), (1, 2));
}

#[tokio::test]
async fn a_dataset_follows_its_own_folder() {
    let (platform, client) = start(Switches::default()).await;
    let dataset = client.dataset(true).await;
    let folder = platform.folders()[0].uuid;
    let items = client.items(folder, 2).await;
    let rows: Vec<_> = platform.rows(dataset).iter().map(|row| row.item).collect();
    assert_eq!(rows, items);

    let other = client.folder("other").await;
    let path = format!("storage/folders/{folder}/items/move");
    let mut body = json!({ "itemUuids": [items[0]], "newParentUuid": other, "allowSyncedDatasetMove": false });
    let refused = client.post(&path, &body).await;
    assert_eq!(refused.text, r#"{"message":"the items are in a dataset that follows the folder"}"#);
    body["allowSyncedDatasetMove"] = json!(true);
    client.post(&path, &body).await.json();
    assert_eq!((platform.items(other).len(), platform.rows(dataset).len()), (1, 1));
    let back = json!({ "itemUuids": [items[0]], "newParentUuid": folder });
    client.post(&format!("storage/folders/{other}/items/move"), &back).await.json();
    let rows: Vec<_> = platform.rows(dataset).iter().map(|row| row.item).collect();
    assert_eq!(rows, [items[1], items[0]]);
}

#[tokio::test]
async fn a_job_of_a_dataset_registers_and_links() {
    let (platform, client) = start(Switches::default()).await;
    let folder = client.folder("a").await;
    let dataset = client.dataset(false).await;
    let signed = client.upload(folder, 2).await;
    let mut payload = json!({ "dataItems": images(&signed), "ignoreErrors": false });
    let start = async |payload: &Value| {
        client.older(("datasetdatalongpolling", "POST"), Some(dataset), json!(dataset), payload.clone()).await
    };
    assert!(start(&payload).await.text.contains("the dataset has no folder of its own"));
    payload["folderUuid"] = json!(folder);
    let started = start(&payload).await.response();
    let poll = json!({ "process_hash": started["process_hash"], "timeout_seconds": 10 });
    let done = client.older(("datasetdatalongpolling", "GET"), Some(dataset), json!(dataset), poll.clone()).await;
    let done = done.response();
    assert_eq!((&done["status"], &done["units_done_count"]), (&json!("DONE"), &json!(2)));
    let rows = platform.rows(dataset);
    assert_eq!(uuid(&done["data_hashes_with_titles"][0]["data_hash"]), rows[0].uuid);
    assert_eq!(rows[0].title, "0.jpg");
    let other = client.dataset(false).await;
    let refused = client.older(("datasetdatalongpolling", "GET"), Some(other), json!(other), poll).await;
    assert!(refused.text.contains("There is no such job"), "{}", refused.text);
}
