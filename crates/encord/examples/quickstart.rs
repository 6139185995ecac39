//! A tour of the default features. Needs no network: `cargo run -p encord --example quickstart`.
#![expect(clippy::print_stdout, reason = "an example prints")]

use encord::enums::AutomationModel;
use encord::http_settings::BackoffFactor;
use encord::project_utils::ModelConfiguration;
use encord::{CloudUploadSettings, DataType, RequestsSettings, get_all_model_iteration_uids};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // What the server sends is taken as it is; what a person types is checked.
    println!("DICOM_STUDY is {:?}", DataType::from_upper_case_string("DICOM_STUDY"));
    println!("hologram is {:?}", DataType::from_value("hologram"));
    if let Err(error) = "hologram".parse::<DataType>() {
        println!("{error}");
    }

    // The settings of an upload: its own over those of the client.
    let client = RequestsSettings { max_retries: 5, ..RequestsSettings::default() };
    let upload =
        CloudUploadSettings { backoff_factor: Some(BackoffFactor::new(0.5)?), ..CloudUploadSettings::default() };
    let effective = upload.over(&client);
    let waits: Vec<_> = effective.backoff_delays().collect();
    println!("{} retries, after {waits:?}", effective.requests.max_retries);

    // All iterations of all models, once each, in order of first appearance.
    let model = |uids: &[&str]| ModelConfiguration {
        model_uid: "m".into(),
        title: "A model".into(),
        description: String::new(),
        feature_node_hashes: vec![],
        model: AutomationModel::Resnet50.into(),
        model_iteration_uids: uids.iter().map(ToString::to_string).collect(),
    };
    let models = [model(&["a", "b"]), model(&["b", "c"])];
    println!("iterations: {:?}", get_all_model_iteration_uids(&models));
    Ok(())
}
