//! The kept corpus, without a fuzzer: every test run repeats it.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// The folder of the targets, whichever package this is compiled for.
fn here() -> PathBuf {
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    if package.ends_with("fuzz") { package } else { package.join("fuzz") }
}

#[test]
fn every_target_holds_on_its_corpus() {
    for (name, check) in crate::TARGETS {
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

#[test]
fn every_target_has_its_program_and_its_corpus() {
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(here().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    };
    let targets: BTreeSet<String> = crate::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("targets"), targets);
    assert_eq!(names("corpus"), targets);
}
