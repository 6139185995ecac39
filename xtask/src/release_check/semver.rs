//! The public API against that of an earlier revision.

use std::process::Stdio;

use crate::job::{Job, Stop, cargo, command};
use crate::tools;
use crate::workspace::Workspace;

pub(crate) fn check(job: &mut Job) -> Result<(), Stop> {
    tools::SEMVER_CHECKS.require()?;
    if job.baseline.is_none() && git(job, &["rev-parse", "--git-dir"]).is_err() {
        return Err(super::no_repository("what to compare with"));
    }
    let revision = baseline(job)?;
    let packages = Workspace::read(job)?.packages;
    let (libraries, programs): (Vec<_>, Vec<_>) =
        packages.iter().filter(|package| package.published).partition(|package| package.library);
    job.notes.extend(programs.iter().map(|package| format!("{}: no library, nothing to compare", package.name)));
    // One call for all, so that a failure of git is not taken for the absence of a crate.
    let there = git(job, &["grep", "-h", "-A1", "-e", "^\\[package\\]$", &revision, "--", "*Cargo.toml"])?;
    for package in libraries {
        let name = &package.name;
        if !names(&there).any(|there| there == name) {
            job.notes.push(format!("{name}: not there yet in {revision}, nothing to compare"));
            continue;
        }
        let mut compare = cargo(&format!("semver-checks check-release -p {name} --all-features --baseline-rev"));
        job.run(compare.arg(&revision))?;
    }
    Ok(())
}

/// Of the packages. The name follows `[package]` at once; further down it is that of a target.
fn names(lines: &str) -> impl Iterator<Item = &str> {
    lines.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
}

/// The revision that was asked for, or the last release, or the last commit.
fn baseline(job: &mut Job) -> Result<String, Stop> {
    let (revision, why) = if let Some(asked) = job.baseline.clone() {
        (asked, "")
    } else if let Ok(tag) = git(job, &["describe", "--tags", "--abbrev=0", "--match", "v*", "HEAD"]) {
        (tag.trim().to_owned(), ", the last release")
    } else {
        // There is no release that could be broken. This still shows that the tool can read every crate.
        ("HEAD".to_owned(), ", because no release is tagged yet: only what is not committed could differ")
    };
    let commit = git(job, &["rev-parse", "--quiet", "--verify", "--short", &format!("{revision}^{{commit}}")])
        .map_err(|_| Stop::Failed(format!("{revision}: no such revision in this repository")))?;
    job.notes.push(format!("compared with {revision} ({}){why}", commit.trim()));
    Ok(revision)
}

fn git(job: &mut Job, arguments: &[&str]) -> Result<String, Stop> {
    job.output(command("git").args(arguments).stdout(Stdio::piped()))
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn names_are_whole() {
        let lines = "name = \"encord-http\"\nname = \"encord-http-settings\"\nname = 1\n";
        assert_eq!(names(lines).collect::<Vec<_>>(), ["encord-http", "encord-http-settings"]);
    }
}
