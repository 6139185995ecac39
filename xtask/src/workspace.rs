//! The packages of the workspace, from `cargo metadata`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

use crate::job::{Job, Stop, cargo};

pub(crate) struct Workspace {
    pub(crate) packages: Vec<Package>,
    /// The target folder.
    pub(crate) target: PathBuf,
}

pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) published: bool,
    /// Whether it has a library.
    pub(crate) library: bool,
    /// The table `package.metadata.docs.rs`, or null.
    pub(crate) docs_rs: Value,
    pub(crate) examples: Vec<String>,
    /// All features except `default`.
    pub(crate) features: Vec<String>,
    pub(crate) folder: PathBuf,
    /// Its dependencies of this workspace, without dev-dependencies.
    pub(crate) siblings: BTreeSet<String>,
    /// Its other dependencies, without dev-dependencies.
    pub(crate) others: BTreeSet<String>,
}

impl Workspace {
    pub(crate) fn read(job: &mut Job) -> Result<Self, Stop> {
        let output = job.output(cargo("metadata --no-deps --format-version 1").stdout(std::process::Stdio::piped()))?;
        let metadata: Value =
            serde_json::from_str(&output).map_err(|error| Stop::Failed(format!("cargo metadata: {error}")))?;
        let packages = items(&metadata["packages"]).map(Package::read).collect::<Option<Vec<_>>>();
        let target = text(&metadata["target_directory"]).map(PathBuf::from);
        let read = packages.zip(target).map(|(packages, target)| Self { packages, target });
        read.ok_or_else(|| Stop::Failed("cargo metadata lacks a field that it promises".into()))
    }
}

impl Package {
    fn read(package: &Value) -> Option<Self> {
        let (siblings, others): (Vec<_>, Vec<_>) = items(&package["dependencies"])
            .filter(|dependency| dependency["kind"] != "dev")
            .partition(|dependency| dependency["path"].is_string());
        let names =
            |dependencies: Vec<&Value>| dependencies.into_iter().map(|it| text(&it["name"])).collect::<Option<_>>();
        let targets = |kind: &'static str| {
            items(&package["targets"]).filter(move |target| items(&target["kind"]).any(|other| other == kind))
        };
        let features = package["features"].as_object()?.keys().filter(|name| *name != "default");
        Some(Self {
            name: text(&package["name"])?,
            version: text(&package["version"])?,
            // `publish = false` is an empty list of registries; null means any registry.
            published: package["publish"].is_null(),
            library: targets("lib").next().is_some(),
            examples: targets("example").map(|target| text(&target["name"])).collect::<Option<_>>()?,
            docs_rs: package["metadata"]["docs"]["rs"].clone(),
            features: features.cloned().collect(),
            folder: PathBuf::from(text(&package["manifest_path"])?).parent()?.to_owned(),
            siblings: names(siblings)?,
            others: names(others)?,
        })
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
