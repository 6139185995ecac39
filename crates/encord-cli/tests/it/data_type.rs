//! `encord data-type`.

use crate::invocation::encord;

const TABLE: &str = "\
VALUE                UPPER CASE           NAME             SINCE    MEANING
video                VIDEO                Video            0.1.35   a video file
img_group            IMG_GROUP            ImgGroup         0.1.35   a group of images
dicom                DICOM                Dicom            0.1.43   a DICOM series
image                IMAGE                Image            0.1.44   a single image
dicom_study          DICOM_STUDY          DicomStudy       0.1.66   a DICOM study
nifti                NIFTI                Nifti            0.1.127  a NIfTI volume
audio                AUDIO                Audio            0.1.143  an audio file
time_series          TIME_SERIES          TimeSeries       0.1.199  a time series
plain_text           PLAIN_TEXT           PlainText        0.1.154  a text file
pdf                  PDF                  Pdf              0.1.154  a PDF document
group                GROUP                Group            0.1.169  a group of pieces of data
scene                SCENE                Scene            0.1.173  a scene, such as one of point clouds
_MISSING_DATA_TYPE_  _MISSING_DATA_TYPE_  MissingDataType  0.1.66   stands for any type that this version does not know
";

const KNOWN: &str = "expected one of video, img_group, dicom, image, dicom_study, nifti, audio, time_series, plain_text, \
                     pdf, group, scene";

/// The header and the given rows of the table.
fn rows(values: &[&str]) -> String {
    let chosen = |line: &&str| values.contains(&line.split(' ').next().unwrap_or_default());
    let lines = || TABLE.split_inclusive('\n');
    lines().take(1).chain(lines().filter(chosen)).collect()
}

#[test]
fn d1_all_are_listed() {
    encord("data-type").run().expect(0, TABLE, "");
}

#[test]
fn d6_values_are_looked_up_strictly() {
    encord("data-type dicom_study").run().expect(0, &rows(&["dicom_study"]), "");
    encord("data-type image audio").run().expect(0, &rows(&["image", "audio"]), "");
    encord("data-type _MISSING_DATA_TYPE_").run().expect(0, &rows(&["_MISSING_DATA_TYPE_"]), "");
    encord("data-type hologram").run().expect(2, "", &format!("error: unknown data type \"hologram\", {KNOWN}\n"));
    encord("data-type video holo image gram\"").run().expect(
        2,
        "",
        &format!("error: unknown data types \"holo\", \"gram\\\"\", {KNOWN}\n"),
    );
    encord("data-type").arg("").run().expect(2, "", &format!("error: unknown data type \"\", {KNOWN}\n"));
    encord("data-type VIDEO").run().expect(
        2,
        "",
        &format!("error: unknown data type \"VIDEO\", {KNOWN}\nhint: upper-case forms are looked up with --upper\n"),
    );
}

#[test]
fn d3_upper_case_is_exact() {
    let known = KNOWN.to_uppercase().replace("EXPECTED ONE OF", "expected one of");
    encord("data-type --upper DICOM_STUDY").run().expect(0, &rows(&["dicom_study"]), "");
    encord("data-type --upper dicom_study").run().expect(
        2,
        "",
        &format!(
            "error: unknown data type \"dicom_study\", {known}\n\
             hint: lower-case forms are looked up without --upper\n"
        ),
    );
    encord("data-type --upper Dicom_Study").run().expect(
        2,
        "",
        &format!("error: unknown data type \"Dicom_Study\", {known}\n"),
    );
}

#[test]
fn json_is_an_array_of_objects() {
    encord("data-type dicom_study image --json").run().expect(
        0,
        "[{\"value\":\"dicom_study\",\"upper\":\"DICOM_STUDY\",\"name\":\"DicomStudy\",\
           \"since\":\"0.1.66\",\"meaning\":\"a DICOM study\"},\
          {\"value\":\"image\",\"upper\":\"IMAGE\",\"name\":\"Image\",\
           \"since\":\"0.1.44\",\"meaning\":\"a single image\"}]\n",
        "",
    );
    assert_eq!(encord("data-type --json").run().json().as_array().map(Vec::len), Some(13));
}

#[test]
fn a_reader_that_went_away_is_a_quiet_end() {
    for arguments in ["data-type", "data-type --json", "settings", "uids", "completions zsh"] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let models = r#"[{"model_iteration_uids": ["a", "b"]}]"#;
        encord(arguments).stdin(models).stdout(writer).expect(0, "", "");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_is_an_error() {
    let full = std::fs::File::create("/dev/full").expect("opened");
    let error = "error: cannot write to standard output: No space left on device (os error 28)\n";
    encord("data-type").stdout(full).expect(1, "", error);
}
