//! Judgement 1: what the SDK sends and what we send for the same call, byte for byte, signatures included.

use std::collections::BTreeMap;

use encord_client::{
    DataType, DatasetFilter, DuplicatesBehavior, EncordUserClient, Error, FileKind, FileUnit, Folder, FolderFilter,
    GroupKind, GroupUnit, ItemFilter, JobOptions, List, NewDataset, NewFolder, ProjectFilter, RowFilter, SortBy,
    StorageItemType, UploadUnit, UploadedObject,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::support::{Answer, Server, id, uuid, vectors};

#[derive(Deserialize)]
struct Call {
    name: String,
    exchanges: Vec<Exchange>,
}

#[derive(Clone, Deserialize)]
struct Exchange {
    method: String,
    target: String,
    headers: BTreeMap<String, String>,
    body: String,
    answer: String,
}

/// The requests of the SDK that we do not make: it fetches a record before each call, we know the id.
fn differs(call: &str, exchange: &Exchange) -> bool {
    let fetches_folder =
        exchange.method == "GET" && exchange.target == format!("/v2/public/storage/folders/{}", uuid(1));
    let fetches_dataset = exchange.body.starts_with(r#"{"query_type": "dataset", "#);
    // Of a project it fetches the ontology too.
    let fetches_ontology =
        exchange.target.contains("/ontologies/") || exchange.body.contains(r#""query_type": "ontology""#);
    let fetches_project = exchange.body.contains(r#""query_type": "project""#);
    (fetches_folder && call != "get folder")
        || (fetches_dataset && call != "get dataset")
        || fetches_ontology
        || fetches_project
}

/// The user's own objects are sent in the order of their names, by the SDK in that of their making. So these bodies are equal as JSON
/// only, and their digests and signatures are not.
const BY_NAME: [&str; 2] = ["start job, images", "start job, mixed"];

#[tokio::test]
async fn c6_the_requests_are_those_of_the_current_sdk() {
    let calls: Vec<Call> = serde_json::from_str(&vectors("requests_current.json")).unwrap();
    assert!(calls.len() >= 50, "{} calls", calls.len());
    for call in calls {
        check(&call, true).await;
    }
}

/// It has no trace id of its own to be compared.
#[tokio::test]
async fn c6_the_models_are_asked_for_as_by_the_seed_sdk() {
    let calls: Vec<Call> = serde_json::from_str(&vectors("requests_seed.json")).unwrap();
    assert_eq!(calls.len(), 1);
    for call in calls {
        check(&call, false).await;
    }
}

async fn check(Call { name, exchanges }: &Call, trace: bool) {
    let exchanges: Vec<_> = exchanges.iter().filter(|exchange| !differs(name, exchange)).cloned().collect();
    let answers: Vec<_> = exchanges.iter().map(|exchange| Answer::json(&exchange.answer)).collect();
    let server = Server::script(answers).await;
    make(name, &server.client()).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    let seen = server.seen();
    assert_eq!(seen.len(), exchanges.len(), "{name}: {seen:?}");
    for (ours, theirs) in seen.iter().zip(&exchanges) {
        assert_eq!((&ours.method, &ours.target), (&theirs.method, &theirs.target), "{name}");
        if BY_NAME.contains(&name.as_str()) {
            let [ours, theirs] = [&ours.body, &theirs.body].map(|body| serde_json::from_str::<Value>(body).unwrap());
            assert_eq!(ours, theirs, "{name}");
            continue;
        }
        assert_eq!(ours.body, theirs.body, "{name}");
        let names =
            "accept authorization content-digest content-type resourceid resourcetype signature signature-input";
        for header in names.split(' ').chain(trace.then_some("x-cloud-trace-context")) {
            assert_eq!(ours.headers.get(header), theirs.headers.get(header), "{name}: {header}");
        }
    }
}

#[expect(clippy::too_many_lines, reason = "a line or two for each call")]
async fn make(call: &str, client: &EncordUserClient) -> Result<(), Error> {
    let folder = client.folder(id(1));
    let dataset = client.dataset(id(6));
    let project = client.project(id(7));
    let items = [id(3), id(4)];
    let some = |text: &str| Some(text.to_owned());
    if let Some(kind) = call.strip_prefix("sign ") {
        let item_type = StorageItemType::from_value(kind);
        assert_eq!(folder.upload_signed_urls(item_type, 2).await?.len(), 2);
        return Ok(());
    }
    if let Some(units) = call.strip_prefix("start job, ") {
        return start(&folder, units).await;
    }
    if let Some(behavior) = call.strip_prefix("link items, ") {
        let behavior = serde_json::from_value::<DuplicatesBehavior>(behavior.into()).unwrap();
        return dataset.link_items(&items, behavior).await.map(|rows| assert_eq!(rows.len(), 1));
    }
    match call {
        "bearer token" => client.get_bearer_token().await.map(|token| assert_eq!(token.secret(), "t")),
        "create folder" => {
            let metadata = json!({"job": 7}).as_object().cloned();
            let new = NewFolder { client_metadata: metadata, ..NewFolder::new("batch") };
            client.create_storage_folder(&new).await.map(drop)
        }
        "create folder in a folder" => {
            let new = NewFolder {
                name: "Ünïcode & 猫".to_owned(),
                description: some("d\n"),
                parent: Some(id(2)),
                client_metadata: json!({"k": [1, 2.5, null, "ü"]}).as_object().cloned(),
            };
            client.create_storage_folder(&new).await.map(drop)
        }
        "get folder" => client.get_storage_folder(id(1)).await.map(drop),
        "list folders" => count(client.list_storage_folders(&FolderFilter::default()), 1).await,
        "list folders, narrowly" => {
            let filter = FolderFilter {
                search: some("a b&c/ü"),
                dataset_synced: Some(true),
                include_org_access: Some(true),
                order: SortBy::CreatedAt,
                desc: true,
                page_size: 2,
            };
            count(client.list_storage_folders(&filter), 2).await
        }
        "find folders" => {
            let filter = FolderFilter { search: some("x"), dataset_synced: Some(false), ..FolderFilter::default() };
            count(client.find_storage_folders(&filter), 1).await
        }
        "list subfolders" => count(folder.list_subfolders(&FolderFilter::default()), 1).await,
        "find subfolders" => {
            let filter = FolderFilter { search: some("x"), ..FolderFilter::default() };
            count(folder.find_subfolders(&filter), 1).await
        }
        "summary" => folder.summary().await.map(|summary| assert_eq!(summary.upload_jobs, 1)),
        "delete folder" => folder.delete().await,
        "list items" => count(folder.list_items(&ItemFilter::default()), 1).await,
        "list items, narrowly" => {
            let filter = ItemFilter {
                search: some("x"),
                is_in_dataset: Some(false),
                item_types: vec![StorageItemType::Image, StorageItemType::DicomSeries],
                order: SortBy::CreatedAt,
                desc: true,
                page_size: 1000,
                sign_urls: true,
                include_client_metadata: false,
            };
            count(folder.list_items(&filter), 1).await
        }
        "get item" => client.get_storage_item(id(3), false).await.map(drop),
        "get item with a URL" => client.get_storage_item(id(3), true).await.map(drop),
        "get items" => client.get_storage_items(&items, false).await.map(|items| assert_eq!(items.len(), 1)),
        "get items with URLs" => client.get_storage_items(&items[..1], true).await.map(drop),
        "delete items" => {
            folder.delete_items(&items, true).await.map(|deleted| assert_eq!(deleted.removed_items_count, 1))
        }
        "job state" => folder.upload_job(id(5)).until_done().await.map(|state| assert!(state.has_ended())),
        "cancel job" => folder.upload_job(id(5)).cancel().await.map(|count| assert_eq!(count, 2)),
        "create dataset" => client.create_dataset(&NewDataset::new("ds ü")).await.map(drop),
        "create mirrored dataset" => {
            let new = NewDataset { title: "ds ü".to_owned(), description: some("d"), create_backing_folder: true };
            client.create_dataset(&new).await.map(drop)
        }
        "list datasets" => client.list_datasets(&DatasetFilter::default()).await.map(drop),
        "list datasets, narrowly" => {
            let filter = DatasetFilter {
                title_eq: some("a"),
                title_like: some("%b%"),
                description_eq: some("c"),
                description_like: some("d"),
                include_org_access: true,
                ..DatasetFilter::default()
            };
            client.list_datasets(&filter).await.map(drop)
        }
        "get dataset" => client.get_dataset(id(6)).await.map(drop),
        "list rows" => dataset.list_rows(&RowFilter::default()).await.map(|rows| assert_eq!(rows.len(), 1)),
        "list rows, narrowly" => {
            let filter = RowFilter {
                title_eq: some("a"),
                title_like: some("ü"),
                data_types: vec![DataType::Image, DataType::DicomStudy],
                data_hashes: Some(vec![uuid(3)]),
                ..RowFilter::default()
            };
            dataset.list_rows(&filter).await.map(drop)
        }
        "get project" => client.get_project(id(7)).await.map(drop),
        "list projects" => count(client.list_projects(&ProjectFilter::default()), 1).await,
        "list projects, narrowly" => {
            let filter = ProjectFilter {
                title_eq: some("a"),
                title_like: some("%b%"),
                desc_eq: some("c"),
                desc_like: some("d"),
                include_org_access: true,
                tags_anyof: vec!["x".to_owned(), "y z".to_owned()],
                ..ProjectFilter::default()
            };
            count(client.list_projects(&filter), 1).await
        }
        "list model attachments" => project.list_model_attachments().await.map(|models| assert_eq!(models.len(), 2)),
        "list models" => project.list_models().await.map(|models| assert_eq!(models.len(), 2)),
        _ => panic!("no such call: {call}"),
    }
}

async fn count<T>(list: List<T>, expected: usize) -> Result<(), Error> {
    list.all().await.map(|records| assert_eq!(records.len(), expected))
}

fn object(key: &str, title: Option<&str>, item: Option<u32>) -> UploadedObject {
    UploadedObject { object_key: key.to_owned(), item_uuid: item.map(id), title: title.map(str::to_owned) }
}

fn file(kind: FileKind, object: UploadedObject, media_metadata: Option<Value>) -> UploadUnit {
    let media_metadata = media_metadata.and_then(|metadata| metadata.as_object().cloned());
    UploadUnit::File(FileUnit { kind, object, client_metadata: Map::new(), media_metadata })
}

fn files(kind: &str) -> Vec<UploadUnit> {
    let title = |kind, key, title| vec![file(kind, object(key, Some(title), Some(3)), None)];
    match kind {
        "images" => {
            let metadata = json!({"mimeType": "image/png", "fileSize": 3, "height": 2, "width": 1});
            vec![
                file(FileKind::Image, object("k/1", Some("a.png"), Some(3)), None),
                UploadUnit::File(FileUnit {
                    kind: FileKind::Image,
                    object: object("k/2", None, None),
                    client_metadata: json!({"k": "ü"}).as_object().cloned().unwrap(),
                    media_metadata: metadata.as_object().cloned(),
                }),
            ]
        }
        "videos" => title(FileKind::Video, "k/3", "v.mp4"),
        "audio" => title(FileKind::Audio, "k/4", "s.wav"),
        "nifti" => title(FileKind::Nifti, "k/5", "n.nii"),
        "text" => title(FileKind::Text, "k/6", "t.txt"),
        "pdf" => {
            vec![file(FileKind::Pdf, object("k/7", None, Some(3)), Some(json!({"fileSize": 9, "numPages": 1})))]
        }
        "time_series" => title(FileKind::TimeSeries, "k/8", "s.csv"),
        _ => panic!("no such files: {kind}"),
    }
}

async fn start(folder: &Folder, units: &str) -> Result<(), Error> {
    let images = || vec![object("k/1", Some("1.png"), Some(3)), object("k/2", Some("2.png"), Some(4))];
    let group = |kind, objects, title: &str, metadata: Value| {
        UploadUnit::Group(GroupUnit {
            kind,
            objects,
            title: Some(title.to_owned()),
            client_metadata: metadata.as_object().cloned().unwrap(),
        })
    };
    let dicom = || group(GroupKind::DicomSeries, vec![object("k/1", Some("a.dcm"), Some(3))], "S", json!({"a": 1}));
    let careless = JobOptions { ignore_errors: true, ..JobOptions::default() };
    let (units, options) = match units {
        "group" => (vec![group(GroupKind::ImageGroup, images(), "g", json!({}))], careless),
        "sequence" => (vec![group(GroupKind::ImageSequence, images(), "g", json!({}))], careless),
        "dicom" => (vec![dicom()], careless),
        "mixed" => {
            let kinds = ["images", "videos", "audio", "nifti", "text", "pdf", "time_series"];
            let units = kinds.into_iter().flat_map(files).chain([dicom()]).collect();
            (units, JobOptions { skip_duplicate_urls: true, upsert_metadata: true, ..JobOptions::default() })
        }
        kind => (files(kind), careless),
    };
    let job = folder.start_upload_job(&units, &options).await?;
    assert_eq!(job.id(), id(5));
    Ok(())
}
