//! `DataType`: values, both ways in, both forms.

use encord_enums::{
    DataType::{self, *},
    EnumCount, IntoEnumIterator, VariantNames,
};
use proptest::prelude::*;

const VALUES: [(DataType, &str, &str); 13] = [
    (Video, "video", "VIDEO"),
    (ImgGroup, "img_group", "IMG_GROUP"),
    (Dicom, "dicom", "DICOM"),
    (Image, "image", "IMAGE"),
    (DicomStudy, "dicom_study", "DICOM_STUDY"),
    (Nifti, "nifti", "NIFTI"),
    (Audio, "audio", "AUDIO"),
    (TimeSeries, "time_series", "TIME_SERIES"),
    (PlainText, "plain_text", "PLAIN_TEXT"),
    (Pdf, "pdf", "PDF"),
    (Group, "group", "GROUP"),
    (Scene, "scene", "SCENE"),
    (MissingDataType, "_MISSING_DATA_TYPE_", "_MISSING_DATA_TYPE_"),
];

/// Strings that come near a value and are none.
const NEAR: [&str; 12] = [
    "",
    " ",
    "vide",
    "videos",
    "video ",
    " video",
    "Video",
    "img-group",
    "dicom\0",
    "vidéo",
    "_missing_data_type_",
    "MissingDataType",
];

#[test]
fn d1_values() {
    let values: Vec<_> = DataType::ALL.iter().map(|t| (*t, t.as_str())).collect();
    let expected: Vec<_> = VALUES.iter().map(|(t, value, _)| (*t, *value)).collect();
    assert_eq!(values, expected);
    for (data_type, value, _) in VALUES {
        assert_eq!(data_type.to_string(), value);
        assert_eq!(data_type.as_ref(), value);
        assert_eq!(<&str>::from(data_type), value);
        assert_eq!(data_type.is_missing(), data_type == MissingDataType);
    }
}

#[test]
fn d1_strum_agrees() {
    assert_eq!(DataType::COUNT, 13);
    assert_eq!(DataType::iter().collect::<Vec<_>>(), DataType::ALL);
    assert_eq!(DataType::VARIANTS, VALUES.map(|(_, value, _)| value));
}

#[test]
fn display_pads() {
    assert_eq!(format!("{Pdf:>5}|{Pdf:<5}|{Pdf:.1}"), "  pdf|pdf  |p");
}

#[track_caller]
fn check_from_value(value: &str, expected: DataType) {
    assert_eq!(DataType::from_value(value), expected, "{value:?}");
}

#[test]
fn d2_any_other_string_is_missing() {
    for (expected, value, _) in VALUES {
        check_from_value(value, expected);
    }
    for value in NEAR {
        check_from_value(value, MissingDataType);
    }
    check_from_value("VIDEO", MissingDataType);
    check_from_value(&"video".repeat(1 << 20), MissingDataType);
}

/// What is evaluated while compiling allocates nothing.
#[test]
fn d2_parses_while_compiling() {
    const VIDEO: DataType = DataType::from_value("video");
    const STUDY: DataType = DataType::from_upper_case_string("DICOM_STUDY");
    const UNKNOWN: DataType = DataType::from_value("hologram");
    assert_eq!((VIDEO, STUDY, UNKNOWN), (Video, DicomStudy, MissingDataType));
}

#[track_caller]
fn check_from_upper_case(string: &str, expected: DataType) {
    assert_eq!(DataType::from_upper_case_string(string), expected, "{string:?}");
}

#[test]
fn d3_upper_case_is_exact() {
    for (expected, value, upper) in VALUES {
        check_from_upper_case(upper, expected);
        check_from_upper_case(value, MissingDataType);
        check_from_upper_case(&capitalised(value), MissingDataType);
    }
    for value in NEAR {
        check_from_upper_case(value, MissingDataType);
    }
    check_from_upper_case("Dicom_Study", MissingDataType);
    check_from_upper_case("VIDEO ", MissingDataType);
}

fn capitalised(value: &str) -> String {
    let (first, rest) = value.split_at(1);
    first.to_uppercase() + rest
}

#[test]
fn d4_to_upper_case() {
    for (data_type, value, upper) in VALUES {
        assert_eq!(data_type.to_upper_case_string(), upper);
        assert_eq!(data_type.to_upper_case_string(), value.to_uppercase());
    }
}

#[test]
fn d4_upper_case_while_compiling() {
    const STUDY: &str = DicomStudy.to_upper_case_string();
    assert_eq!(STUDY, "DICOM_STUDY");
}

#[test]
fn d5_both_forms_round_trip() {
    for &data_type in DataType::ALL {
        check_from_value(data_type.as_str(), data_type);
        check_from_upper_case(data_type.to_upper_case_string(), data_type);
        assert_eq!(data_type.to_string().parse(), Ok(data_type));
        assert_eq!(DataType::try_from(data_type.as_str()), Ok(data_type));
    }
}

#[track_caller]
fn check_strict_error(value: &str, expected: &str) {
    let error = value.parse::<DataType>().unwrap_err();
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.value(), value);
    assert_eq!(error.known(), &VALUES.map(|(_, value, _)| value)[..12]);
}

#[test]
fn d6_strict_parse_names_the_value_and_the_known_ones() {
    check_strict_error(
        "VIDEO",
        "unknown data type \"VIDEO\", expected one of video, img_group, dicom, image, dicom_study, nifti, audio, \
         time_series, plain_text, pdf, group, scene",
    );
    check_strict_error(
        "a\n\"b\"",
        "unknown data type \"a\\n\\\"b\\\"\", expected one of video, img_group, dicom, image, dicom_study, nifti, \
         audio, time_series, plain_text, pdf, group, scene",
    );
}

#[test]
fn d6_strict_parse_refuses_what_is_near() {
    for value in NEAR {
        assert!(value.parse::<DataType>().is_err(), "{value:?}");
    }
}

proptest! {
    #[test]
    fn d2_lenient_is_strict_with_a_fallback(value in r"\PC*|[a-z_]{3,11}") {
        prop_assert_eq!(DataType::from_value(&value), value.parse().unwrap_or(MissingDataType));
    }

    #[test]
    fn d3_upper_case_is_a_search_by_upper_cased_value(string in r"\PC*|[A-Z_]{3,11}") {
        let found = DataType::iter().find(|t| t.as_str().to_uppercase() == string);
        prop_assert_eq!(DataType::from_upper_case_string(&string), found.unwrap_or(MissingDataType));
    }
}
