//! Reads the journal of uploads with another reader.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The paths of the whole lines of a journal, each of which is there once.
#[track_caller]
pub(crate) fn paths(journal: &Path) -> BTreeSet<PathBuf> {
    let text = fs::read_to_string(journal).unwrap();
    let mut paths = BTreeSet::new();
    for line in text.split_inclusive('\n').skip(1).filter(|line| line.ends_with('\n')) {
        let line: Value = serde_json::from_str(line).unwrap();
        let path = PathBuf::from(line["path"].as_str().unwrap());
        assert!(paths.insert(path.clone()), "{} is in the journal twice", path.display());
    }
    paths
}
