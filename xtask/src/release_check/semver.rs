//! Compares the public API with that of the last release.

use std::process::Stdio;

use crate::job::{Job, Stop, cargo, command};
use crate::tools;
use crate::workspace::Workspace;

pub(crate) fn check(job: &mut Job) -> Result<(), Stop> {
    tools::SEMVER_CHECKS.require()?;
    let mut describe = command("git");
    describe.args(["describe", "--tags", "--abbrev=0", "--match", "v*", "HEAD"]);
    let Ok(tag) = job.output(describe.stdout(Stdio::piped())) else {
        job.notes.push("no release is tagged yet: there is nothing to compare with".to_owned());
        return Ok(());
    };
    for package in Workspace::read(job)?.packages.iter().filter(|package| package.published && package.library) {
        let manifest = format!("{}:crates/{}/Cargo.toml", tag.trim(), package.name);
        if job.run(command("git").args(["cat-file", "-e", &manifest])).is_err() {
            job.notes.push(format!("{}: new since {}", package.name, tag.trim()));
            continue;
        }
        let mut compare = cargo("semver-checks check-release --all-features --baseline-rev");
        job.run(compare.args([tag.trim(), "-p", &package.name]))?;
    }
    Ok(())
}
