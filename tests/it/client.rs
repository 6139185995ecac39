//! The client and the SDKs: the recordings are what the SDKs say today, and what one of us makes the other lists.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use encord::client::signature::{sign_digest, sign_message};
use encord::client::{
    DuplicatesBehavior, FileKind, FolderUrls, ItemFilter, ItemId, JobOptions, NewDataset, NewFolder, ProjectFilter,
    RowFilter, SshPrivateKey, UploadUnit, get_all_model_iteration_uids,
};
use encord::upload::{UploadItem, Uploader};
use encord::{CloudUploadSettings, EncordUserClient};
use encord_dev_platform::{DevPlatform, Running};
use serde_json::{Value, json};

use crate::peers;
use crate::support::chance::Chance;

/// What a script says; `None` where its SDK is not installed.
#[track_caller]
pub(crate) fn ask(sdk: &str, script: &str, arguments: &[&str], input: &str, key: &str) -> Option<String> {
    let python = peers::sdk_python(sdk)?;
    let home = tempfile::tempdir().unwrap();
    let mut child = Command::new(python)
        .arg(format!("{}/python/{script}.py", env!("CARGO_MANIFEST_DIR")))
        .args(arguments)
        // No proxy.
        .env_clear()
        .env("HOME", home.path())
        .env("ENCORD_SSH_KEY", key)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Python reads all before it writes, so this cannot block for good.
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{script}.py: {}", output.status);
    Some(String::from_utf8(output.stdout).unwrap())
}

