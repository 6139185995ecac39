//! `DataType` and the other enums.

use encord_enums::{
    AutomationModel, DataType, LongPollingStatus, OpenEnum, StorageFolderType, StorageItemType, StorageLocationName,
    StorageUserRole,
};
use serde::Deserialize;

use super::{Answers, Member, NonString, Plain, Text, current, seed};

/// The platform has added these since the seed SDK, which takes them for unknown.
const ADDED_SINCE_SEED: [DataType; 7] = [
    DataType::Nifti,
    DataType::Audio,
    DataType::TimeSeries,
    DataType::PlainText,
    DataType::Pdf,
    DataType::Group,
    DataType::Scene,
];

#[test]
fn d1_values_are_those_of_the_current_sdk() {
    check_members(&current(), DataType::ALL);
}

#[test]
fn d1_values_are_those_of_the_seed_sdk_and_those_added_since() {
    let then: Vec<DataType> =
        DataType::ALL.iter().copied().filter(|data_type| !ADDED_SINCE_SEED.contains(data_type)).collect();
    check_members(&seed(), &then);
}

#[test]
fn d2_any_other_string_is_the_fallback_as_in_both_sdks() {
    check_values(&seed());
    check_values(&current());
}

#[test]
fn d2_what_is_no_string_is_the_fallback_as_in_both_sdks() {
    for answers in [seed(), current()] {
        for NonString { json, value } in &answers.non_strings {
            assert_eq!(DataType::deserialize(json).unwrap().as_str(), value, "{json}");
        }
    }
}

#[test]
fn d3_upper_case_is_exact_as_in_both_sdks() {
    check_upper_case(&seed());
    check_upper_case(&current());
}

#[test]
fn d4_upper_case_is_that_of_both_sdks() {
    for Member { value, upper, .. } in seed().data_types.iter().chain(&current().data_types) {
        assert_eq!(DataType::from_value(value).to_upper_case_string(), upper);
    }
}

#[test]
fn automation_models_are_those_of_the_seed_sdk() {
    check_plain::<AutomationModel>(&seed().automation_models.unwrap());
}

#[test]
fn storage_enums_are_those_of_the_current_sdk() {
    assert!(seed().storage_enums.is_none());
    let theirs = current().storage_enums.unwrap();
    check_plain::<StorageItemType>(&theirs["StorageItemType"]);
    check_plain::<StorageLocationName>(&theirs["StorageLocationName"]);
    check_plain::<StorageFolderType>(&theirs["StorageFolderType"]);
    check_plain::<StorageUserRole>(&theirs["StorageUserRole"]);
    check_plain::<LongPollingStatus>(&theirs["LongPollingStatus"]);
    assert_eq!(theirs.len(), 5);
}

/// Names and values in their order. Where the SDK has no fallback, ours is left out.
#[track_caller]
fn check_plain<E: OpenEnum>(members: &[Plain]) {
    let theirs: Vec<_> = members.iter().map(|Plain { name, value }| (squeeze(name), value.as_str())).collect();
    let ours = E::ALL.iter().map(|ours| (squeeze(&format!("{ours:?}")), ours.as_str()));
    assert_eq!(ours.take(theirs.len()).collect::<Vec<_>>(), theirs);
    assert!(theirs.len() >= E::KNOWN_VALUES.len(), "the SDK has no more than {theirs:?}");
}

#[track_caller]
fn check_members(answers: &Answers, expected: &[DataType]) {
    let sorted = |mut members: Vec<(String, String)>| {
        members.sort();
        members
    };
    let theirs = answers.data_types.iter().map(|Member { name, value, .. }| (squeeze(name), value.clone()));
    let ours = expected.iter().map(|data_type| (squeeze(&format!("{data_type:?}")), data_type.to_string()));
    assert_eq!(sorted(ours.collect()), sorted(theirs.collect()), "SDK {}", answers.sdk);
}

#[track_caller]
pub(crate) fn check_values(answers: &Answers) {
    for Text { input, value, .. } in &answers.strings {
        let ours = DataType::from_value(input);
        assert_eq!(as_seen_by(answers, ours).as_str(), value, "{input:?} in SDK {}", answers.sdk);
        assert_eq!(DataType::deserialize(&serde_json::json!(input)).unwrap(), ours, "{input:?}");
    }
}

#[track_caller]
pub(crate) fn check_upper_case(answers: &Answers) {
    for Text { input, from_upper, .. } in &answers.strings {
        let ours = DataType::from_upper_case_string(input);
        assert_eq!(as_seen_by(answers, ours).as_str(), from_upper, "{input:?} in SDK {}", answers.sdk);
    }
}

/// Rule D1: a value that this SDK does not have yet is the fallback there.
fn as_seen_by(answers: &Answers, ours: DataType) -> DataType {
    let has = answers.data_types.iter().any(|member| member.value == ours.as_str());
    if has { ours } else { DataType::MissingDataType }
}

/// `IMG_GROUP` and `ImgGroup` are the same name in two languages.
fn squeeze(name: &str) -> String {
    name.replace('_', "").to_ascii_lowercase()
}
