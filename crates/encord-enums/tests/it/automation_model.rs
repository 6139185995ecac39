//! `AutomationModel`: its values and its strict error.

use encord_enums::{
    AutomationModel::{self, *},
    VariantNames,
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
