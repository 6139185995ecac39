//! `ModelConfiguration` as JSON.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use encord_project_utils::{AutomationModel, ModelConfiguration};
use proptest::prelude::*;
use serde_json::{Value, json};

const JSON: &str = r#"{"model_uid":"m","title":"T","description":"D","feature_node_hashes":["h"],"model":"vgg16","model_iteration_uids":["u"]}"#;

#[test]
fn fields() {
    let model: ModelConfiguration = serde_json::from_str(JSON).unwrap();
    assert_eq!(
        model,
        ModelConfiguration {
            model_uid: "m".into(),
            title: "T".into(),
            description: "D".into(),
            feature_node_hashes: vec!["h".into()],
            model: AutomationModel::Vgg16.into(),
            model_iteration_uids: vec!["u".into()],
        },
    );
    assert_eq!(serde_json::to_string(&model).unwrap(), JSON);
}

#[track_caller]
fn check_hashes(hashes: &str, expected: &[&str]) {
    let model: ModelConfiguration = serde_json::from_str(&JSON.replace(r#"["h"]"#, hashes)).unwrap();
    assert_eq!(model.feature_node_hashes, expected);
}

#[test]
fn feature_node_hashes_are_keys_or_a_list() {
    check_hashes(r#"{"z": "Z", "a": {"b": [1, {}]}, "m": null}"#, &["z", "a", "m"]);
    check_hashes(r#"{"z": 1, "a": 2, "z": 3}"#, &["z", "a"]);
    check_hashes(r#"["z", "a", "z"]"#, &["z", "a", "z"]);
    check_hashes("{}", &[]);
    check_hashes("[]", &[]);
}

#[test]
fn g4_unknown_model_is_kept() {
    let json = JSON.replace("vgg16", "yolov5");
    let model: ModelConfiguration = serde_json::from_str(&json).unwrap();
    assert_eq!(model.model.known(), AutomationModel::MissingAutomationModel);
    assert_eq!(serde_json::to_string(&model).unwrap(), json);
}

#[test]
fn unknown_fields_are_ignored() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let json = JSON.replacen('{', &format!(r#"{{"created_at": 5, "deep": {deep},"#), 1);
    assert_eq!(serde_json::from_str::<ModelConfiguration>(&json).unwrap(), serde_json::from_str(JSON).unwrap());
}

#[track_caller]
fn check_error(field: &str, value: Option<Value>, expected: &str) {
    let mut json: Value = serde_json::from_str(JSON).unwrap();
    match value {
        Some(value) => json[field] = value,
        None => drop(json.as_object_mut().unwrap().remove(field)),
    }
    let error = serde_json::from_value::<ModelConfiguration>(json).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn wrong_fields() {
    for field in ["model_uid", "title", "description", "feature_node_hashes", "model", "model_iteration_uids"] {
        check_error(field, None, &format!("missing field `{field}`"));
    }
    check_error("title", Some(Value::Null), "invalid type: null, expected a string");
    check_error("model", Some(json!(5)), "invalid type: integer `5`, expected a string, the automation model");
    check_error("model_iteration_uids", Some(Value::Null), "invalid type: null, expected a sequence");
    check_error(
        "feature_node_hashes",
        Some(json!("h")),
        "invalid type: string \"h\", expected an object whose keys are feature node hashes, or a list of them",
    );
    check_error("feature_node_hashes", Some(json!([1])), "invalid type: integer `1`, expected a string");
}

#[test]
fn not_an_object() {
    assert_eq!(
        serde_json::from_str::<ModelConfiguration>("5").unwrap_err().to_string(),
        "invalid type: integer `5`, expected a model configuration at line 1 column 1",
    );
}

proptest! {
    #[test]
    fn g4_what_is_written_is_read_back(
        (model_uid, title, description, model) in (r"\PC*", r"\PC*", r"\PC*", r"\PC*|resnet18"),
        feature_node_hashes in prop::collection::vec("[a-c]{0,2}", 0..6),
        model_iteration_uids in prop::collection::vec(r"\PC*", 0..6),
    ) {
        let model = model.into();
        let written =
            ModelConfiguration { model_uid, title, description, feature_node_hashes, model, model_iteration_uids };
        let json = serde_json::to_string(&written).unwrap();
        prop_assert_eq!(&serde_json::from_str::<ModelConfiguration>(&json).unwrap(), &written);
        let value = serde_json::to_value(&written).unwrap();
        prop_assert_eq!(&serde_json::from_value::<ModelConfiguration>(value).unwrap(), &written);
    }
}
