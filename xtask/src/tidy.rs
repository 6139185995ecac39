//! Small rules about files, manifests and documents.

mod contract;
mod dependencies;
mod documents;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::job::{Job, Stop, none_of, root};
use crate::workspace::{Package, Workspace};

/// The files that the root may have, besides dot-files and `target`.
const TOP_LEVEL: &[&str] =
    &["Cargo.lock", "Cargo.toml", "LICENSE-APACHE", "LICENSE-MIT", "README.md", "crates", "docs", "tests", "xtask"];

/// The limit for a source file, in lines.
const MAX_LINES: usize = 400;

/// Fields that every package inherits from the workspace.
const INHERITED: &[&str] = &["version", "edition", "rust-version", "license", "authors"];

/// A text file, with its path relative to the root of the workspace.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

pub(crate) fn check(job: &mut Job) -> Result<(), Stop> {
    let workspace = Workspace::read(job)?;
    let root = root();
    let rust: Vec<Source> = ["crates", "tests", "xtask"]
        .into_iter()
        .map(|folder| sources(&root.join(folder), "rs"))
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .collect();
    let mut problems = top_level(&root)?;
    for source in &rust {
        problems.extend(module(source));
    }
    for package in &workspace.packages {
        problems.extend(manifest(package)?);
    }
    problems.extend(versions(&workspace)?);
    problems.extend(contract::check(&rust));
    problems.extend(documents::check()?);
    problems.extend(dependencies::check(&workspace)?);
    none_of(&problems)
}

/// Returns all files below `folder` with this extension, sorted by path. A folder that does not exist has none.
pub(crate) fn sources(folder: &Path, ending: &str) -> Result<Vec<Source>, Stop> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.map_err(|error| Stop::from((&*folder, error)))?,
        };
        for entry in entries {
            let path = entry.map_err(|error| Stop::from((&*folder, error)))?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == ending) {
                found.push(read(&path)?);
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn read(path: &Path) -> Result<Source, Stop> {
    let text = fs::read_to_string(path).map_err(|error| Stop::from((path, error)))?;
    let path = path.strip_prefix(root()).unwrap_or(path).to_owned();
    Ok(Source { path, text })
}

fn top_level(root: &Path) -> Result<Vec<String>, Stop> {
    let entries = fs::read_dir(root).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries.map_err(|error| Stop::from((root, error)))?;
    let names = entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let strange =
        names.filter(|name| !name.starts_with('.') && name != "target" && !TOP_LEVEL.contains(&name.as_str()));
    Ok(strange.map(|name| format!("{name}: does not belong in the root; see TOP_LEVEL in xtask/src/tidy.rs")).collect())
}

/// Checks that a file begins with `//!`, has no ignored test, and is not too long.
fn module(Source { path, text }: &Source) -> Vec<String> {
    let mut problems = Vec::new();
    let path = path.display();
    let opening = text.lines().next().unwrap_or_default();
    if !opening.starts_with("//!") && opening != "#![doc = include_str!(\"../README.md\")]" {
        problems.push(format!("{path}:1: does not begin with `//!` and the purpose of the file"));
    }
    if path.to_string().ends_with("/mod.rs") {
        problems.push(format!("{path}: name the file `name.rs`, not `name/mod.rs`"));
    }
    let lines = text.lines().count();
    if lines > MAX_LINES {
        problems.push(format!("{path}: {lines} lines; split it (at most {MAX_LINES})"));
    }
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("#[ignore") {
            problems.push(format!("{path}:{}: remove `#[ignore]`: a test that never runs checks nothing", at + 1));
        }
    }
    problems
}

/// Checks that a manifest inherits the shared fields and explains its features, and that the crate has a README.
fn manifest(package: &Package) -> Result<Vec<String>, Stop> {
    let Source { path, text } = read(&package.folder.join("Cargo.toml"))?;
    let path = path.display();
    let mut problems = Vec::new();
    for fact in INHERITED.iter().filter(|fact| !has_line(&text, &format!("{fact}.workspace = true"))) {
        problems.push(format!("{path}: `{fact}.workspace = true` is missing"));
    }
    if !text.contains("[lints]\nworkspace = true\n") {
        problems.push(format!("{path}: `[lints] workspace = true` is missing"));
    }
    if package.published {
        for line in ["readme = \"README.md\"", "keywords.workspace = true", "categories.workspace = true"] {
            if !has_line(&text, line) {
                problems.push(format!("{path}: `{line}` is missing"));
            }
        }
        if !package.folder.join("README.md").exists() {
            problems.push(format!("{path}: the crate has no README.md"));
        }
    }
    let unexplained = unexplained_features(&text);
    problems
        .extend(unexplained.into_iter().map(|name| format!("{path}: feature `{name}` has no `##` comment above it")));
    Ok(problems)
}

