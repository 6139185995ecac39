//! `ModelConfiguration` and `get_all_model_iteration_uids`, which only the seed SDK still has.

use encord_project_utils::{ModelConfiguration, get_all_model_iteration_uids, read_model_iteration_uids};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Answer, Answers, Configuration, ModelList, current, seed};

#[test]
fn the_current_sdk_has_no_models() {
    let current = current();
    assert!(current.automation_models.is_none());
    assert!(current.model_configurations.is_none());
    assert!(current.model_lists.is_none());
}

#[test]
fn model_configurations_are_read_as_by_the_seed_sdk() {
    check_configurations(&seed());
}

#[test]
fn g1_the_union_is_that_of_the_seed_sdk() {
    check_lists(&seed());
}

/// The SDK raises for the whole listing.
#[test]
fn g4_an_unknown_model_kind_is_kept_where_the_seed_sdk_fails() {
    let mut kept = Vec::new();
    for Configuration { json, read } in seed().model_configurations.unwrap() {
        let Answer::Raises { raises } = read else { continue };
        let Ok(ours) = serde_json::from_str::<ModelConfiguration>(&json) else { continue };
        if raises == "EncordException" {
            let written = serde_json::to_value(&ours).unwrap();
            assert_eq!(written["model"], ours.model.as_str());
            kept.push(ours.model.unknown().expect("the SDK knows all that we know").to_owned());
        }
    }
    assert_eq!(kept, ["vit_b16", "RESNET50", "resnet50 ", "", "ﬁ"]);
}

#[track_caller]
pub(crate) fn check_configurations(answers: &Answers) {
    for Configuration { json, read } in answers.model_configurations.as_ref().unwrap() {
        let ours = serde_json::from_str::<ModelConfiguration>(json);
        match (read, ours) {
            (Answer::Gives(theirs), Ok(ours)) => assert_eq!(fields(&ours), *theirs, "{json}"),
            // The SDK does not look at the types of what it reads, and fails later or never.
            (Answer::Gives(theirs), Err(error)) => assert!(!is_typed(theirs), "{error}: {json}"),
            (Answer::Raises { raises }, Ok(ours)) => match raises.as_str() {
                "EncordException" => assert!(ours.model.unknown().is_some(), "G4: {json}"),
                // A list of hashes, which the wire form allows and the SDK does not read.
                "AttributeError" => assert_eq!(ours.feature_node_hashes, ["b2", "a1"], "{json}"),
                other => panic!("the SDK raises {other}: {json}"),
            },
            (Answer::Raises { .. }, Err(_)) => {}
        }
    }
}

#[track_caller]
pub(crate) fn check_lists(answers: &Answers) {
    for ModelList { json, uids } in answers.model_lists.as_ref().unwrap() {
        let Answer::Gives(theirs) = uids else { panic!("{uids:?}: {json}") };
        let models: Vec<ModelConfiguration> = serde_json::from_str(json).unwrap();
        let ours = get_all_model_iteration_uids(&models);
        let mut sorted: Vec<&str> = ours.iter().copied().collect();
        sorted.sort_unstable();
        assert_eq!(sorted, *theirs, "{json}");

        let streamed = read_model_iteration_uids(json.as_bytes()).unwrap();
        assert!(streamed.iter().map(|uid| &**uid).eq(ours.iter().copied()), "{streamed:?} instead of {ours:?}");
    }
}

/// The fields as Python has them.
fn fields(model: &ModelConfiguration) -> Map<String, Value> {
    let ModelConfiguration { model_uid, title, description, feature_node_hashes, model, model_iteration_uids } = model;
    let fields: [(&str, Value); 6] = [
        ("model_uid", model_uid.as_str().into()),
        ("title", title.as_str().into()),
        ("description", description.as_str().into()),
        ("feature_node_hashes", feature_node_hashes.as_slice().into()),
        ("model", model.as_str().into()),
        ("model_iteration_uids", model_iteration_uids.as_slice().into()),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Whether what the SDK read has the types that its annotations promise.
fn is_typed(theirs: &Map<String, Value>) -> bool {
    let is_text = |name| theirs[name].is_string();
    let is_texts = |name| Vec::<String>::deserialize(&theirs[name]).is_ok();
    ["model_uid", "title", "description", "model"].into_iter().all(is_text)
        && ["feature_node_hashes", "model_iteration_uids"].into_iter().all(is_texts)
}
