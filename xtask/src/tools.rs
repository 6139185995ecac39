//! The cargo subcommands that the checks use, with the versions that are known to work.

use std::process::{Child, Stdio};
use std::time::Instant;

use crate::job::{Stop, cargo};

pub(crate) const DENY: Subcommand = Subcommand { name: "deny", version: "0.20.2" };
pub(crate) const FUZZ: Subcommand = Subcommand { name: "fuzz", version: "0.13.2" };
pub(crate) const MACHETE: Subcommand = Subcommand { name: "machete", version: "0.9.2" };
/// Used by no check, and installed only on request.
const MUTANTS: Subcommand = Subcommand { name: "mutants", version: "27.1.0" };
pub(crate) const SEMVER_CHECKS: Subcommand = Subcommand { name: "semver-checks", version: "0.51.0" };

/// The tools that the checks use.
const USED: [Subcommand; 4] = [DENY, FUZZ, MACHETE, SEMVER_CHECKS];

/// A profile that compiles fast, because the tools run only briefly.
const PROFILE: [(&str, &str); 4] = [
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
];

/// `cargo-NAME`, to be called as `cargo NAME`.
pub(crate) struct Subcommand {
    name: &'static str,
    version: &'static str,
}

impl Subcommand {
    /// Fails if the tool is missing or has another version, because its results and output may differ.
    pub(crate) fn require(&self) -> Result<(), Stop> {
        if self.is_there() {
            return Ok(());
        }
        let Self { name, version } = self;
        Err(Stop::Missing {
            what: format!("cargo-{name} {version}"),
            install: format!("cargo xtask tools, or cargo install --locked cargo-{name}@{version}"),
        })
    }

    fn is_there(&self) -> bool {
        let output = cargo(self.name).arg("--version").stderr(Stdio::null()).output();
        output.is_ok_and(|output| {
            String::from_utf8_lossy(&output.stdout).split_whitespace().next_back() == Some(self.version)
        })
    }

    fn start(&self) -> Result<Child, String> {
        let Self { name, version } = self;
        let mut install = cargo(&format!("install --locked --quiet --force cargo-{name}@{version}"));
        // Each installation uses its own folder, so that none waits for another.
        install.env_remove("CARGO_TARGET_DIR").env("CARGO_INCREMENTAL", "0").envs(PROFILE);
        install.spawn().map_err(|error| format!("cargo install cargo-{name}: {error}"))
    }
}

/// `cargo xtask tools`: installs the missing tools, or those of `names` that are missing, in parallel. Returns `Ok(false)` if one
/// could not be installed.
pub(crate) fn install(names: &[&str]) -> Result<bool, String> {
    let start = Instant::now();
    let known = || USED.into_iter().chain([MUTANTS]);
    if let Some(unknown) = names.iter().find(|name| !known().any(|tool| tool.name == **name)) {
        let known: Vec<_> = known().map(|tool| tool.name).collect();
        return Err(format!("no tool {unknown:?}; the tools are {}", known.join(", ")));
    }
    let wanted: Vec<Subcommand> =
        if names.is_empty() { USED.into() } else { known().filter(|tool| names.contains(&tool.name)).collect() };
    let missing: Vec<Subcommand> = wanted.into_iter().filter(|tool| !tool.is_there()).collect();
    let children = missing.iter().map(Subcommand::start).collect::<Result<Vec<_>, _>>()?;
    let mut installed = true;
    for (Subcommand { name, version }, mut child) in missing.iter().zip(children) {
        let status = child.wait().map_err(|error| error.to_string())?;
        installed &= status.success();
        let verdict = if status.success() { "installed" } else { "FAILED" };
        println!("cargo-{name} {version} {verdict} after {:.0} s", start.elapsed().as_secs_f64());
    }
    Ok(installed)
}
