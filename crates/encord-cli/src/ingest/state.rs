//! The place of a run's ledger.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use encord_ingest::replay::Header;
use encord_upload::Shard;
use sha2::{Digest, Sha256};

use crate::folders;
use crate::output::Failure;

/// Returns the path of the ledger. Runs with the same platform, folder, dataset, paths and shard have the same path.
///
/// # Errors
///
/// No folder for it can be used.
pub(crate) fn ledger(header: &Header, paths: &[PathBuf], shard: Option<Shard>) -> Result<PathBuf, Failure> {
    let folder = folders::state(|name| env::var_os(name)).ok_or_else(|| {
        Failure::usage(
            "there is no place for the ledger: neither XDG_STATE_HOME nor HOME is set; name one with --journal",
        )
    })?;
    let unusable = |error| Failure::usage(format_args!("{}: {error}; name a place with --journal", folder.display()));
    fs::create_dir_all(&folder).map_err(unusable)?;
    Ok(folder.join(name(header, paths, shard)))
}

fn name(Header { domain, folder, dataset, .. }: &Header, paths: &[PathBuf], shard: Option<Shard>) -> String {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut paths: Vec<PathBuf> = paths.iter().map(|path| real(path)).collect();
    paths.sort();
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    };
    add(domain.as_bytes());
    add(folder.as_bytes());
    add(dataset.as_ref().map_or(&[][..], |dataset| dataset.as_bytes()));
    for path in &paths {
        add(path.as_os_str().as_encoded_bytes());
    }
    let digest = hash.finalize();
    let mut name = String::from("ingest-");
    for byte in &digest[..8] {
        // Writing to a string cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    if let Some(shard) = shard {
        let _ = write!(name, "-{}", shard.to_string().replace('/', "-of-"));
    }
    name + ".jsonl"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_destination_has_its_ledger() {
        let header = |folder, dataset: Option<u128>| {
            Header::new("https://h".into(), uuid::Uuid::from_u128(folder), dataset.map(uuid::Uuid::from_u128))
        };
        let of = |header: &Header, paths: &[&str], shard: Option<&str>| {
            let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
            name(header, &paths, shard.map(|shard| shard.parse().expect("a shard")))
        };
        let names = [
            of(&header(1, None), &["/a"], None),
            of(&header(2, None), &["/a"], None),
            of(&header(1, Some(1)), &["/a"], None),
            of(&header(1, None), &["/b"], None),
            of(&header(1, None), &["/a", "/b"], None),
            of(&header(1, None), &["/a"], Some("0/2")),
            of(&header(1, None), &["/a"], Some("1/2")),
        ];
        let distinct: std::collections::HashSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len(), "{names:?}");
        assert_eq!(names[4], of(&header(1, None), &["/b", "/a"], None));
        assert!(names[5].ends_with("-0-of-2.jsonl") && names[0].len() == "ingest-.jsonl".len() + 16, "{names:?}");
    }
}
