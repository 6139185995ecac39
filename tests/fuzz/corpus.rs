//! The kept corpus, without a fuzzer: every test run repeats it.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use encord_tests::TARGETS;
use serde_json::Value;

/// The folder of the targets.
fn here() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz"))
}

#[test]
fn every_target_holds_on_its_corpus() {
    for (name, check) in TARGETS {
        let folder = here().join("corpus").join(name);
        let mut inputs: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        inputs.sort();
        assert!(!inputs.is_empty(), "{name}: no seed");
        for input in inputs {
            // Shown when the next line panics.
            println!("cargo run --manifest-path tests/fuzz/Cargo.toml --bin {name} {}", input.display());
            check(&fs::read(&input).unwrap());
        }
    }
}

/// What was recorded of the Python SDK are inputs like others.
#[test]
fn targets_hold_on_the_vectors() {
    for name in ["seed.json", "current.json"] {
        let vectors = fs::read(here().join("../vectors").join(name)).unwrap();
        let vectors: Value = serde_json::from_slice(&vectors).unwrap();
        let all = |list: &str| vectors[list].as_array().into_iter().flatten();
        for string in all("strings") {
            encord_tests::data_type(string["input"].as_str().unwrap().as_bytes());
        }
        for list in all("model_lists") {
            encord_tests::models(&[b"\0\0\0", list["json"].as_str().unwrap().as_bytes()].concat());
        }
        for overlay in all("overlays") {
            let file = serde_json::json!({"requests": overlay["requests"], "upload": overlay["upload"]});
            encord_tests::settings(&[b"\x02", file.to_string().as_bytes()].concat());
        }
    }
}

#[test]
fn every_target_has_its_program_and_its_corpus() {
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(here().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    };
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("targets"), targets);
    assert_eq!(names("corpus"), targets);
}

/// It is in every clone, and in every test run.
#[test]
fn the_kept_corpus_is_small() {
    for (name, _) in TARGETS {
        let inputs = fs::read_dir(here().join("corpus").join(name)).unwrap();
        let sizes: Vec<u64> = inputs.map(|input| input.unwrap().metadata().unwrap().len()).collect();
        assert!(sizes.len() < 300 && sizes.iter().sum::<u64>() < 1 << 20, "{name}: `cargo xtask fuzz {name} --keep`");
    }
}
