//! A build with the oldest versions that the manifests allow.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::job::{Job, Stop, cargo, command, root, scratch_folder};
use crate::workspace::Workspace;

/// Checks the published code with the oldest allowed version of each direct dependency, in a copy of the tree.
///
/// The option of `cargo update` is unstable, so that command runs with `RUSTC_BOOTSTRAP`. The compiler runs without it.
pub(crate) fn check(job: &mut Job) -> Result<(), Stop> {
    let copy = scratch_folder().map_err(|error| Stop::Failed(error.to_string()))?.join("minimal-versions");
    copy_tree(job, &copy)?;
    job.run(cargo("update -Z direct-minimal-versions").current_dir(&copy).env("RUSTC_BOOTSTRAP", "1"))?;
    let target = root().join("target/xtask/minimal-versions-target");
    let mut check = cargo("check --lib --bins --all-features --locked --target-dir");
    check.arg(target).current_dir(&copy);
    for package in Workspace::read(job)?.packages.iter().filter(|package| package.published) {
        check.args(["-p", &package.name]);
    }
    job.run(&mut check)
}

/// Copies all files of the tree that git does not ignore.
fn copy_tree(job: &mut Job, to: &Path) -> Result<(), Stop> {
    if to.exists() {
        fs::remove_dir_all(to).map_err(|error| Stop::from((to, error)))?;
    }
    let list = "ls-files -z --cached --others --exclude-standard".split(' ');
    let files = job.output(command("git").args(list).stdout(Stdio::piped()))?;
    for file in files.split('\0').filter(|file| !file.is_empty()) {
        let (from, to) = (root().join(file), to.join(file));
        // A file whose deletion is not committed yet.
        if !from.exists() {
            continue;
        }
        let copied = to.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::copy(&from, &to));
        copied.map_err(|error| Stop::from((&*from, error)))?;
    }
    Ok(())
}
