//! Round trips with the emulator of the platform, in which another hand has checked every signature.

use encord_client::{
    DuplicatesBehavior, EncordUserClient, FileKind, FolderFilter, FolderUrls, ItemFilter, ItemId, JobOptions,
    NewDataset, NewFolder, ProjectFilter, RowFilter, SshPrivateKey, UploadUnit, get_all_model_iteration_uids,
};
use encord_dev_platform::{DevPlatform, Operation, Running};
use encord_http_settings::CloudUploadSettings;
use encord_upload::{UploadItem, Uploader};
use futures_util::StreamExt as _;

async fn start(switches: &str) -> (Running, EncordUserClient) {
    let platform = DevPlatform::builder().switches(switches.parse().unwrap()).demo(true).start().await.unwrap();
    let key = SshPrivateKey::from_text(&platform.key().to_openssh()).unwrap();
    let client = EncordUserClient::builder(key).domain(platform.domain().parse().unwrap()).build().unwrap();
    (platform, client)
}

/// Files on disk become items of a folder and rows of a dataset.
async fn all_the_way(switches: &str) {
    let (platform, client) = start(switches).await;
    let token = client.get_bearer_token().await.unwrap();
    assert_eq!(token.secret(), platform.token());

    let parent = client.create_storage_folder(&NewFolder::new("photos")).await.unwrap();
    let new = NewFolder { parent: Some(parent.uuid), ..NewFolder::new("2024") };
    let folder = client.create_storage_folder(&new).await.unwrap();
    assert_eq!(client.resolve_folder("photos/2024").await.unwrap(), folder.uuid);
    assert_eq!(client.resolve_folder("2024").await.unwrap(), folder.uuid);
    let roots = client.list_storage_folders(&FolderFilter::default()).all().await.unwrap();
    assert!(roots.iter().any(|root| root.uuid == parent.uuid));

    let files = tempfile::tempdir().unwrap();
    let paths: Vec<_> = (0..5).map(|n| files.path().join(format!("{n}.png"))).collect();
    for path in &paths {
        std::fs::write(path, path.display().to_string()).unwrap();
    }
    let folder = client.folder(folder.uuid);
    let urls = FolderUrls::new(folder.clone());
    let uploader = Uploader::new(folder.http_client(), CloudUploadSettings::default()).source(urls.clone());
    uploader.upload(paths.iter().map(UploadItem::unsigned), |_| ()).await.unwrap();
    let units: Vec<_> = paths.iter().map(|path| UploadUnit::file(FileKind::Image, urls.take(path).unwrap())).collect();
    let options = JobOptions { ignore_errors: true, ..JobOptions::default() };
    let state = folder.start_upload_job(&units, &options).await.unwrap().until_done().await.unwrap();
    assert_eq!((state.units_done_count, state.units_error_count), (5, 0), "{state:?}");

    let filter = ItemFilter { page_size: 2, ..ItemFilter::default() };
    let items = folder.list_items(&filter).all().await.unwrap();
    let names: Vec<_> = items.iter().map(|item| item.name.as_str()).collect();
    assert_eq!(names, ["0.png", "1.png", "2.png", "3.png", "4.png"]);
    let ids: Vec<ItemId> = items.iter().map(|item| item.uuid).collect();
    assert_eq!(client.get_storage_items(&ids, false).await.unwrap().len(), 5);
    assert_eq!(folder.summary().await.unwrap().images, 5);

    let dataset = client.create_dataset(&NewDataset::new("cats")).await.unwrap();
    let dataset = client.dataset(dataset.dataset_uuid);
    dataset.link_items(&ids, DuplicatesBehavior::Skip).await.unwrap();
    dataset.link_items(&ids, DuplicatesBehavior::Skip).await.unwrap();
    let rows = dataset.list_rows(&RowFilter::default()).await.unwrap();
    let mut linked: Vec<_> = rows.iter().filter_map(|row| row.backing_item_uuid).collect();
    linked.sort();
    let mut wanted = ids.clone();
    wanted.sort();
    assert_eq!(linked, wanted, "each item is one row");
    assert_eq!(client.resolve_dataset("cats").await.unwrap(), dataset.id());

    folder.delete_items(&ids[..1], true).await.unwrap();
    assert_eq!(folder.list_items(&ItemFilter::default()).all().await.unwrap().len(), 4);
    platform.shutdown().await;
}

#[tokio::test]
async fn files_become_items_and_rows_under_the_likely_switches() {
    Box::pin(all_the_way("")).await;
}

#[tokio::test]
async fn files_become_items_and_rows_under_the_worst_switches() {
    Box::pin(all_the_way("worst")).await;
}

#[tokio::test]
async fn the_uids_of_a_project_are_there_in_both_forms() {
    let (_platform, client) = start("").await;
    let project = client.list_projects(&ProjectFilter::default()).next().await.unwrap().unwrap();
    let project = client.project(project.project_hash);
    let seed = project.list_models().await.unwrap();
    let seed: Vec<_> = get_all_model_iteration_uids(&seed).into_iter().map(str::to_owned).collect();
    let current = project.list_model_attachments().await.unwrap();
    let current: Vec<_> = get_all_model_iteration_uids(&current).into_iter().map(str::to_owned).collect();
    assert!(!seed.is_empty());
    assert_eq!(seed, current);
}

#[tokio::test]
async fn c1_a_job_whose_answer_was_lost_is_not_started_again() {
    let (platform, client) = start("").await;
    platform.set_faults("start-job: reset-after x1".parse().unwrap());
    let folder = client.create_storage_folder(&NewFolder::new("f")).await.unwrap();
    let error = client.folder(folder.uuid).start_upload_job(&[], &JobOptions::default()).await.unwrap_err();
    assert_eq!(error.effect(), encord_client::Effect::Unknown, "{error}");
    assert_eq!(platform.count(Operation::StartJob), 1);
    assert_eq!(platform.jobs().len(), 1, "it runs all the same");
}

/// 100,000 items in pages of 1,000, one page at a time.
#[tokio::test]
async fn a_folder_of_a_hundred_thousand_items_is_listed() {
    let (platform, client) = start("").await;
    let folder = client.create_storage_folder(&NewFolder::new("f")).await.unwrap();
    platform.add_items(folder.uuid.into(), 100_000).unwrap();
    let filter = ItemFilter { page_size: 1_000, ..ItemFilter::default() };
    let count =
        client.folder(folder.uuid).list_items(&filter).fold(0, async |count, item| count + usize::from(item.is_ok()));
    assert_eq!(count.await, 100_000);
    assert_eq!(platform.count(Operation::ListItems), 100);
}
