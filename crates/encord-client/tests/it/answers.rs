//! Judgement 4: what the SDK's models take, we take; values that are new are taken where the SDK fails.

use std::collections::BTreeMap;

use encord_client::{
    DataRow, DatasetCreated, DatasetDetails, DatasetInfo, FolderSummary, ModelAttachment, ProjectInfo, StorageFolder,
    StorageItem, UploadJobState, UploadSignedUrl,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::support::vectors;

#[derive(Deserialize)]
struct Questions {
    model: String,
    answer: Map<String, Value>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    what: String,
    set: Map<String, Value>,
    drop: Vec<String>,
    taken: bool,
}

/// What the SDK takes and we do not, with the reason.
const REFUSED: [(&str, &str, &str); 8] = [
    ("DatasetDetails", "title is null", "the SDK checks nothing of it"),
    ("DatasetDetails", "dataset_hash is null", "without an identifier nothing can be done with it"),
    ("DatasetDetails", "dataset_hash is a new word", "the same"),
    ("DatasetDetails", "dataset_hash is empty", "the same"),
    ("DatasetDetails", "backing_folder_uuid is empty", "an identifier is one or absent"),
    ("DataRow", "data_hash is null", "without an identifier nothing can be done with it"),
    ("DataRow", "data_title is null", "the SDK checks nothing of it"),
    ("DataRow", "data_type is null", "the SDK checks nothing of it"),
];

#[test]
fn c5_what_the_models_of_the_sdk_take_is_taken() {
    let models: Vec<Questions> = serde_json::from_str(&vectors("answers.json")).unwrap();
    let mut counts = BTreeMap::new();
    let mut wrong = Vec::new();
    for Questions { model, answer, cases } in &models {
        for Case { what, set, drop, taken } in cases {
            let mut answer = answer.clone();
            answer.retain(|name, _| !drop.contains(name));
            answer.extend(set.clone());
            let ours = read(model, &answer.into());
            *counts.entry((*taken, ours.is_ok())).or_insert(0) += 1;
            // A word that is new stands for a value of an enum that is.
            let new_word = ["itemType", "storageLocation", "userRole", "folderType", "status", "projectType"]
                .iter()
                .any(|name| *what == format!("{name} is a new word"));
            let expected = *taken || new_word;
            let known = REFUSED.iter().any(|(name, case, _)| name == model && case == what);
            match ours {
                Err(error) if expected && !known => wrong.push(format!("{model} {what}: {error}")),
                Ok(()) if known => wrong.push(format!("{model} {what}: taken after all")),
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(counts[&(true, true)] > 450, "{counts:?}");
    // Without its identifier a record is none.
    assert!(counts[&(false, false)] > 50, "{counts:?}");
}

fn read(model: &str, answer: &Value) -> Result<(), String> {
    fn as_record<T: DeserializeOwned>(answer: &Value) -> Result<(), String> {
        // As in a list: from text, where names that come twice show.
        serde_json::from_str::<T>(&answer.to_string()).map(drop).map_err(|error| error.to_string())
    }
    match model {
        "StorageFolder" => as_record::<StorageFolder>(answer),
        "StorageItem" => as_record::<StorageItem>(answer),
        "FolderSummary" => as_record::<FolderSummary>(answer),
        "UploadSignedUrl" => as_record::<UploadSignedUrl>(answer),
        "UploadJobState" => as_record::<UploadJobState>(answer),
        "ProjectInfo" => as_record::<ProjectInfo>(answer),
        "DatasetInfo" => as_record::<DatasetInfo>(answer),
        "DatasetCreated" => as_record::<DatasetCreated>(answer),
        "ModelAttachment" => as_record::<ModelAttachment>(answer),
        "DatasetDetails" => as_record::<DatasetDetails>(answer),
        "DataRow" => as_record::<DataRow>(answer),
        _ => panic!("no such model: {model}"),
    }
}

#[test]
fn c4_a_url_of_an_item_is_not_shown_and_not_written() {
    let models: Vec<Questions> = serde_json::from_str(&vectors("answers.json")).unwrap();
    let of = |name: &str| models.iter().find(|model| model.model == name).unwrap().answer.clone();
    let item: StorageItem = serde_json::from_value(of("StorageItem").into()).unwrap();
    assert!(item.signed_url.is_some());
    let signed: UploadSignedUrl = serde_json::from_value(of("UploadSignedUrl").into()).unwrap();
    for shown in [format!("{item:?}"), serde_json::to_string(&item).unwrap(), format!("{signed:?}")] {
        assert!(!shown.contains("s=1"), "{shown}");
    }
}
