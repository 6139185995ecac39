//! Jobs, under each position of the switches that concern them.

use std::time::Duration;

use encord_dev_platform::{
    DuplicateUrls, FailedJobKeeps, ItemId, NamesOrder, Operation, Placeholders, SecondJob, Switches, UnknownIds, Uuid,
};
use serde_json::{Value, json};

use crate::client::{Client, after, builder, get, images, job, put, start, uuid};

#[tokio::test]
async fn a_unit_fails_whose_object_is_not_there() {
    let (platform, client) = start(Switches::default()).await;
    let folder = client.folder("a").await;
    let signed = client.sign(folder, 2).await;
    put(&signed[1], "bytes").await;
    let job_id = client.start(folder, &job(&images(&signed), true)).await;
    let done = client.poll(folder, job_id).await;
    let key = &signed[0]["objectKey"];
    assert_eq!(done["status"], json!("DONE"));
    assert_eq!(done["itemsWithNames"], json!([{ "itemUuid": signed[1]["itemUuid"], "name": "1.jpg" }]));
    assert_eq!(done["errors"], json!(["The file was not found in storage"]));
    assert_eq!(done["unitErrors"][0]["objectUrls"], json!([key]));
    assert_eq!(done["unitErrors"][0]["actionDescription"], json!("Uploading image"));
    // Only its own folder knows a job.
    let other = client.folder("other").await;
    let refused = client.get(&format!("storage/folders/{other}/data-upload-jobs/{job_id}?timeoutSeconds=1")).await;
    assert_eq!((refused.status, refused.text.as_str()), (404, r#"{"message":"There is no such job"}"#));
    let counts = ["Pending", "Done", "Error", "Cancelled"].map(|name| done[format!("units{name}Count")].clone());
    assert_eq!(counts, [0, 1, 1, 0]);
    assert_eq!(platform.items(folder).len(), 1);
}

#[tokio::test]
async fn a_job_without_ignore_errors_fails_and_keeps_what_the_switch_says() {
    for (keeps, kept) in [(FailedJobKeeps::Nothing, 0), (FailedJobKeeps::GoodUnits, 1)] {
        let (platform, client) = start(Switches { failed_job_keeps: keeps, ..Switches::default() }).await;
        let folder = client.folder("a").await;
        let signed = client.sign(folder, 2).await;
        put(&signed[1], "bytes").await;
        let failed = client.poll(folder, client.start(folder, &job(&images(&signed), false)).await).await;
        assert_eq!((&failed["status"], platform.items(folder).len()), (&json!("ERROR"), kept));
        // What was taken back can be registered.
        put(&signed[0], "bytes").await;
        let done = client.poll(folder, client.start(folder, &job(&images(&signed), false)).await).await;
        assert_eq!((&done["status"], platform.items(folder).len()), (&json!("DONE"), 2));
    }
}

#[tokio::test]
async fn a_second_job_with_the_same_placeholder_does_what_the_switch_says() {
    for (second_job, status, items) in
        [(SecondJob::NoOp, "DONE", 2), (SecondJob::Duplicate, "DONE", 4), (SecondJob::Error, "ERROR", 2)]
    {
        let (platform, client) = start(Switches { second_job, ..Switches::default() }).await;
        let folder = client.folder("a").await;
        let job = job(&images(&client.upload(folder, 2).await), false);
        let first = client.poll(folder, client.start(folder, &job).await).await;
        let second = client.poll(folder, client.start(folder, &job).await).await;
        assert_eq!((&second["status"], platform.items(folder).len()), (&json!(status), items), "{second_job:?}");
        let same = first["itemsWithNames"] == second["itemsWithNames"];
        assert_eq!(same, second_job == SecondJob::NoOp);
    }
}

#[tokio::test]
async fn an_item_has_the_id_that_the_switch_says() {
    for (item_id, same) in [(ItemId::Placeholder, true), (ItemId::New, false)] {
        let (platform, client) = start(Switches { item_id, ..Switches::default() }).await;
        let folder = client.folder("a").await;
        let signed = client.upload(folder, 1).await;
        client.poll(folder, client.start(folder, &job(&images(&signed), false)).await).await;
        let items = platform.items(folder);
        assert_eq!(items[0].uuid == uuid(&signed[0]["itemUuid"]), same);
        assert_eq!(items[0].url.as_deref(), signed[0]["objectKey"].as_str());
        assert_eq!((items[0].item_type.as_str(), items[0].file_size), ("image", Some(5)));
    }
}

/// Whether an unregistered placeholder is found by its id, and listed.
async fn shows(client: &Client, folder: Uuid) -> (bool, bool) {
    let signed = client.sign(folder, 1).await;
    let found = client.post("storage/items/get-bulk", &json!({ "itemUuids": [signed[0]["itemUuid"]] })).await.json();
    let listed = client.get(&format!("storage/folders/{folder}/items")).await.json();
    for item in [&found, &listed].into_iter().flat_map(|page| page["results"].as_array().unwrap()) {
        assert_eq!(item["isPlaceholder"], json!(true));
    }
    (found["results"] != json!([]), listed["results"] != json!([]))
}

#[tokio::test]
async fn placeholders_show_where_the_switch_says() {
    for (placeholders, expected) in [
        (Placeholders::Hidden, (false, false)),
        (Placeholders::ById, (true, false)),
        (Placeholders::Listed, (true, true)),
    ] {
        let (_platform, client) = start(Switches { placeholders, ..Switches::default() }).await;
        let folder = client.folder("a").await;
        assert_eq!(shows(&client, folder).await, expected, "{placeholders:?}");
    }
}

#[tokio::test]
async fn unknown_ids_are_skipped_or_refused() {
    let unknown = Uuid::new_v4();
    for (unknown_ids, status) in [(UnknownIds::Skip, 200), (UnknownIds::Reject, 403)] {
        let (_platform, client) = start(Switches { unknown_ids, ..Switches::default() }).await;
        let folder = client.folder("a").await;
        let item = client.items(folder, 1).await[0];
        let found = client.post("storage/items/get-bulk", &json!({ "itemUuids": [unknown, item] })).await;
        assert_eq!(found.status, status);
        if status == 200 {
            assert_eq!(found.json()["results"].as_array().unwrap().len(), 1);
        }
    }
}

#[tokio::test]
async fn duplicate_urls_are_skipped_as_the_switch_says() {
    for (duplicate_urls, hosted) in [(DuplicateUrls::All, 0), (DuplicateUrls::CloudOnly, 1)] {
        let switches = Switches { duplicate_urls, second_job: SecondJob::Duplicate, ..Switches::default() };
        let (_platform, client) = start(switches).await;
        let folder = client.folder("a").await;
        let mut items = images(&client.upload(folder, 1).await);
        let cloud = json!({ "objectUrl": "s3://bucket/a.jpg", "clientMetadata": { "a": 1 } });
        items["images"].as_array_mut().unwrap().push(cloud);
        client.poll(folder, client.start(folder, &job(&items, false)).await).await;
        items["skipDuplicateUrls"] = json!(true);
        items["upsertMetadata"] = json!(true);
        items["images"][1]["clientMetadata"] = json!({ "b": 2 });
        let again = client.poll(folder, client.start(folder, &job(&items, false)).await).await;
        assert_eq!(again["itemsWithNames"].as_array().unwrap().len(), hosted, "{duplicate_urls:?}");
        assert_eq!(again["unitsDoneCount"], json!(2));
        let listed = client.get(&format!("storage/folders/{folder}/items?search=a.jpg")).await.json();
        assert_eq!(listed["results"][0]["clientMetadata"], json!(r#"{"a":1,"b":2}"#));
        assert_eq!(listed["results"][0]["storageLocation"], json!("s3"));
    }
}

#[tokio::test]
async fn names_are_shuffled_if_asked_for() {
    let (_platform, client) = start(Switches { names_order: NamesOrder::Shuffled, ..Switches::default() }).await;
    let folder = client.folder("a").await;
    let done = client.poll(folder, client.start(folder, &job(&images(&client.upload(folder, 3).await), false)).await);
    let done = done.await;
    let names: Vec<_> = done["itemsWithNames"].as_array().unwrap().iter().map(|item| &item["name"]).collect();
    assert_ne!(names, ["0.jpg", "1.jpg", "2.jpg"]);
    assert_eq!(names.len(), 3);
}

#[tokio::test]
async fn a_group_is_one_item_and_fails_as_one() {
    let (platform, client) = start(Switches::default()).await;
    let folder = client.folder("a").await;
    let signed = client.upload(folder, 2).await;
    let missing = client.sign(folder, 1).await;
    let frame = |one: &Value| json!({ "url": one["objectKey"], "title": "f", "placeholderItemUuid": one["itemUuid"] });
    let items = json!({
        "imageGroups": [{ "images": [frame(&signed[0])], "title": "group", "clientMetadata": {}, "createVideo": true }],
        "dicomSeries": [{ "dicomFiles": [frame(&signed[1]), frame(&missing[0])], "title": "series" }],
    });
    let done = client.poll(folder, client.start(folder, &job(&items, true)).await).await;
    assert_eq!(done["itemsWithNames"].as_array().unwrap().len(), 1);
    assert_eq!(done["unitErrors"][0]["objectUrls"], json!([signed[1]["objectKey"], missing[0]["objectKey"]]));
    let made = platform.items(folder);
    assert_eq!((made.len(), made[1].item_type.as_str(), &made[1].children), (2, "imageSequence", &vec![made[0].uuid]));
    assert!(made[0].is_frame);
    let listed = client.get(&format!("storage/folders/{folder}/items")).await.json();
    assert_eq!(listed["results"].as_array().unwrap().len(), 1);

    platform.set_switches(Switches { frames_listed: true, ..Switches::default() });
    let listed = client.get(&format!("storage/folders/{folder}/items")).await.json();
    assert_eq!(listed["results"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_poll_is_held_until_the_job_ends() {
    let switches = Switches { job_time: Duration::from_millis(50), ..Switches::default() };
    let (platform, client) = start(switches).await;
    let folder = client.folder("a").await;
    let job_id = client.start(folder, &job(&json!({}), true)).await;
    assert_eq!(client.poll(folder, job_id).await["status"], json!("DONE"));
    assert_eq!(platform.count(Operation::GetJob), 1);
}

#[tokio::test]
async fn a_poll_is_not_held_longer_than_asked_for_and_a_job_can_be_cancelled() {
    let forever = Duration::from_secs(3600);
    let (platform, client) = start(Switches { job_time: forever, hold_limit: forever, ..Switches::default() }).await;
    let folder = client.folder("a").await;
    let job_id = client.start(folder, &job(&images(&client.upload(folder, 2).await), true)).await;
    let path = format!("storage/folders/{folder}/data-upload-jobs/{job_id}");
    let pending = client.get(&format!("{path}?timeoutSeconds=0")).await.json();
    assert_eq!((&pending["status"], &pending["unitsPendingCount"]), (&json!("PENDING"), &json!(2)));

    // A poll that is held learns of it at once.
    let cancel = format!("{path}/cancel");
    let (held, cancelled) = tokio::join!(client.poll(folder, job_id), async {
        while platform.count(Operation::GetJob) < 2 {
            tokio::task::yield_now().await;
        }
        client.send("POST", &cancel, "").await.unwrap().json()
    });
    assert_eq!(cancelled, json!({ "unitsCancelledCount": 2 }));
    assert_eq!((&held["status"], &held["unitsCancelledCount"]), (&json!("CANCELLED"), &json!(2)));
    assert_eq!(client.post(&cancel, &Value::Null).await.json(), json!({ "unitsCancelledCount": 0 }));
    assert_eq!(platform.items(folder), []);

    platform.set_switches(Switches { hold_limit: Duration::ZERO, job_time: forever, ..Switches::default() });
    let job_id = client.start(folder, &job(&json!({}), true)).await;
    assert_eq!(client.poll(folder, job_id).await["status"], json!("PENDING"));
}

#[tokio::test]
async fn jobs_run_when_they_are_told_to() {
    let forever = Duration::from_secs(3600);
    let (platform, client) = start(Switches { job_time: forever, hold_limit: forever, ..Switches::default() }).await;
    let folder = client.folder("a").await;
    let job_id = client.start(folder, &job(&images(&client.upload(folder, 1).await), true)).await;
    assert!(platform.jobs()[0].is_pending);
    platform.run_jobs();
    assert_eq!(client.poll(folder, job_id).await["status"], json!("DONE"));
}

#[tokio::test]
async fn what_was_uploaded_can_be_downloaded() {
    let (_platform, client) = start(Switches::default()).await;
    let folder = client.folder("a").await;
    let item = client.items(folder, 1).await[0];
    let found = client.post("storage/items/get-bulk", &json!({ "itemUuids": [item], "signUrls": true })).await.json();
    assert_eq!(get(found["results"][0]["signedUrl"].as_str().unwrap()).await.text, "bytes");
}

#[tokio::test]
async fn a_unit_fails_on_purpose() {
    let (platform, client) = start(Switches::default()).await;
    platform.set_faults("unit/1.*: fail=Corrupted%20file x1".parse().unwrap());
    let folder = client.folder("a").await;
    let job = job(&images(&client.upload(folder, 3).await), true);
    let done = client.poll(folder, client.start(folder, &job).await).await;
    assert_eq!((&done["errors"], platform.items(folder).len()), (&json!(["Corrupted file"]), 2));
    let again = client.poll(folder, client.start(folder, &job).await).await;
    assert_eq!((&again["errors"], platform.items(folder).len()), (&json!([]), 3));
}

#[tokio::test]
async fn what_befalls_requests_befalls_no_unit() {
    let forever = Duration::from_secs(3600);
    let (platform, client) = start(Switches { job_time: forever, ..Switches::default() }).await;
    let folder = client.folder("a").await;
    let job = client.start(folder, &job(&images(&client.upload(folder, 3).await), true)).await;
    platform.set_faults("*: 503".parse().unwrap());
    platform.run_jobs();
    platform.set_faults("".parse().unwrap());
    let done = client.poll(folder, job).await;
    assert_eq!((&done["errors"], platform.items(folder).len()), (&json!([]), 3));
}

#[tokio::test]
async fn limits_refuse_what_is_too_much() {
    let switches = Switches { sign_limit: 2, job_limit: 1, ids_limit: 1, ..Switches::default() };
    let (_platform, client) = start(switches).await;
    let folder = client.folder("a").await;
    let sign = format!("storage/folders/{folder}/upload-signed-urls");
    for count in [0, 3] {
        let refused = client.post(&sign, &json!({ "itemType": "image", "count": count })).await;
        assert_eq!((refused.status, refused.text.as_str()), (400, r#"{"message":"count must be from 1 to 2"}"#));
    }
    let two = images(&client.sign(folder, 2).await);
    let refused = client.post(&format!("storage/folders/{folder}/data-upload-jobs"), &job(&two, true)).await;
    assert_eq!((refused.status, refused.text.as_str()), (413, r#"{"message":"at most 1 units in a job"}"#));
    let ids = [Uuid::new_v4(), Uuid::new_v4()];
    let refused = client.post("storage/items/get-bulk", &json!({ "itemUuids": ids })).await;
    assert_eq!((refused.status, refused.text.as_str()), (413, r#"{"message":"at most 1 ids in a request"}"#));
}

#[tokio::test]
async fn a_job_can_be_asked_for_as_long_as_the_switch_says() {
    let place = tempfile::tempdir().unwrap();
    let first = builder().folder(place.path()).start().await.unwrap();
    let client = Client::new(&first);
    let folder = client.folder("a").await;
    let job_id = client.start(folder, &job(&json!({}), true)).await;
    client.poll(folder, job_id).await;
    first.shutdown().await;
    let path = format!("storage/folders/{folder}/data-upload-jobs/{job_id}?timeoutSeconds=1");
    for (seconds, status) in [(60, 200), (61, 404)] {
        let switches = Switches { job_retention: Duration::from_secs(60), ..Switches::default() };
        let later = builder().folder(place.path()).switches(switches).clock(after(seconds)).start().await.unwrap();
        let mut client = Client::new(&later);
        client.created += seconds;
        assert_eq!(client.get(&path).await.status, status);
        later.shutdown().await;
    }
}

#[tokio::test]
async fn a_placeholder_can_be_registered_as_long_as_the_switch_says() {
    for (seconds, status) in [(60, "DONE"), (61, "ERROR")] {
        let place = tempfile::tempdir().unwrap();
        let first = builder().folder(place.path()).start().await.unwrap();
        let client = Client::new(&first);
        let folder = client.folder("a").await;
        let signed = client.upload(folder, 1).await;
        first.shutdown().await;

        let switches = Switches { placeholder_life: Duration::from_secs(60), ..Switches::default() };
        let later = builder().folder(place.path()).switches(switches).clock(after(seconds)).start().await.unwrap();
        let mut client = Client::new(&later);
        client.created += seconds;
        let job = client.start(folder, &job(&images(&signed), false)).await;
        assert_eq!(client.poll(folder, job).await["status"], json!(status));
    }
}

#[tokio::test]
async fn signed_urls_are_good_as_the_switches_say() {
    let (platform, client) = start(Switches::default()).await;
    let folder = client.folder("a").await;
    let signed = client.sign(folder, 1).await;
    assert_eq!((put(&signed[0], "1").await.status, put(&signed[0], "22").await.status), (200, 200));
    assert!(signed[0]["signedUrl"].as_str().unwrap().contains("Expires=3600&"));

    let switches =
        Switches { url_once: true, upload_headers: true, url_life: Duration::from_secs(5), ..Switches::default() };
    platform.set_switches(switches);
    let mut signed = client.sign(folder, 2).await;
    assert!(signed[0]["signedUrl"].as_str().unwrap().contains("Expires=5&"));
    assert_eq!((put(&signed[0], "1").await.status, put(&signed[0], "22").await.status), (200, 412));
    signed[1]["uploadHeaders"] = json!({});
    assert_eq!(put(&signed[1], "1").await.status, 400);
}
