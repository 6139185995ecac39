//! `AutomationModel`.

use crate::open_enum::open_enum;

open_enum! {
    /// The kind of a model that the platform trains, as in a model configuration.
    ///
    /// It has the values of `AutomationModels` in the Python SDK 0.1.98. The SDK raises an exception for any other kind; here it
    /// becomes [`MissingAutomationModel`](Self::MissingAutomationModel).
    ///
    /// ```
    /// use encord_enums::AutomationModel;
    ///
    /// assert_eq!(AutomationModel::from_value("faster_rcnn"), AutomationModel::FasterRcnn);
    /// assert_eq!(AutomationModel::FasterRcnn.to_string(), "faster_rcnn");
    /// ```
    pub enum AutomationModel, "automation model" {
        /// `fast_ai`, for classifications of frames.
        FastAi = "fast_ai",
        /// `resnet18`, for classifications of frames.
        Resnet18 = "resnet18",
        /// `resnet34`, for classifications of frames.
        Resnet34 = "resnet34",
        /// `resnet50`, for classifications of frames.
        Resnet50 = "resnet50",
        /// `resnet101`, for classifications of frames.
        Resnet101 = "resnet101",
        /// `resnet152`, for classifications of frames.
        Resnet152 = "resnet152",
        /// `vgg16`, for classifications of frames.
        Vgg16 = "vgg16",
        /// `vgg19`, for classifications of frames.
        Vgg19 = "vgg19",
        /// `faster_rcnn`, for bounding boxes.
        FasterRcnn = "faster_rcnn",
        /// `mask_rcnn`, for polygons.
        MaskRcnn = "mask_rcnn",
    } else {
        /// `_MISSING_AUTOMATION_MODEL_`, any kind that this version does not know.
        ///
        /// The SDK has no such variant.
        MissingAutomationModel = "_MISSING_AUTOMATION_MODEL_",
    }
}
