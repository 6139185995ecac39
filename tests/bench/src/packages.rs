//! Measures the number of dependencies of each published crate, and the time of a build without any compiled crates.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::case::Benchmark;
use crate::lab::{Lab, output, read_json, root};
use crate::outcome::{Bound, Outcome, Table, Verdict, number};
use crate::plan::DEPENDENCIES;
use crate::stats::Spread;

/// A published crate.
struct Package {
    name: String,
    folder: PathBuf,
    /// Whether it is a library. Other crates can only depend on a library.
    is_library: bool,
}

/// The smoke run only counts dependencies.
pub(crate) fn measure(lab: &Lab, benchmark: &Benchmark, smoke: bool) -> Result<Outcome> {
    let mut rows = Vec::new();
    let mut verdicts = Vec::new();
    let mut raw = Vec::new();
    for package in &published()? {
        let needed = dependencies(lab, package)?;
        let count = u32::try_from(needed.len()).unwrap_or(u32::MAX).into();
        let seconds = if smoke { None } else { Some(cold_build(lab, package)?) };
        rows.push(vec![package.name.clone(), number(count), seconds.map(number).unwrap_or_default()]);
        raw.push(json!({"package": package.name, "dependencies": needed, "cold_build_s": seconds}));
        if let Some((_, most)) = DEPENDENCIES.iter().find(|(name, _)| *name == package.name) {
            let found = Spread { least: count, median: count, most: count };
            let what = format!("{}: dependencies", package.name);
            verdicts.push(Verdict { benchmark: benchmark.name, what, found, bound: Bound::AtMost(*most), unit: "" });
        }
    }
    let table = Table {
        title: "Crates below each published crate, default features".to_owned(),
        head: vec!["", "dependencies", "cold build s"],
        rows,
        remarks: vec![
            "Crates needed to build count too. The build is that of a crate that depends on nothing else, with the profile \
             `dev`; `encord-cli` is built as `cargo install` does it."
                .to_owned(),
        ],
    };
    Ok(Outcome {
        tables: vec![table],
        verdicts,
        raw: Value::from(raw),
        ..Outcome::new(benchmark.name, benchmark.about)
    })
}

fn published() -> Result<Vec<Package>> {
    let metadata = read_json(&output(Command::new("cargo").args(["metadata", "--no-deps", "--format-version", "1"]))?)?;
    let items = |list: &Value| list.as_array().cloned().unwrap_or_default();
    let package = |package: &Value| {
        let manifest = Path::new(package["manifest_path"].as_str()?);
        Some(Package {
            name: package["name"].as_str()?.to_owned(),
            folder: manifest.parent()?.to_owned(),
            is_library: items(&package["targets"]).iter().any(|target| target["kind"][0] == "lib"),
        })
    };
    // `publish = false` is an empty list of registries; null means any registry.
    let published = items(&metadata["packages"]).into_iter().filter(|package| package["publish"].is_null());
    published.map(|found| package(&found).context("cargo metadata lacks a field that it promises")).collect()
}

/// Returns name and version of every crate that is compiled for the package on this platform.
fn dependencies(lab: &Lab, package: &Package) -> Result<BTreeSet<String>> {
    let mut tree = Command::new("cargo");
    tree.args(["tree", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"]);
    let lines = output(tree.args(selection(lab, package)?))?;
    let words = lines.lines().filter_map(|line| Some(line.split(" (").next()?.to_owned()));
    let ours = |line: &str| line.split(' ').next().is_some_and(|name| name == package.name || name == "outside");
    Ok(words.filter(|line| !line.is_empty() && !ours(line)).collect())
}

fn cold_build(lab: &Lab, package: &Package) -> Result<f64> {
    let target = lab.folder.join("cold");
    if target.exists() {
        fs::remove_dir_all(&target)?;
    }
    let mut build = Command::new("cargo");
    build.args(["build", "--quiet", "--target-dir"]).arg(&target).args(selection(lab, package)?);
    if !package.is_library {
        build.arg("--release");
    }
    let began = Instant::now();
    output(&mut build)?;
    let seconds = began.elapsed().as_secs_f64();
    fs::remove_dir_all(&target)?;
    Ok(seconds)
}

/// Returns the arguments that select the build: a program itself, or a new crate that depends only on the library.
fn selection(lab: &Lab, package: &Package) -> Result<[String; 2]> {
    let Package { name, folder, is_library } = package;
    if !is_library {
        return Ok(["--package".to_owned(), name.clone()]);
    }
    let outside = lab.folder.join(name);
    fs::create_dir_all(outside.join("src"))?;
    fs::write(outside.join("src/main.rs"), "fn main() {}\n")?;
    // Uses the versions of the workspace, so that cargo needs no network.
    fs::copy(root().join("Cargo.lock"), outside.join("Cargo.lock"))?;
    let manifest = format!(
        "[package]\nname = \"outside\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n{name} = {{ path = '{}' }}\n",
        folder.display()
    );
    fs::write(outside.join("Cargo.toml"), manifest)?;
    Ok(["--manifest-path".to_owned(), outside.join("Cargo.toml").display().to_string()])
}
