//! Runs the corpus without a fuzzer, in every test run.

use std::fs;
use std::path::PathBuf;

use encord_fuzz::corpus::{self, Inputs};
use encord_fuzz::targets::{TARGETS, find};
use serde_json::Value;

#[test]
fn every_target_holds_on_its_corpus() {
    for (name, check) in TARGETS {
        let inputs = corpus::read(&corpus::archive(name)).unwrap();
        assert!(inputs.keys().any(|input| input.starts_with("seed-")), "{name}: no seed");
        for (input, bytes) in inputs {
            // Shown when the next line panics.
            println!("{name}: {input} of its archive: {}", bytes.escape_ascii());
            check(&bytes);
        }
    }
}

/// Uses the recorded vectors of the Python SDK as inputs.
#[test]
fn targets_hold_on_the_vectors() {
    let check = |target: &str, parts: &[&[u8]]| find(target).unwrap()(&parts.concat());
    for name in ["seed.json", "current.json"] {
        let vectors = fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../vectors").join(name)).unwrap();
        let vectors: Value = serde_json::from_slice(&vectors).unwrap();
        let all = |list: &str| vectors[list].as_array().into_iter().flatten();
        for string in all("strings") {
            check("data_type", &[string["input"].as_str().unwrap().as_bytes()]);
        }
        for list in all("model_lists") {
            check("models", &[b"\0\0\0", list["json"].as_str().unwrap().as_bytes()]);
        }
        for overlay in all("overlays") {
            let file = serde_json::json!({"requests": overlay["requests"], "upload": overlay["upload"]});
            check("settings", &[b"\x02", file.to_string().as_bytes()]);
        }
    }
}

#[test]
fn every_target_has_its_archive_and_every_archive_its_target() {
    let folder = corpus::archive("").parent().unwrap().to_owned();
    let mut archives: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    archives.sort();
    assert_eq!(archives, TARGETS.iter().map(|(name, _)| corpus::archive(name)).collect::<Vec<_>>());
}

#[test]
fn the_table_of_the_documents_has_all_targets() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/contributing/architecture.md");
    let text = fs::read_to_string(path).unwrap();
    let section = text.split("\n## ").find(|section| section.starts_with("Fuzzing\n")).unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    let mut names: Vec<_> = rows.flat_map(|cell| cell.split(", ").map(|name| name.trim_matches('`'))).collect();
    names.sort_unstable();
    assert_eq!(names, TARGETS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}

/// Limits the corpus, because every clone contains it and every test run repeats it.
#[test]
fn the_kept_corpus_is_small() {
    for (name, _) in TARGETS {
        let inputs = corpus::read(&corpus::archive(name)).unwrap();
        let bytes: usize = inputs.values().map(Vec::len).sum();
        assert!(inputs.len() < 300 && bytes < 1 << 20, "{name}: `cargo xtask fuzz {name} --keep`");
    }
}

#[test]
fn the_same_inputs_give_the_same_archive() {
    let folder = tempfile::tempdir().unwrap();
    let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
    let inputs = Inputs::from([("seed-a".to_owned(), b"\0\xFF".to_vec()), ("b".to_owned(), Vec::new())]);
    corpus::write(&one, &inputs).unwrap();
    corpus::write(&other, &inputs).unwrap();
    assert_eq!(corpus::read(&one).unwrap(), inputs);
    assert_eq!(fs::read(one).unwrap(), fs::read(other).unwrap());
}