fn recorded(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/platform").join(name);
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn c6_the_recorded_requests_are_those_of_the_sdks() {
    for sdk in ["current", "seed"] {
        let Some(asked) = ask(sdk, "platform_requests", &[], "", "") else { return };
        let [asked, recorded] = [asked, recorded(&format!("requests_{sdk}.json"))]
            .map(|text| serde_json::from_str::<Value>(&text).unwrap());
        assert_eq!(with_any_trace_id(asked), with_any_trace_id(recorded), "{sdk}");
    }
}

/// The seed SDK takes none from outside.
fn with_any_trace_id(mut calls: Value) -> Value {
    for call in calls.as_array_mut().unwrap() {
        for exchange in call["exchanges"].as_array_mut().unwrap() {
            exchange["headers"].as_object_mut().unwrap().remove("x-cloud-trace-context");
        }
    }
    calls
}

#[test]
fn c5_the_recorded_answers_are_those_that_the_sdk_takes() {
    let Some(asked) = ask("current", "platform_answers", &[], "", "") else { return };
    assert_eq!(asked, recorded("answers.json"));
}

#[test]
fn c4_the_recorded_keys_are_those_that_the_sdk_takes() {
    let keys: Vec<Value> = serde_json::from_str(&recorded("keys.json")).unwrap();
    // The SDK's own dependencies cannot decrypt a key.
    let plain: Vec<_> = keys.into_iter().filter(|key| key["password"].is_null()).collect();
    let Some(asked) = ask("current", "platform_keys", &["-"], &json!(plain).to_string(), "") else { return };
    let asked: Vec<Value> = serde_json::from_str(&asked).unwrap();
    for (asked, recorded) in asked.iter().zip(&plain) {
        assert_eq!(asked["key_id"], recorded["key_id"], "{}", asked["name"]);
    }
    assert_eq!(asked.len(), plain.len());
}

#[test]
fn c6_the_sdk_signs_new_random_requests_as_we_do() {
    let seed = Chance::new().between(1, 1 << 30).to_string();
    let Some(asked) = ask("current", "platform_signatures", &["1000", &seed], "", "") else { return };
    let key = SshPrivateKey::from_text(include_str!("../../crates/encord-client/src/key/test_key.txt")).unwrap();
    let mut count = 0;
    for line in asked.lines() {
        let parts: Vec<Value> = serde_json::from_str(line).unwrap();
        let text = |at: usize| parts[at].as_str().unwrap();
        if let Some(created) = parts.get(3).and_then(Value::as_u64) {
            let signed = sign_message(&key, text(0), text(1), text(2).as_bytes(), created);
            assert_eq!(signed.signature, text(4), "seed {seed}: {line}");
        } else {
            assert_eq!(sign_digest(&key, text(0).as_bytes()), text(1), "seed {seed}: {line}");
        }
        count += 1;
    }
    assert_eq!(count, 1000);
}

async fn start(switches: &str) -> (Running, EncordUserClient) {
    let platform = DevPlatform::builder().switches(switches.parse().unwrap()).demo(true).start().await.unwrap();
    let key = SshPrivateKey::from_text(&platform.key().to_openssh()).unwrap();
    let client = EncordUserClient::builder(key).domain(platform.domain().parse().unwrap()).build().unwrap();
    (platform, client)
}

/// Ours is listed by the SDK, the SDK's by us.
async fn both_ways(switches: &str) {
    let (platform, client) = start(switches).await;
    let files = tempfile::tempdir().unwrap();
    let paths: Vec<_> = (0..3).map(|n| files.path().join(format!("{n}.png"))).collect();
    for path in &paths {
        std::fs::write(path, path.display().to_string()).unwrap();
    }
    let folder = client.create_storage_folder(&NewFolder::new("by us")).await.unwrap();
    let folder = client.folder(folder.uuid);
    let urls = FolderUrls::new(folder.clone());
    let uploader = Uploader::new(folder.http_client(), CloudUploadSettings::default()).source(urls.clone());
    uploader.upload(paths.iter().map(UploadItem::unsigned), |_| ()).await.unwrap();
    let units: Vec<_> = paths.iter().map(|path| UploadUnit::file(FileKind::Image, urls.take(path).unwrap())).collect();
    folder.start_upload_job(&units, &JobOptions::default()).await.unwrap().until_done().await.unwrap();
    let items = folder.list_items(&ItemFilter::default()).all().await.unwrap();
    let ids: Vec<ItemId> = items.iter().map(|item| item.uuid).collect();
    let dataset = client.create_dataset(&NewDataset::new("by us")).await.unwrap();
    client.dataset(dataset.dataset_uuid).link_items(&ids, DuplicatesBehavior::Skip).await.unwrap();

    let question =
        json!({"domain": platform.domain(), "folder": folder.id(), "dataset": dataset.dataset_uuid, "paths": paths});
    let key = platform.key().to_openssh();
    let asked =
        tokio::task::spawn_blocking(move || ask("current", "platform_roundtrip", &[], &question.to_string(), &key));
    let Some(answer) = asked.await.unwrap() else { return };
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let ours: Value = items.iter().map(|item| (item.name.clone(), json!(item.uuid))).collect();
    assert_eq!(answer["items"], ours);
    assert_eq!(answer["rows"], ours);

    let theirs = client.folder(answer["folder"].as_str().unwrap().parse().unwrap());
    let listed = theirs.list_items(&ItemFilter::default()).all().await.unwrap();
    let mut listed: Vec<_> = listed.iter().map(|item| item.uuid.to_string()).collect();
    let rows = client.dataset(answer["dataset"].as_str().unwrap().parse().unwrap());
    let rows = rows.list_rows(&RowFilter::default()).await.unwrap();
    let mut linked: Vec<_> = rows.iter().map(|row| row.backing_item_uuid.unwrap().to_string()).collect();
    let mut made: Vec<_> =
        answer["made"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect();
    for ids in [&mut listed, &mut linked, &mut made] {
        ids.sort();
    }
    assert_eq!((&listed, &linked), (&made, &made));
}

#[tokio::test]
async fn what_one_makes_the_other_lists_under_the_likely_switches() {
    Box::pin(both_ways("")).await;
}

#[tokio::test]
async fn what_one_makes_the_other_lists_under_the_worst_switches() {
    Box::pin(both_ways("worst")).await;
}

#[tokio::test]
async fn g1_the_uids_are_those_of_the_seed_sdk_on_the_same_emulator() {
    let (platform, client) = start("").await;
    let project = client.list_projects(&ProjectFilter::default()).next().await.unwrap().unwrap().project_hash;
    let question = json!({"domain": platform.domain(), "project": project});
    let key = platform.key().to_openssh();
    let asked =
        tokio::task::spawn_blocking(move || ask("seed", "platform_roundtrip", &[], &question.to_string(), &key));
    let Some(answer) = asked.await.unwrap() else { return };
    let theirs: Vec<String> = serde_json::from_str(&answer).unwrap();
    let project = client.project(project);
    let (seed, current) = (project.list_models().await.unwrap(), project.list_model_attachments().await.unwrap());
    for mut ours in
        [Vec::from_iter(get_all_model_iteration_uids(&seed)), Vec::from_iter(get_all_model_iteration_uids(&current))]
    {
        ours.sort_unstable();
        assert_eq!(ours, theirs);
    }
}
