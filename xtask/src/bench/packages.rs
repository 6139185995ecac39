//! What a user of each published crate has to build, and how long that takes from nothing.

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;
use std::time::Instant;

use serde_json::{Value, json};

use super::outcome::{Bound, Outcome, Table, Verdict, number};
use super::plan::{Benchmark, DEPENDENCIES};
use super::stats::Spread;
use crate::job::{Job, Stop, cargo, scratch_folder};
use crate::scratch::outside_crate;
use crate::workspace::{Package, Workspace};

/// The smoke run counts only.
pub(super) fn measure(job: &mut Job, benchmark: &Benchmark, smoke: bool) -> Result<Outcome, Stop> {
    let mut rows = Vec::new();
    let mut verdicts = Vec::new();
    let mut raw = Vec::new();
    for package in Workspace::read(job)?.packages.iter().filter(|package| package.published) {
        let needed = dependencies(job, package)?;
        let count = u32::try_from(needed.len()).unwrap_or(u32::MAX).into();
        let seconds = if smoke { None } else { Some(cold_build(job, package)?) };
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
    Ok(Outcome { name: benchmark.name, about: benchmark.about, tables: vec![table], verdicts, raw: Value::from(raw) })
}

/// Name and version of every crate that is compiled for the package, on this platform.
fn dependencies(job: &mut Job, package: &Package) -> Result<BTreeSet<String>, Stop> {
    let mut tree = cargo("tree --edges normal,build --prefix none --format {p}");
    if package.library {
        tree.arg("--manifest-path").arg(user(package)?);
    } else {
        // A program cannot be depended on: it is looked at, and built, where it is.
        tree.args(["--package", &package.name]);
    }
    let lines = job.output(tree.stdout(Stdio::piped()))?;
    let words = lines.lines().filter_map(|line| Some(line.split(" (").next()?.to_owned()));
    let ours = |line: &str| line.split(' ').next().is_some_and(|name| name == package.name || name == "outside");
    Ok(words.filter(|line| !line.is_empty() && !ours(line)).collect())
}

fn cold_build(job: &mut Job, package: &Package) -> Result<f64, Stop> {
    let target = scratch_folder().map_err(|error| Stop::Failed(error.to_string()))?.join("bench/cold");
    if target.exists() {
        fs::remove_dir_all(&target).map_err(|error| Stop::from((&*target, error)))?;
    }
    let mut build = cargo("build --quiet");
    if package.library {
        build.arg("--manifest-path").arg(user(package)?);
    } else {
        build.args(["--release", "--package", &package.name]);
    }
    let began = Instant::now();
    job.run(build.arg("--target-dir").arg(&target))?;
    let seconds = began.elapsed().as_secs_f64();
    fs::remove_dir_all(&target).map_err(|error| Stop::from((&*target, error)))?;
    Ok(seconds)
}

fn user(package: &Package) -> Result<std::path::PathBuf, Stop> {
    outside_crate(&format!("{}-bench", package.name), &package.name, &[], "main.rs", "fn main() {}\n")
}