fn has_line(text: &str, wanted: &str) -> bool {
    text.lines().any(|line| line == wanted)
}

/// Returns the names of features without a comment. `default` needs none.
fn unexplained_features(manifest: &str) -> BTreeSet<&str> {
    let section = manifest.lines().skip_while(|line| *line != "[features]").skip(1);
    let mut above = "";
    let mut unexplained = BTreeSet::new();
    for line in section.take_while(|line| !line.starts_with('[')) {
        // The lines of a list are indented; a feature is not.
        if let Some((name, _)) = line.split_once(" = ").filter(|_| !line.starts_with([' ', '#']))
            && name != "default"
            && !above.starts_with("## ")
        {
            unexplained.insert(name);
        }
        above = line;
    }
    unexplained
}

/// Checks that workspace, READMEs, documents and changelog name the same version.
fn versions(workspace: &Workspace) -> Result<Vec<String>, Stop> {
    let root = root();
    let Some(version) = workspace.packages.first().map(|package| package.version.as_str()) else {
        return Err(Stop::Failed("the workspace has no package".to_owned()));
    };
    let mut problems = Vec::new();
    for package in workspace.packages.iter().filter(|package| package.version != version) {
        problems.push(format!("{} {}: the other packages have version {version}", package.name, package.version));
    }
    let mut documents = vec![read(&root.join("Cargo.toml"))?];
    for folder in ["crates", "docs"] {
        documents.extend(sources(&root.join(folder), "md")?);
    }
    documents.extend(read(&root.join("README.md")));
    for Source { path, text } in &documents {
        for (at, line) in text.lines().enumerate() {
            let said = named_version(line).filter(|said| !is_prefix(said, version));
            problems.extend(
                said.map(|said| format!("{}:{}: names version {said} instead of {version}", path.display(), at + 1)),
            );
        }
    }
    if let Some(changelog) = documents.iter().find(|document| document.path.ends_with("docs/CHANGELOG.md")) {
        let is_heading = |line: &&str| {
            line.strip_prefix("## ").is_some_and(|title| title.split([' ', '[', ']']).any(|word| word == version))
        };
        let headings = changelog.text.lines().filter(is_heading).count();
        if headings != 1 {
            problems.push(format!("docs/CHANGELOG.md: {headings} headings for {version} instead of one"));
        }
    }
    Ok(problems)
}

/// Returns the version that a line states for one of our crates: `encord-http = "0.1"`, `encord = { version = "0.1" }`.
fn named_version(line: &str) -> Option<&str> {
    let (name, value) = line.split_once(" = ")?;
    if name != "encord" && !name.starts_with("encord-") {
        return None;
    }
    let quoted = value.strip_prefix('"').or_else(|| Some(value.split_once("version = \"")?.1));
    Some(quoted?.split_once('"')?.0)
}

fn is_prefix(short: &str, version: &str) -> bool {
    version.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_need_words() {
        let manifest = "[features]\ndefault = []\n## What it adds.\na = []\nb = [\n    \"dep:c\",\n]\n\n[dependencies]\nd = \"1\"\n";
        assert_eq!(unexplained_features(manifest), BTreeSet::from(["b"]));
    }

    #[test]
    fn versions_are_found_where_they_are_named() {
        #[track_caller]
        fn check(line: &str, expected: Option<&str>) {
            assert_eq!(named_version(line), expected, "{line}");
        }
        check("encord = \"0.1\"", Some("0.1"));
        check("encord-http = { path = \"crates/encord-http\", version = \"0.1.0\" }", Some("0.1.0"));
        check("encord-enums.workspace = true", None);
        check("serde = \"1\"", None);
        check("encord settings --json", None);
    }

    #[test]
    fn a_short_version_stands_for_a_longer_one() {
        assert!(is_prefix("0.1", "0.1.0"));
        assert!(is_prefix("0.1.0", "0.1.0"));
        assert!(!is_prefix("0.1", "0.12.0"));
        assert!(!is_prefix("0.2", "0.1.0"));
    }
}
