//! The files of each package, and a build from them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::SystemTime;

use crate::job::{Job, Stop, cargo, none_of, root, scratch_folder};
use crate::workspace::Workspace;

const LICENSES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

/// Files that every package must have. Cargo adds others itself.
const REQUIRED: [&str; 4] = ["Cargo.toml", "LICENSE-APACHE", "LICENSE-MIT", "README.md"];
const ADDED_BY_CARGO: [&str; 3] = [".cargo_vcs_info.json", "Cargo.lock", "Cargo.toml.orig"];

/// Folders of sources. They may contain only Rust files, and text files that tests read.
const SOURCES: [&str; 4] = ["benches", "examples", "src", "tests"];

pub(crate) fn check(job: &mut Job) -> Result<(), Stop> {
    let mut problems = Vec::new();
    for package in Workspace::read(job)?.packages.iter().filter(|package| package.published) {
        let name = &package.name;
        // The check `packages` fails if something is not committed.
        let mut list = cargo(&format!("package --list --allow-dirty -p {name}"));
        let files = job.output(list.stdout(Stdio::piped()))?;
        problems.extend(judge(&files).into_iter().map(|problem| format!("{name}: {problem}")));
        for license in LICENSES {
            if !same(&package.folder.join(license), &root().join(license)) {
                problems.push(format!("{name}: {license} is not that of the root"));
            }
        }
    }
    none_of(&problems)
}

/// Runs `cargo publish` without the upload: it makes the tarballs, and compiles each with the earlier ones.
pub(crate) fn build(job: &mut Job) -> Result<(), Stop> {
    // Cargo unpacks a version only once per target folder, and would use an old copy. So the folder must be new.
    let folder = scratch_folder().map_err(|error| Stop::Failed(error.to_string()))?;
    let target = unused(&folder);
    let mut publish = cargo("publish --workspace --dry-run --all-features --locked --target-dir");
    let published = job.run(publish.arg(&target));
    // A failure is ignored: the folder does no harm.
    drop(fs::remove_dir_all(&target));
    published?;
    let order: Vec<String> = job.log_text().lines().filter_map(uploaded).map(str::to_owned).collect();
    job.notes.push(format!("in this order: {}", order.join(", ")));
    Ok(())
}

/// Returns a folder that no earlier run has used.
fn unused(folder: &Path) -> PathBuf {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    folder.join(format!("packages-{}", now.as_millis()))
}

/// `   Uploading encord-enums v0.1.0 (/path)`
fn uploaded(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix("Uploading ")?.split(' ').next()
}

fn judge(files: &str) -> Vec<String> {
    let missing = REQUIRED.iter().filter(|name| !files.lines().any(|file| file == **name));
    let missing = missing.map(|name| format!("{name} is missing"));
    missing.chain(files.lines().filter(|file| is_stray(file)).map(|file| format!("{file} is stray"))).collect()
}

fn is_stray(file: &str) -> bool {
    let is_source = Path::new(file).extension().is_some_and(|extension| extension == "rs" || extension == "txt")
        && file.split_once('/').is_some_and(|(folder, _)| SOURCES.contains(&folder));
    !is_source && file != "build.rs" && !REQUIRED.contains(&file) && !ADDED_BY_CARGO.contains(&file)
}

fn same(one: &Path, other: &Path) -> bool {
    matches!((fs::read(one), fs::read(other)), (Ok(one), Ok(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use super::{judge, uploaded};

    #[test]
    fn packages_hold_what_they_should() {
        #[track_caller]
        fn check(more: &str, expected: &[&str]) {
            let files = format!(
                ".cargo_vcs_info.json\nCargo.lock\nCargo.toml\nCargo.toml.orig\nREADME.md\nLICENSE-MIT\n{more}"
            );
            assert_eq!(judge(&files), expected);
        }
        check("LICENSE-APACHE\nsrc/lib.rs\nsrc/a/b.rs\ntests/it/main.rs\n", &[]);
        check("src/lib.rs\n", &["LICENSE-APACHE is missing"]);
        check("LICENSE-APACHE\nsrc/lib.rs.orig\n", &["src/lib.rs.orig is stray"]);
        check("LICENSE-APACHE\nnotes.md\nmain.rs\n", &["notes.md is stray", "main.rs is stray"]);
    }

    #[test]
    fn the_order_is_that_of_the_uploads() {
        assert_eq!(uploaded("   Uploading encord-enums v0.1.0 (/a)"), Some("encord-enums"));
        assert_eq!(uploaded("   Packaged 11 files"), None);
    }
}
