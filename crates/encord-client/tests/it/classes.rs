//! What is sent once, what is sent again, and what can be known of it afterwards (C1, C6, C7).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use encord_client::{
    DuplicatesBehavior, Effect, EncordUserClient, Error, ErrorKind, FolderFilter, JobOptions, NewDataset, NewFolder,
    RequestsSettings, StorageItemType,
};
use encord_http_settings::{BackoffFactor, Timeout};

use crate::support::{Answer, Server, id};

#[derive(Clone, Copy, Debug)]
enum Call {
    CreateFolder,
    CreateDataset,
    StartJob,
    LinkAndFail,
    LinkAndDuplicate,
    LinkAndSkip,
    Sign,
    Cancel,
    DeleteItems,
    DeleteFolder,
    GetBulk,
    Rows,
    List,
}

const ONCE: [Call; 5] =
    [Call::CreateFolder, Call::CreateDataset, Call::StartJob, Call::LinkAndFail, Call::LinkAndDuplicate];
const AGAIN: [Call; 8] = [
    Call::LinkAndSkip,
    Call::Sign,
    Call::Cancel,
    Call::DeleteItems,
    Call::DeleteFolder,
    Call::GetBulk,
    Call::Rows,
    Call::List,
];

async fn make(call: Call, client: &EncordUserClient) -> Result<(), Error> {
    let folder = client.folder(id(1));
    let dataset = client.dataset(id(6));
    let link = async |behavior| dataset.link_items(&[id(3)], behavior).await.map(drop);
    match call {
        Call::CreateFolder => client.create_storage_folder(&NewFolder::new("f")).await.map(drop),
        Call::CreateDataset => client.create_dataset(&NewDataset::new("d")).await.map(drop),
        Call::StartJob => folder.start_upload_job(&[], &JobOptions::default()).await.map(drop),
        Call::LinkAndFail => link(DuplicatesBehavior::Fail).await,
        Call::LinkAndDuplicate => link(DuplicatesBehavior::Duplicate).await,
        Call::LinkAndSkip => link(DuplicatesBehavior::Skip).await,
        Call::Sign => folder.upload_signed_urls(StorageItemType::Image, 1).await.map(drop),
        Call::Cancel => folder.upload_job(id(5)).cancel().await.map(drop),
        Call::DeleteItems => folder.delete_items(&[id(3)], true).await.map(drop),
        Call::DeleteFolder => folder.delete().await,
        Call::GetBulk => client.get_storage_items(&[id(3)], false).await.map(drop),
        Call::Rows => dataset.list_rows(&encord_client::RowFilter::default()).await.map(drop),
        Call::List => client.list_storage_folders(&FolderFilter::default()).all().await.map(drop),
    }
}

#[tokio::test]
async fn c1_what_makes_something_is_sent_once_whatever_happens() {
    let busy = Answer::status(503, &"").header("Retry-After", "0");
    for answer in [busy, Answer::status(500, &""), Answer::status(429, &""), Answer::HangUp] {
        for call in ONCE {
            let server = Server::script([answer.clone()]).await;
            let error = make(call, &server.client()).await.unwrap_err();
            assert_eq!(server.seen().len(), 1, "{call:?} {answer:?}");
            let refused = matches!(answer, Answer::Reply { status: 429, .. });
            let effect = if refused { Effect::Refused } else { Effect::Unknown };
            assert_eq!(error.effect(), effect, "{call:?} {answer:?}: {error}");
        }
    }
}

#[tokio::test]
async fn c1_what_makes_something_is_sent_once_when_a_clock_runs_out() {
    for call in ONCE {
        let server = Server::script([Answer::Silence]).await;
        let settings = RequestsSettings {
            connect_timeout: Timeout::new(Duration::from_millis(30)).unwrap(),
            backoff_factor: BackoffFactor::new(0.001).unwrap(),
            ..RequestsSettings::default()
        };
        let error = make(call, &server.builder().settings(settings).build().unwrap()).await.unwrap_err();
        assert_eq!(server.seen().len(), 1, "{call:?}");
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Transport, Effect::Unknown), "{call:?}: {error}");
    }
}

