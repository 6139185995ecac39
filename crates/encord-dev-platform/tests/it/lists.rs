//! Lists of folders and items.

use encord_dev_platform::{Switches, Uuid};
use serde_json::{Value, json};

use crate::client::{Client, start};

async fn names(client: &Client, path: &str) -> Vec<String> {
    let (mut names, mut token) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("{path}{token}")).await.json();
        names.extend(page["results"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()));
        match page["nextPageToken"].as_str() {
            Some(next) => token = format!("&pageToken={next}"),
            None => return names,
        }
    }
}

async fn inside(client: &Client, name: &str, parent: Uuid) -> Uuid {
    let folder = client.post("storage/folders", &json!({ "name": name, "parent": parent })).await.json();
    folder["uuid"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn folders_are_listed_at_the_root_below_a_folder_and_everywhere() {
    let (_platform, client) = start(Switches { empty_pages: true, page_limit: 1, ..Switches::default() }).await;
    let top = client.folder("top").await;
    let inner = inside(&client, "inner", top).await;
    inside(&client, "innermost", inner).await;
    client.folder("another").await;
    assert_eq!(names(&client, "storage/folders?order=name").await, ["another", "top"]);
    assert_eq!(names(&client, "storage/folders?order=name&desc=True").await, ["top", "another"]);
    assert_eq!(names(&client, &format!("storage/folders/{top}/folders?order=name")).await, ["inner"]);
    let below = format!("storage/folders/{top}/folders?isRecursive=True");
    assert_eq!(names(&client, &below).await, ["inner", "innermost"]);
    assert_eq!(names(&client, "storage/search/folders?search=INNER").await, ["inner", "innermost"]);
    client.dataset(true).await;
    assert_eq!(names(&client, "storage/folders?datasetSynced=True").await, ["dataset"]);
    assert_eq!(names(&client, "storage/folders?datasetSynced=False").await, ["another", "top"]);
}

#[tokio::test]
async fn a_folder_knows_its_path_and_can_be_moved_and_deleted() {
    let (_platform, client) = start(Switches::default()).await;
    let top = client.folder("top").await;
    let inner = inside(&client, "inner", top).await;
    let folder = client.get(&format!("storage/folders/{inner}")).await.json();
    let path: Vec<_> = folder["pathToRoot"].as_array().unwrap().iter().map(|part| &part["name"]).collect();
    assert_eq!(path, ["inner", "top"]);
    assert_eq!(folder["createdAt"], json!("2024-05-01T12:00:00.000000+00:00"));
    let refused = client.post("storage/folders/move", &json!({ "folderUuids": [top], "newParentUuid": inner })).await;
    assert_eq!((refused.status, refused.text.as_str()), (400, r#"{"message":"a folder cannot be moved into itself"}"#));
    let delete = async |folder: Uuid| client.send("DELETE", &format!("storage/folders/{folder}"), "").await.unwrap();
    assert_eq!(delete(top).await.text, r#"{"message":"the folder is not empty"}"#);
    let moved = client.post("storage/folders/move", &json!({ "folderUuids": [inner] })).await;
    assert_eq!(moved.json(), Value::Null);
    assert_eq!(delete(top).await.status, 200);
    let gone = delete(top).await;
    let expected = r#"{"message":"You are not authorised to access this folder, or it does not exist."}"#;
    assert_eq!((gone.status, gone.text.as_str()), (403, expected));
}

#[tokio::test]
async fn a_long_listing_comes_in_pages_without_gap_or_double() {
    let (platform, client) = start(Switches::default()).await;
    let folder = client.folder("a").await;
    platform.add_items(folder, 2500).unwrap();
    let mut listed = names(&client, &format!("storage/folders/{folder}/items?pageSize=1000&order=name")).await;
    assert!(listed.is_sorted());
    listed.dedup();
    assert_eq!(listed.len(), 2500);
    let newest = format!("storage/folders/{folder}/items?pageSize=999&order=createdAt&desc=True");
    assert_eq!(names(&client, &newest).await[..2], ["item 2499", "item 2498"]);
    let summary = client.get(&format!("storage/folders/{folder}/summary")).await.json();
    assert_eq!((&summary["files"], &summary["images"]), (&json!(2500), &json!(2500)));
}
