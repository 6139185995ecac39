//! What an emulator with a folder finds of an earlier one.

use std::time::Duration;

use encord_dev_platform::Switches;
use serde_json::json;

use crate::client::{Client, builder, images, job};

#[tokio::test]
async fn everything_is_found_again() {
    let place = tempfile::tempdir().unwrap();
    let first = builder().folder(place.path()).demo(true).start().await.unwrap();
    let client = Client::new(&first);
    let folder = client.folder("a").await;
    let item = client.items(folder, 1).await[0];
    let dataset = client.dataset(false).await;
    let payload = json!({ "item_uuids": [item], "duplicates_behavior": "SKIP" });
    client.older(("datasetlinkitems", "POST"), Some(dataset), json!(dataset), payload).await.response();
    let signed = client.upload(folder, 1).await;
    let (items, rows) = (first.items(folder), first.rows(dataset));
    first.shutdown().await;

    let second = builder().folder(place.path()).demo(true).start().await.unwrap();
    let client = Client::new(&second);
    assert_eq!((second.items(folder), second.rows(dataset)), (items, rows));
    // The project is not made again, and what was uploaded can be registered.
    assert_eq!(client.get("projects").await.json()["results"].as_array().unwrap().len(), 1);
    let done = client.poll(folder, client.start(folder, &job(&images(&signed), false)).await).await;
    assert_eq!(done["status"], json!("DONE"));
}

#[tokio::test]
async fn a_job_that_was_pending_runs() {
    let place = tempfile::tempdir().unwrap();
    let switches = Switches { job_time: Duration::from_secs(3600), ..Switches::default() };
    let first = builder().folder(place.path()).switches(switches).start().await.unwrap();
    let client = Client::new(&first);
    let folder = client.folder("a").await;
    let job_id = client.start(folder, &job(&images(&client.upload(folder, 2).await), false)).await;
    assert!(first.jobs()[0].is_pending);
    first.shutdown().await;

    let second = builder().folder(place.path()).start().await.unwrap();
    assert_eq!(Client::new(&second).poll(folder, job_id).await["status"], json!("DONE"));
    assert_eq!(second.items(folder).len(), 2);
}

#[tokio::test]
async fn an_emulator_says_why_it_does_not_start() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = builder().folder(&file).start().await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot keep the state in {}: ", file.display())), "{error}");
    let folder = place.path().join("folder");
    let first = builder().folder(&folder).start().await.unwrap();
    let error = builder().folder(&folder).start().await.unwrap_err().to_string();
    assert_eq!(error, format!("cannot keep the state in {}: another emulator uses it", folder.display()));
    let error = builder().port(first.addr().port()).start().await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot listen on {}: ", first.addr())), "{error}");
}
