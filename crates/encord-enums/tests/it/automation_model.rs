//! `AutomationModel`: its values, and code that works on any of the enums.

use encord_enums::{
    AutomationModel::{self, *},
    DataType, IntoEnumIterator, OpenEnum, VariantNames,
};

const VALUES: [(AutomationModel, &str); 11] = [
    (FastAi, "fast_ai"),
    (Resnet18, "resnet18"),
    (Resnet34, "resnet34"),
    (Resnet50, "resnet50"),
    (Resnet101, "resnet101"),
    (Resnet152, "resnet152"),
    (Vgg16, "vgg16"),
    (Vgg19, "vgg19"),
    (FasterRcnn, "faster_rcnn"),
    (MaskRcnn, "mask_rcnn"),
    (MissingAutomationModel, "_MISSING_AUTOMATION_MODEL_"),
];

#[test]
fn values() {
    assert_eq!(AutomationModel::VARIANTS, VALUES.map(|(_, value)| value));
    for (model, value) in VALUES {
        assert_eq!(model.as_str(), value);
        assert_eq!(AutomationModel::from_value(value), model);
        assert_eq!(model.to_upper_case_string(), value.to_uppercase());
    }
}

#[test]
fn g4_unknown_kind_is_missing() {
    for value in ["", "yolov5", "Resnet18", "RESNET18", "resnet18 ", "_MISSING_DATA_TYPE_"] {
        assert_eq!(AutomationModel::from_value(value), MissingAutomationModel, "{value:?}");
    }
}

#[test]
fn strict_error() {
    assert_eq!(
        "yolov5".parse::<AutomationModel>().unwrap_err().to_string(),
        "unknown automation model \"yolov5\", expected one of fast_ai, resnet18, resnet34, resnet50, resnet101, \
         resnet152, vgg16, vgg19, faster_rcnn, mask_rcnn",
    );
}

#[track_caller]
fn check_open_enum<E: OpenEnum + IntoEnumIterator + VariantNames>() {
    assert_eq!(E::iter().collect::<Vec<_>>(), E::ALL);
    assert_eq!(E::ALL.iter().map(|e| e.as_str()).collect::<Vec<_>>(), E::VARIANTS);

    let (missing, known) = E::ALL.split_last().unwrap();
    assert_eq!(*missing, E::MISSING);
    assert!(missing.is_missing());
    assert!(known.iter().all(|e| !e.is_missing()));
    assert_eq!(known.iter().map(|e| e.as_str()).collect::<Vec<_>>(), E::KNOWN_VALUES);

    for &e in E::ALL {
        assert_eq!(E::from_value(e.as_str()), e);
        assert_eq!(E::from_upper_case_string(e.to_upper_case_string()), e);
        assert_eq!(e.as_str().parse(), Ok(e));
        assert_eq!(e.to_string(), e.as_str());
    }
}

#[test]
fn d5_every_open_enum_keeps_the_laws() {
    check_open_enum::<DataType>();
    check_open_enum::<AutomationModel>();
}
