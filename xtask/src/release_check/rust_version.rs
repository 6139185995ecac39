//! The stated rust-version against those of all dependencies.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;

use serde_json::Value;

use crate::job::{Job, Stop, cargo, none_of};
use crate::workspace::items;

/// On all platforms, under all features, as locked. What a dependency says of itself is what is compared; that the
/// code compiles with this Rust is checked where such a Rust is, by the job `msrv` of the workflow.
pub(crate) fn check(job: &mut Job) -> Result<(), Stop> {
    let text = job.output(cargo("metadata --all-features --locked --format-version 1").stdout(Stdio::piped()))?;
    let metadata = serde_json::from_str(&text).map_err(|error| Stop::Failed(format!("cargo metadata: {error}")))?;
    let Findings { problems, silent } = compare(&metadata);
    if !silent.is_empty() {
        job.say(format_args!("without a rust-version: {}", silent.into_iter().collect::<Vec<_>>().join(", ")))?;
    }
    none_of(&problems)
}

#[derive(Debug, Default)]
struct Findings {
    problems: Vec<String>,
    /// Dependencies that state no rust-version.
    silent: BTreeSet<String>,
}

fn compare(metadata: &Value) -> Findings {
    let packages: BTreeMap<&str, &Value> =
        items(&metadata["packages"]).filter_map(|package| Some((package["id"].as_str()?, package))).collect();
    let nodes: BTreeMap<&str, &Value> =
        items(&metadata["resolve"]["nodes"]).filter_map(|node| Some((node["id"].as_str()?, node))).collect();
    let mut findings = Findings::default();
    for member in items(&metadata["workspace_members"]).filter_map(Value::as_str) {
        let Some(package) = packages.get(member).filter(|package| package["publish"].is_null()) else { continue };
        let (name, Some(stated)) = (text(&package["name"]), version(&package["rust_version"])) else {
            findings.problems.push(format!("{}: no rust-version", text(&package["name"])));
            continue;
        };
        for dependency in below(member, &nodes).iter().filter_map(|id| packages.get(id)) {
            let label = format!("{} {}", text(&dependency["name"]), text(&dependency["version"]));
            match version(&dependency["rust_version"]) {
                Some(needed) if needed > stated => findings.problems.push(format!(
                    "{name} states Rust {}, but {label} needs {}",
                    text(&package["rust_version"]),
                    text(&dependency["rust_version"])
                )),
                Some(_) => {}
                None => drop(findings.silent.insert(label)),
            }
        }
    }
    findings
}

/// The ids of all packages that are needed to build `id`, itself left out.
fn below<'a>(id: &'a str, nodes: &BTreeMap<&'a str, &'a Value>) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut ahead = vec![id];
    while let Some(id) = ahead.pop() {
        for dependency in nodes.get(id).into_iter().flat_map(|node| items(&node["deps"])) {
            let for_tests = items(&dependency["dep_kinds"]).all(|kind| kind["kind"] == "dev");
            if let (false, Some(id)) = (for_tests, dependency["pkg"].as_str())
                && found.insert(id)
            {
                ahead.push(id);
            }
        }
    }
    found
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// `1.85` is `1.85.0`.
fn version(value: &Value) -> Option<[u64; 3]> {
    let mut numbers = value.as_str()?.split('.').map(|number| number.parse().unwrap_or(0));
    Some([(); 3].map(|()| numbers.next().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{compare, version};

    #[test]
    fn versions_are_numbers() {
        assert!(version(&json!("1.9")) < version(&json!("1.88.1")));
        assert_eq!(version(&json!("1.88")), version(&json!("1.88.0")));
        assert_eq!(version(&json!(null)), None);
    }

    #[test]
    fn a_dependency_that_needs_a_newer_rust_is_found() {
        /// `a` → `b` → `c`, and `t` for tests only.
        #[track_caller]
        fn check(c: Option<&str>, publish: Option<[&str; 0]>, problems: &[&str], silent: usize) {
            let package = |name: &str, rust: Option<&str>, publish: Option<[&str; 0]>| json!({ "id": name, "name": name, "version": "1.0.0", "rust_version": rust, "publish": publish });
            let edge = |to: &str, kind: Option<&str>| json!({ "pkg": to, "dep_kinds": [{ "kind": kind }] });
            let found = compare(&json!({
                "workspace_members": ["a"],
                "packages": [
                    package("a", Some("1.88"), publish), package("b", Some("1.60"), None),
                    package("c", c, None), package("t", Some("1.99"), None),
                ],
                "resolve": { "nodes": [
                    { "id": "a", "deps": [edge("b", None), edge("t", Some("dev"))] },
                    { "id": "b", "deps": [edge("c", Some("build"))] },
                ] },
            }));
            assert_eq!(found.problems, problems);
            assert_eq!(found.silent.len(), silent);
        }
        check(Some("1.88.0"), None, &[], 0);
        check(Some("1.89"), None, &["a states Rust 1.88, but c 1.0.0 needs 1.89"], 0);
        check(Some("1.89"), Some([]), &[], 0);
        check(None, None, &[], 1);
    }
}
