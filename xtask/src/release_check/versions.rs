//! What is said of the version outside of the manifests, and by git.

use std::fs;
use std::process::Stdio;

use crate::job::{Job, Stop, command, none_of, root};
use crate::workspace::Workspace;

/// That READMEs and manifests name this version is `tidy`'s to check.
pub(crate) fn check(job: &mut Job) -> Result<(), Stop> {
    let read = |name: &str| {
        let path = root().join(name);
        fs::read_to_string(&path).map_err(|error| Stop::from((&*path, error)))
    };
    let packages = Workspace::read(job)?.packages;
    let package = packages.iter().find(|package| package.published);
    let Some(package) = package else { return Err(Stop::Failed("no crate is published".to_owned())) };
    let mut tags = |arguments: &[&str]| job.output(command("git").args(arguments).stdout(Stdio::piped()));
    let all = tags(&["tag", "--list", "v*"]);
    let here = tags(&["tag", "--points-at", "HEAD", "--list", "v*"]);
    if all.is_err() {
        if job.strict {
            return Err(super::no_repository("the tags"));
        }
        job.notes.push("not in a git repository: tags not looked at".to_owned());
    }
    let facts = Facts {
        version: &package.version,
        rust_version: &package.rust_version,
        changelog: &read("docs/CHANGELOG.md")?,
        readme: &read("README.md")?,
        tags: &all.unwrap_or_default(),
        tags_here: &here.unwrap_or_default(),
    };
    none_of(&facts.problems())
}

struct Facts<'a> {
    version: &'a str,
    rust_version: &'a str,
    changelog: &'a str,
    readme: &'a str,
    /// Those that look like releases, one a line.
    tags: &'a str,
    tags_here: &'a str,
}

impl Facts<'_> {
    fn problems(&self) -> Vec<String> {
        let Self { version, rust_version, .. } = self;
        let mut problems = Vec::new();
        let tag = format!("v{version}");
        for other in self.tags_here.lines().filter(|other| **other != tag) {
            problems.push(format!("tag {other} is on this commit, whose version is {version}"));
        }
        let mut titles = self.changelog.lines().filter_map(|line| line.strip_prefix("## "));
        let dated = titles.find_map(|title| title.strip_prefix(*version)?.strip_prefix(" (")?.strip_suffix(')'));
        let tagged = self.tags.lines().any(|other| other == tag);
        match dated {
            None => problems.push(format!("docs/CHANGELOG.md: no heading `## {version} (…)`")),
            Some(date) if is_date(date) => {}
            Some("not released yet") if !tagged => {}
            Some(date) => {
                problems.push(format!("docs/CHANGELOG.md: {version} has {date:?} for the day of its release"));
            }
        }
        // As the README says it: "Rust 1.88 or newer".
        let needed = self.readme.split_once("Rust ").map(|(_, after)| after.split(' ').next().unwrap_or_default());
        if needed != Some(rust_version) {
            problems.push(format!("README.md: does not say first of all `Rust {rust_version} or newer`"));
        }
        problems
    }
}

/// `2026-01-31`
fn is_date(text: &str) -> bool {
    text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() })
}

#[cfg(test)]
mod tests {
    use super::Facts;

    #[track_caller]
    fn check(heading: &str, readme: &str, [tags, tags_here]: [&str; 2], expected: &[&str]) {
        let changelog = format!("# Changelog\n\n## Unreleased\n\n## {heading}\n\n## 0.0.9 (2025-12-01)\n");
        let facts = Facts { version: "0.1.0", rust_version: "1.88", changelog: &changelog, readme, tags, tags_here };
        assert_eq!(facts.problems(), expected);
    }

    #[test]
    fn what_agrees_passes() {
        check("0.1.0 (not released yet)", "Rust 1.88 or newer", ["v0.0.9\n", ""], &[]);
        check("0.1.0 (2026-01-31)", "Needed: Rust 1.88 or newer.", ["v0.0.9\nv0.1.0\n", "v0.1.0\n"], &[]);
        check("0.1.0 (2026-01-31)", "Rust 1.88 or", ["", ""], &[]);
    }

    #[test]
    fn what_does_not_agree_is_named() {
        const README: &str = "Rust 1.88 or newer";
        check(README, README, ["", ""], &["docs/CHANGELOG.md: no heading `## 0.1.0 (…)`"]);
        check(
            "0.1.0 (not released yet)",
            README,
            ["v0.1.0\n", ""],
            &["docs/CHANGELOG.md: 0.1.0 has \"not released yet\" for the day of its release"],
        );
        check(
            "0.1.0 (soon)",
            "Rust 1.89 or newer",
            ["v0.2.0", "v0.2.0"],
            &[
                "tag v0.2.0 is on this commit, whose version is 0.1.0",
                "docs/CHANGELOG.md: 0.1.0 has \"soon\" for the day of its release",
                "README.md: does not say first of all `Rust 1.88 or newer`",
            ],
        );
    }
}
