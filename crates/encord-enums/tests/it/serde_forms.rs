//! The forms of serde, as JSON.

#![expect(clippy::expect_used, reason = "helpers of tests are tests")]

use encord_enums::{
    AutomationModel,
    DataType::{self, *},
    Lossless, upper_case,
};
use proptest::prelude::*;
use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, value::BytesDeserializer},
};

#[derive(Debug, Deserialize, Serialize)]
#[serde(transparent)]
struct Upper<T: upper_case::UpperCase>(#[serde(with = "upper_case")] T);

#[track_caller]
fn check_read<T: DeserializeOwned + PartialEq<U> + std::fmt::Debug, U: std::fmt::Debug>(json: &str, expected: U) {
    assert_eq!(serde_json::from_str::<T>(json).expect(json), expected, "{json}");
}

#[track_caller]
fn check_kept<T: DeserializeOwned + Serialize>(json: &str) {
    let read: T = serde_json::from_str(json).expect(json);
    assert_eq!(serde_json::to_string(&read).expect(json), json);
}

#[track_caller]
fn check_error<T: DeserializeOwned + std::fmt::Debug>(json: &str, expected: &str) {
    assert_eq!(serde_json::from_str::<T>(json).expect_err(json).to_string(), expected);
}

const NOT_STRINGS: [&str; 9] =
    ["null", "true", "5", "-5", "1.5", "[]", r#"["video", [1]]"#, "{}", r#"{"video": {"a": [null]}}"#];

#[test]
fn d2_deserialising_is_lenient() {
    check_read::<DataType, _>(r#""dicom_study""#, DicomStudy);
    check_read::<DataType, _>(r#""v\u0069deo""#, Video);
    check_read::<DataType, _>(r#""DICOM_STUDY""#, MissingDataType);
    check_read::<DataType, _>(r#""""#, MissingDataType);
    check_read::<AutomationModel, _>(r#""yolov5""#, AutomationModel::MissingAutomationModel);
    for json in NOT_STRINGS {
        check_read::<DataType, _>(json, MissingDataType);
        assert_eq!(serde_json::from_str::<Upper<DataType>>(json).expect(json).0, MissingDataType);
    }
    check_read::<Option<DataType>, _>("null", None);
    check_read::<Vec<DataType>, _>(r#"["pdf", [1], "pdf"]"#, vec![Pdf, MissingDataType, Pdf]);
}

#[test]
fn d2_malformed_json_is_an_error() {
    check_error::<DataType>(r#""video"#, "EOF while parsing a string at line 1 column 6");
    check_error::<DataType>("[1,", "EOF while parsing a value at line 1 column 3");
}

#[test]
fn d2_bytes_are_an_error() {
    let bytes = BytesDeserializer::<serde::de::value::Error>::new(b"video");
    let error = DataType::deserialize(bytes).expect_err("bytes are no string");
    assert_eq!(error.to_string(), "invalid type: byte array, expected a string, the data type");
}

#[test]
fn d7_lossless_keeps_the_string() {
    for json in [r#""video""#, r#""VIDEO""#, r#""hologram""#, r#""""#, r#""_MISSING_DATA_TYPE_""#] {
        check_kept::<Lossless<DataType>>(json);
        check_kept::<Upper<Lossless<DataType>>>(json);
    }
    check_read::<Lossless<DataType>, _>(r#""hol\u006fgram""#, Lossless::from("hologram"));
}

#[test]
fn d7_lossless_wants_a_string() {
    check_error::<Lossless<DataType>>(
        "5",
        "invalid type: integer `5`, expected a string, the data type at line 1 column 1",
    );
    check_error::<Upper<Lossless<DataType>>>(
        "null",
        "invalid type: null, expected a string, the data type at line 1 column 4",
    );
    check_error::<Lossless<AutomationModel>>(
        "null",
        "invalid type: null, expected a string, the automation model at line 1 column 4",
    );
    for json in NOT_STRINGS {
        assert!(serde_json::from_str::<Lossless<DataType>>(json).is_err(), "{json}");
        assert!(serde_json::from_str::<Upper<Lossless<DataType>>>(json).is_err(), "{json}");
    }
}

#[test]
fn d8_both_forms() {
    for &data_type in DataType::ALL {
        let (value, upper) = (data_type.as_str(), data_type.to_upper_case_string());
        assert_eq!(serde_json::to_value(data_type).unwrap(), value);
        assert_eq!(serde_json::to_value(Upper(data_type)).unwrap(), upper);
        check_kept::<DataType>(&format!("{value:?}"));
        check_kept::<Upper<DataType>>(&format!("{upper:?}"));
        assert_eq!(serde_json::to_value(Upper(Lossless::from(data_type))).unwrap(), upper);
    }
    check_kept::<Lossless<DataType>>(r#""dicom_study""#);
}

#[test]
fn d8_upper_case_is_exact() {
    for (json, expected) in [(r#""VIDEO""#, Video), (r#""video""#, MissingDataType), (r#""Video""#, MissingDataType)] {
        assert_eq!(serde_json::from_str::<Upper<DataType>>(json).expect(json).0, expected);
    }
    let read: Upper<Lossless<DataType>> = serde_json::from_str(r#""video""#).unwrap();
    assert_eq!(read.0.unknown(), Some("video"));
}

#[test]
fn d8_upper_case_in_options_and_lists() {
    for json in ["null", r#""VIDEO""#] {
        check_kept::<Upper<Option<DataType>>>(json);
        check_kept::<Upper<Option<Lossless<DataType>>>>(json);
    }
    check_kept::<Upper<Vec<DataType>>>(r#"["VIDEO","IMG_GROUP"]"#);
    check_kept::<Upper<Vec<Lossless<DataType>>>>(r#"["VIDEO","HOLOGRAM","video"]"#);
    check_kept::<Upper<Option<Vec<DataType>>>>(r#"["VIDEO"]"#);
}

#[test]
fn d8_as_the_key_of_a_map() {
    check_kept::<std::collections::BTreeMap<DataType, u8>>(r#"{"video":1,"pdf":2}"#);
}

proptest! {
    #[test]
    fn d7_every_string_survives(text in r"\PC*|[a-z_]{3,11}|[A-Z_]{3,11}") {
        let json = serde_json::to_string(&text).unwrap();
        check_kept::<Lossless<DataType>>(&json);
        check_kept::<Upper<Lossless<DataType>>>(&json);
        prop_assert_eq!(serde_json::from_str::<DataType>(&json).unwrap(), DataType::from_value(&text));
    }
}
