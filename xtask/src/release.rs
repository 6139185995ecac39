//! `cargo xtask release VERSION`: the commit of a release. Tags, pushes and publishes nothing; `docs/releasing.md` has the rest.

mod edit;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::job::{Job, Stop, cargo, command, root, scratch_folder};

/// The files that name the version; Cargo.lock follows by itself.
const MANIFEST: &str = "Cargo.toml";
const CHANGELOG: &str = "docs/CHANGELOG.md";

/// `Ok(false)`: something failed, and has been said.
pub(crate) fn run(version: &str, dry_run: bool) -> Result<bool, String> {
    let mut job = Job::new("release", true).map_err(|error| error.to_string())?;
    let done = if dry_run { show(&mut job, version) } else { commit(&mut job, version) };
    match done {
        Ok(()) => {
            println!("{}", steps(version, dry_run));
            Ok(true)
        }
        Err(stop) => {
            eprintln!("{}{stop}", job.log_text());
            Ok(false)
        }
    }
}

/// Makes the edits in a clone of the last commit, and shows them.
fn show(job: &mut Job, version: &str) -> Result<(), Stop> {
    let clone = rehearse(job, version)?;
    let diff = job.output(command("git").args(["diff", "--no-color"]).current_dir(&clone).stdout(Stdio::piped()))?;
    println!("{diff}");
    Ok(())
}

fn rehearse(job: &mut Job, version: &str) -> Result<PathBuf, Stop> {
    let clone = scratch_folder().map_err(|error| Stop::Failed(error.to_string()))?.join("release");
    if clone.exists() {
        fs::remove_dir_all(&clone).map_err(|error| Stop::from((&*clone, error)))?;
    }
    job.run(command("git").args(["clone", "--quiet", "--shared", "."]).arg(&clone))?;
    prepare(job, &clone, version).map(|()| clone)
}

fn commit(job: &mut Job, version: &str) -> Result<(), Stop> {
    let status = ["status", "--porcelain"];
    let changes = job.output(command("git").args(status).stdout(Stdio::piped()))?;
    if !changes.is_empty() {
        return Err(Stop::Failed(format!("there are changes that are not committed:\n{}", changes.trim_end())));
    }
    // What fails, fails there, and leaves this tree as it was.
    rehearse(job, version)?;
    prepare(job, &root(), version)?;
    let message = format!("Release {version}");
    job.run(command("git").args(["commit", "--quiet", "--all", "--message", &message]))
}

/// Edits the tree in `folder`, and holds the result against the checks that look at versions.
fn prepare(job: &mut Job, folder: &Path, version: &str) -> Result<(), Stop> {
    let today = job.output(command("date").args(["-u", "+%Y-%m-%d"]).stdout(Stdio::piped()))?;
    let old = rewrite(&folder.join(MANIFEST), |text| edit::manifest(text, version))?;
    rewrite(&folder.join(CHANGELOG), |text| edit::changelog(text, version, today.trim()).map(|text| (text, ())))?;
    let tracked = ["ls-files", "-z", "--", "*.md"];
    let documents = job.output(command("git").args(tracked).current_dir(folder).stdout(Stdio::piped()))?;
    for document in documents.split('\0').filter(|document| !document.is_empty() && *document != CHANGELOG) {
        rewrite(&folder.join(document), |text| Ok((edit::document(text, &old, version), ())))?;
    }
    job.run(cargo("update --workspace --offline").current_dir(folder))?;
    let target = root().join("target/xtask/release-target");
    let mut check = cargo("run --quiet --locked --package xtask --target-dir");
    job.run(check.arg(target).args(["--", "ci", "tidy", "versions"]).current_dir(folder))
}

/// Hands back what `edit` gives beside the new text.
fn rewrite<T>(path: &Path, edit: impl FnOnce(&str) -> Result<(String, T), String>) -> Result<T, Stop> {
    let failed = |error| Stop::from((path, error));
    let old = fs::read_to_string(path).map_err(failed)?;
    let (new, more) = edit(&old).map_err(|problem| Stop::Failed(format!("{}: {problem}", path.display())))?;
    if new != old {
        fs::write(path, new).map_err(failed)?;
    }
    Ok(more)
}

fn steps(version: &str, dry_run: bool) -> String {
    let first = if dry_run {
        format!("Nothing was changed. Left to a person:\n  cargo xtask release {version}")
    } else {
        "Committed, and nothing else. Left to a person:\n  git show HEAD".to_owned()
    };
    format!(
        "{first}
  cargo xtask ci --strict && cargo xtask release-check --strict
  git push origin HEAD                     and wait for the continuous integration
  git tag --sign v{version} --message v{version}
  cargo publish --workspace --locked       asks for a token; see docs/releasing.md if it stops half way
  git push origin v{version}
docs/releasing.md says more of each."
    )
}
