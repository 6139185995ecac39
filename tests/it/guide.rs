//! The Python examples of docs/uploading.md and docs/migrating-from-python.md run with the real SDK.

use std::process::Command;

use encord_upload::Shard;
use serde_json::Value;

use crate::peers;
use crate::support::encord;

#[test]
fn the_shards_of_the_guide_are_those_of_the_program() {
    let Some(python) = peers::sdk_python("current") else { return };
    let tests = env!("CARGO_MANIFEST_DIR");
    let output = Command::new(python)
        .args([format!("{tests}/python/guide.py"), format!("{tests}/../docs/uploading.md")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers: Value = serde_json::from_slice(&output.stdout).unwrap();

    for (path, index) in answers["shards"].as_object().unwrap() {
        assert!(Shard::new(index.as_u64().unwrap(), 7).unwrap().contains(path.as_ref()), "{path} in {index}");
    }
}

#[test]
fn the_examples_for_those_who_come_from_python_run_and_their_settings_file_is_read() {
    for (sdk, blocks) in [("current", "4\n"), ("seed", "1\n")] {
        let Some(python) = peers::sdk_python(sdk) else { return };
        let tests = env!("CARGO_MANIFEST_DIR");
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new(python)
            .args([format!("{tests}/python/migrating.py"), format!("{tests}/../docs/migrating-from-python.md")])
            .current_dir(&folder)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8_lossy(&output.stdout), blocks, "{sdk}");
        if sdk == "seed" {
            continue;
        }
        let settings = Command::new(encord::binary())
            .args(["settings", "--json", "--settings", "encord.json"])
            .env_clear()
            .current_dir(&folder)
            .output()
            .unwrap();
        let settings: Value = serde_json::from_slice(&settings.stdout).unwrap();
        let field = &settings["fields"]["max_retries"];
        assert_eq!((&field["value"], &field["origin"]), (&5.into(), &"file".into()));
    }
}
