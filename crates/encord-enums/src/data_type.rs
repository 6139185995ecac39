//! `DataType`.

use crate::open_enum::open_enum;

open_enum! {
    /// The kind of a piece of data on the platform: a video, an image, a study, …
    ///
    /// [`Display`](core::fmt::Display) writes the value. [`DataType::from_value`] and serde read any string; [`str::parse`]
    /// reads the known values only.
    ///
    /// Each variant names the first version of the Python SDK (the package `encord`) that has it. This crate follows 0.1.98;
    /// the platform has added the newer ones since.
    ///
    /// ```
    /// use encord_enums::DataType;
    ///
    /// assert_eq!(DataType::from_value("dicom_study"), DataType::DicomStudy);
    /// assert_eq!(DataType::from_value("hologram"), DataType::MissingDataType);
    /// assert_eq!(DataType::DicomStudy.to_upper_case_string(), "DICOM_STUDY");
    ///
    /// let error = "hologram".parse::<DataType>().unwrap_err();
    /// assert!(error.to_string().starts_with(r#"unknown data type "hologram", expected one of video,"#));
    /// ```
    pub enum DataType, "data type", upper case {
        /// `video`, a video file. Since the first SDK, 0.1.35.
        Video = "video",
        /// `img_group`, a group of images. Since the first SDK, 0.1.35.
        ImgGroup = "img_group",
        /// `dicom`, a DICOM series. Since SDK 0.1.43.
        Dicom = "dicom",
        /// `image`, a single image. Since SDK 0.1.44.
        Image = "image",
        /// `dicom_study`, a DICOM study. Since SDK 0.1.66.
        DicomStudy = "dicom_study",
        /// `nifti`, a NIFTI volume. Since SDK 0.1.127.
        Nifti = "nifti",
        /// `audio`, an audio file. Since SDK 0.1.143.
        Audio = "audio",
        /// `time_series`, a time series. Since SDK 0.1.199.
        TimeSeries = "time_series",
        /// `plain_text`, a text file. Since SDK 0.1.154.
        PlainText = "plain_text",
        /// `pdf`, a PDF document. Since SDK 0.1.154.
        Pdf = "pdf",
        /// `group`, a group of pieces of data. Since SDK 0.1.169.
        Group = "group",
        /// `scene`, a scene, such as one of point clouds. Since SDK 0.1.173.
        Scene = "scene",
    } else {
        /// `_MISSING_DATA_TYPE_`, any type that this version does not know. Since SDK 0.1.66.
        ///
        /// [`Lossless`](crate::Lossless) keeps the string that it stands for.
        MissingDataType = "_MISSING_DATA_TYPE_",
    }
}
