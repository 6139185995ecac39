//! What holds for every enum.

use encord_enums::{
    AutomationModel, DataType, IntoEnumIterator, LongPollingStatus, Lossless, OpenEnum, StorageFolderType,
    StorageItemType, StorageLocationName, StorageUserRole, VariantNames,
};

#[track_caller]
fn check<E: OpenEnum + IntoEnumIterator + VariantNames>(values: &str) {
    let (missing, known) = E::ALL.split_last().unwrap();
    let names: Vec<&str> = known.iter().map(|e| e.as_str()).collect();
    assert_eq!(names.join(" "), values);
    assert_eq!(E::KNOWN_VALUES, names);
    assert_eq!(*missing, E::MISSING);
    assert!(missing.is_missing());
    assert!(known.iter().all(|e| !e.is_missing()));

    assert_eq!(E::iter().collect::<Vec<_>>(), E::ALL);
    assert_eq!(E::ALL.iter().map(|e| e.as_str()).collect::<Vec<_>>(), E::VARIANTS);
    for &e in E::ALL {
        assert_eq!(E::from_value(e.as_str()), e);
        assert_eq!(e.as_str().parse(), Ok(e));
        assert_eq!(e.to_string(), e.as_str());
        assert_eq!(Lossless::<E>::from_value(e.as_str()), e);
    }
    for other in ["", " ", "hologram", "_MISSING_"] {
        assert_eq!(E::from_value(other), E::MISSING, "{other:?}");
        assert_eq!(Lossless::<E>::from_value(other).unknown(), Some(other));
        let error = other.parse::<E>().unwrap_err().to_string();
        assert_eq!(error, format!("unknown {} {other:?}, expected one of {}", E::KIND, names.join(", ")));
    }
}

#[test]
fn d5_every_open_enum_keeps_the_laws() {
    check::<DataType>("video img_group dicom image dicom_study nifti audio time_series plain_text pdf group scene");
    check::<AutomationModel>(
        "fast_ai resnet18 resnet34 resnet50 resnet101 resnet152 vgg16 vgg19 faster_rcnn mask_rcnn",
    );
    check::<StorageItemType>(
        "video image group imageGroup imageSequence dicomFile dicomSeries audio timeseries nifti plainText pdf scene",
    );
    check::<StorageLocationName>("encord gcp s3 azure openTelekom directAccess s3Compatible");
    check::<StorageFolderType>("generic cloudLinked synthetic");
    check::<StorageUserRole>("user admin");
    check::<LongPollingStatus>("PENDING DONE ERROR CANCELLED");
}
