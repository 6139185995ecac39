//! Compares our answers with those of the Python SDK in `tests/vectors`.
//!
//! `cargo xtask vectors` records, `tests/python/vectors.py` asks. Where we differ on purpose, the test says which rule of
//! `docs/contract.md` asks for it.

pub(crate) mod data_type;
pub(crate) mod models;
pub(crate) mod settings;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// One run of `vectors.py`: every question with the SDK's answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answers {
    pub(crate) sdk: String,
    #[serde(rename = "python")]
    _python: String,
    data_types: Vec<Member>,
    automation_models: Option<Vec<Plain>>,
    storage_enums: Option<BTreeMap<String, Vec<Plain>>>,
    defaults: Defaults,
    strings: Vec<Text>,
    non_strings: Vec<NonString>,
    overlays: Vec<Overlay>,
    model_configurations: Option<Vec<Configuration>>,
    model_lists: Option<Vec<ModelList>>,
}

/// A member of the SDK's `DataType`.
#[derive(Debug, Deserialize)]
struct Member {
    name: String,
    value: String,
    upper: String,
}

/// A member of another enum of the SDK.
#[derive(Debug, Deserialize)]
struct Plain {
    name: String,
    value: String,
}

/// `dataclasses.asdict` of both settings classes.
#[derive(Debug, Deserialize)]
struct Defaults {
    requests: Map<String, Value>,
    upload: Map<String, Value>,
}

/// The values of `DataType(input)` and `DataType.from_upper_case_string(input)`.
#[derive(Debug, Deserialize)]
struct Text {
    input: String,
    value: String,
    from_upper: String,
}

/// The value of `DataType(json)`.
#[derive(Debug, Deserialize)]
struct NonString {
    json: Value,
    value: String,
}

/// What an upload under both settings used.
#[derive(Debug, Deserialize)]
struct Overlay {
    requests: Retries<u32, f64>,
    upload: Retries<Option<u32>, Option<f64>>,
    used: Retries<u32, f64>,
}

#[derive(Debug, Deserialize)]
struct Retries<Count, Factor> {
    max_retries: Count,
    backoff_factor: Factor,
}

/// The fields of `ModelConfiguration.from_dict` of a JSON text.
#[derive(Debug, Deserialize)]
struct Configuration {
    json: String,
    read: Answer<Map<String, Value>>,
}

/// The sorted `get_all_model_iteration_uids` of a JSON text.
#[derive(Debug, Deserialize)]
struct ModelList {
    json: String,
    uids: Answer<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Answer<T> {
    Raises { raises: String },
    Gives(T),
}

/// `encord` 0.1.98, whose documentation we follow.
pub(crate) fn seed() -> Answers {
    let answers = read(include_str!("../vectors/seed.json"));
    assert_eq!(answers.sdk, "0.1.98");
    answers
}

/// `encord` 0.1.211.
pub(crate) fn current() -> Answers {
    let answers = read(include_str!("../vectors/current.json"));
    assert_eq!(answers.sdk, "0.1.211");
    answers
}

#[track_caller]
pub(crate) fn read(json: &str) -> Answers {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("not the output of vectors.py: {error}\n{json}"))
}