#[tokio::test]
async fn c1_a_connection_that_was_not_made_is_tried_again_for_every_call() {
    let settings = RequestsSettings {
        max_retries: 0,
        connection_retries: 2,
        backoff_factor: BackoffFactor::new(0.001).unwrap(),
        ..RequestsSettings::default()
    };
    for call in ONCE.into_iter().chain(AGAIN) {
        // Nobody listens there.
        let key = crate::support::key();
        let client = EncordUserClient::builder(key)
            .domain("http://127.0.0.1:1".parse().unwrap())
            .settings(settings)
            .build()
            .unwrap();
        let error = make(call, &client).await.unwrap_err();
        assert_eq!(error.attempts().len(), 3, "{call:?}: {error}");
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Transport, Effect::NeverSent), "{call:?}: {error}");
        assert!(error.is_transient(), "{call:?}: {error}");
    }
}

#[tokio::test]
async fn c7_what_can_be_repeated_is_repeated_as_the_settings_say() {
    for answer in [Answer::status(503, &""), Answer::HangUp] {
        for call in AGAIN {
            let server = Server::script([answer.clone()]).await;
            let error = make(call, &server.client()).await.unwrap_err();
            assert_eq!(server.seen().len(), 4, "{call:?} {answer:?}: {error}");
            assert_eq!(error.attempts().len(), 4, "{call:?} {answer:?}: {error}");
        }
    }
}

/// 403 is final for every call.
#[tokio::test]
async fn c1_a_refusal_is_not_repeated() {
    for call in ONCE.into_iter().chain(AGAIN) {
        let server = Server::script([Answer::status(403, &r#"{"message": "no"}"#)]).await;
        let error = make(call, &server.client()).await.unwrap_err();
        assert_eq!(server.seen().len(), 1, "{call:?}");
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Authorisation, Effect::Refused), "{call:?}: {error}");
        assert_eq!(error.message(), Some("no"), "{call:?}");
        assert!(!error.is_transient(), "{call:?}");
    }
}

#[tokio::test]
async fn c6_each_attempt_is_signed_anew_under_the_same_trace_id() {
    let server = Server::script([Answer::HangUp, Answer::status(503, &""), Answer::json(&r#"{"results": []}"#)]).await;
    let seconds = AtomicU64::new(1_714_564_800);
    let client = server
        .builder()
        .clock(move || SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.fetch_add(7, Ordering::Relaxed)))
        .build()
        .unwrap();
    client.list_storage_folders(&FolderFilter::default()).all().await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    let header = |name: &str| seen.iter().map(|request| request.headers[name].clone()).collect::<Vec<_>>();
    let created: Vec<_> = header("signature-input")
        .iter()
        .map(|input| input.split(';').find_map(|part| part.strip_prefix("created=")).unwrap().parse::<u64>().unwrap())
        .collect();
    assert!(created.is_sorted_by(|a, b| a < b), "{created:?}");
    let mut signatures = header("signature");
    signatures.sort();
    signatures.dedup();
    assert_eq!(signatures.len(), 3, "{signatures:?}");
    let mut traces = header("x-cloud-trace-context");
    traces.dedup();
    assert_eq!(traces.len(), 1, "{traces:?}");
}

/// An answer of the kind 201, 202, 204 or an empty 200 is taken where nothing is asked for.
#[tokio::test]
async fn any_success_is_one() {
    for answer in [
        Answer::status(201, &"null"),
        Answer::status(202, &"{}"),
        Answer::status(204, &""),
        Answer::status(200, &""),
        Answer::status(200, &"null"),
    ] {
        for call in [Call::Cancel, Call::DeleteItems, Call::DeleteFolder] {
            let server = Server::script([answer.clone()]).await;
            make(call, &server.client()).await.unwrap_or_else(|error| panic!("{call:?} {answer:?}: {error}"));
        }
    }
    let server = Server::script([Answer::status(201, &crate::support::folder("f", 1))]).await;
    let folder = server.client().create_storage_folder(&NewFolder::new("f")).await.unwrap();
    assert_eq!(folder.uuid, id(1));
}

/// The server has acted, but what it says cannot be understood.
#[tokio::test]
async fn c1_an_answer_that_cannot_be_understood_has_an_unknown_effect() {
    for body in ["", "null", "{}", "<html>", "[1]"] {
        let server = Server::script([Answer::json(&body)]).await;
        let error = server.client().create_storage_folder(&NewFolder::new("f")).await.unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Answer, Effect::Unknown), "{body}: {error}");
        assert_eq!(server.seen().len(), 1, "{body}");
    }
    let server = Server::script([Answer::status(302, &"").header("Location", "http://127.0.0.1:1/")]).await;
    let error = server.client().create_storage_folder(&NewFolder::new("f")).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Answer, Effect::Unknown), "{error}");
}
