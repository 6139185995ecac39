//! `Lossless`: what is read is what is written.

use encord_enums::{
    DataType::{self, *},
    Lossless,
};
use proptest::prelude::*;

type Type = Lossless<DataType>;

#[track_caller]
fn check(read: &Type, known: DataType, unknown: Option<&str>) {
    assert_eq!((read.known(), read.unknown()), (known, unknown));
}

#[test]
fn d7_known_or_the_string() {
    check(&Type::from_value("video"), Video, None);
    check(&Type::from_value("VIDEO"), MissingDataType, Some("VIDEO"));
    check(&Type::from_value("hologram"), MissingDataType, Some("hologram"));
    check(&Type::from_value(""), MissingDataType, Some(""));
    check(&Type::from_value("_MISSING_DATA_TYPE_"), MissingDataType, None);
}

#[test]
fn d8_upper_case_known_or_the_string() {
    check(&Type::from_upper_case_string("VIDEO"), Video, None);
    check(&Type::from_upper_case_string("video"), MissingDataType, Some("video"));
    check(&Type::from_upper_case_string("HOLOGRAM"), MissingDataType, Some("HOLOGRAM"));
    check(&Type::from_upper_case_string("_MISSING_DATA_TYPE_"), MissingDataType, None);
}

#[test]
fn d8_a_known_value_changes_form() {
    assert_eq!(Type::from_upper_case_string("IMG_GROUP").as_str(), "img_group");
    assert_eq!(Type::from_value("img_group").to_upper_case_string(), "IMG_GROUP");
}

#[test]
fn equality() {
    assert_eq!(Type::from_value("video"), Video);
    assert_eq!(Type::from_value("video"), Type::from_upper_case_string("VIDEO"));
    assert_eq!(Type::from_value("_MISSING_DATA_TYPE_"), MissingDataType);
    assert_ne!(Type::from_value("hologram"), MissingDataType);
    assert_ne!(Type::from_value("hologram"), Type::from_value("holograms"));
}

#[test]
fn conversions() {
    for &data_type in DataType::ALL {
        assert_eq!(Type::from(data_type), Type::from_value(data_type.as_str()));
    }
    for value in ["video", "hologram", ""] {
        let read = Type::from_value(value);
        assert_eq!(Type::from(value), read);
        assert_eq!(Type::from(String::from(value)), read);
        assert_eq!(value.parse(), Ok(read.clone()));
        assert_eq!(read.as_ref(), value);
    }
    assert_eq!(format!("{:>9}|", Type::from("hologram")), " hologram|");
}

fn any_string() -> impl Strategy<Value = String> {
    let value = prop::sample::select(DataType::ALL);
    prop_oneof![
        r"\PC*",
        value.clone().prop_map(|t| t.as_str().to_owned()),
        value.prop_map(|t| t.to_upper_case_string().to_owned()),
    ]
}

proptest! {
    #[test]
    fn d7_what_is_read_is_written(text in any_string()) {
        let read = Type::from_value(&text);
        prop_assert_eq!(read.as_str(), &text);
        prop_assert_eq!(read.known(), DataType::from_value(&text));
        prop_assert_eq!(read.unknown().is_some(), text.parse::<DataType>().is_err());
    }

    #[test]
    fn d8_what_is_read_in_upper_case_is_written(text in any_string()) {
        let read = Type::from_upper_case_string(&text);
        prop_assert_eq!(read.to_upper_case_string(), &text);
        prop_assert_eq!(read.known(), DataType::from_upper_case_string(&text));
    }
}
