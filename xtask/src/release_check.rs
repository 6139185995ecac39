//! The checks of `cargo xtask release-check`. The quick ones belong to `cargo xtask ci` too.

mod contents;
mod minimal;
mod semver;
mod wheel;

use serde_json::Value;

use crate::ci::{Check, Run, Tool};
use crate::job::{Job, Stop, cargo};
use crate::tools;
use crate::workspace::{Package, Workspace};

pub(crate) const CONTENTS: Check = Check {
    name: "contents",
    about: "each package holds its sources, README and licenses, and nothing else",
    needs: &[],
    uses: &[],
    run: Run::Function(contents::check),
    hint: "delete stray files or let git ignore them; the licenses are links: ln -s ../../LICENSE-MIT ../../LICENSE-APACHE .",
};
pub(crate) const DENY: Check = Check {
    name: "deny",
    about: "licenses, sources, banned and doubled dependencies",
    needs: &[],
    uses: &[],
    run: Run::Function(deny),
    hint: "the rules are in .deny.toml; give each exception a reason there",
};
pub(crate) const MACHETE: Check = Check {
    name: "machete",
    about: "no dependency is named and not used",
    needs: &[],
    uses: &[],
    run: Run::Function(machete),
    hint: "remove it; if it only enables a feature, name it in package.metadata.cargo-machete",
};

pub(crate) const PYTHON: Tool = Tool {
    name: "python3 with venv",
    probe: &["python3", "-c", "import ensurepip, venv"],
    install: "apt-get install python3-venv",
};

/// Needed to compile libFuzzer.
const CXX: Tool = Tool { name: "a C++ compiler", probe: &["c++", "--version"], install: "apt-get install g++" };

/// The quick ones first.
pub(crate) const CHECKS: &[Check] = &[
    CONTENTS,
    DENY,
    MACHETE,
    Check {
        name: "packages",
        about: "each package builds from its own tarball, in the order of publication",
        needs: &[],
        uses: &[],
        run: Run::Function(contents::build),
        hint: "a needed file is outside the package's folder, or not in git; repeat with `cargo publish --workspace --dry-run`",
    },
    Check {
        name: "docs-rs",
        about: "the documentation builds without a warning as docs.rs builds it",
        needs: &[],
        uses: &[],
        run: Run::Function(docs_rs),
        hint: "the features are those of package.metadata.docs.rs; `cfg(docsrs)` is set",
    },
    Check {
        name: "minimal-versions",
        about: "the oldest versions that the manifests allow still compile",
        needs: &[],
        uses: &[],
        run: Run::Function(minimal::check),
        hint: "raise the version in the root Cargo.toml to the first that has the items in use",
    },
    Check {
        name: "semver",
        about: "the new version number fits the changes of the public API",
        needs: &[],
        uses: &[],
        run: Run::Function(semver::check),
        hint: "keep the old item, or raise the version in Cargo.toml",
    },
    Check {
        name: "wheel",
        about: "the command can be installed by pip and runs",
        needs: &[PYTHON],
        uses: &[],
        run: Run::Function(wheel::check),
        hint: "repeat it with `pip install ./crates/encord-cli`; maturin, which pip brings in, says what is missing",
    },
    Check {
        name: "fuzz-smoke",
        about: "no fuzz target finds anything within seconds",
        needs: &[CXX],
        uses: &[],
        run: Run::Function(fuzz_smoke),
        hint: "the log names the input; `cargo xtask fuzz TARGET --repeat FILE` repeats it",
    },
];

fn deny(job: &mut Job) -> Result<(), Stop> {
    tools::DENY.require()?;
    // Warnings are errors, because they name exceptions that are no longer needed.
    job.run(&mut cargo("deny --offline --locked check -D warnings licenses bans sources"))
}

fn fuzz_smoke(job: &mut Job) -> Result<(), Stop> {
    tools::FUZZ.require()?;
    job.run(&mut cargo("run --quiet --locked -p encord-fuzz -- --seconds 3"))
}

fn machete(job: &mut Job) -> Result<(), Stop> {
    tools::MACHETE.require()?;
    // Without metadata, machete reports `md-5` as unused, because its code says `md5`. `target` has thousands of sources.
    job.run(&mut cargo("machete --with-metadata --skip-target-dir"))
}

/// Builds the documentation as docs.rs does. docs.rs uses a nightly compiler; `RUSTC_BOOTSTRAP` makes the stable compiler accept
/// `#![feature(doc_cfg)]`. The target folder is separate, because some build scripts read the variable and would run again.
fn docs_rs(job: &mut Job) -> Result<(), Stop> {
    for package in Workspace::read(job)?.packages.iter().filter(|package| package.published && package.library) {
        let features = documented_features(package).map_err(Stop::Failed)?;
        let name = &package.name;
        let mut doc = cargo(&format!("rustdoc -p {name} --lib {features} --target-dir target/xtask/docs-rs"));
        doc.args(["--", "--cfg", "docsrs", "-D", "warnings"]);
        job.run(doc.env("RUSTC_BOOTSTRAP", "1"))?;
    }
    Ok(())
}

/// Returns the features that docs.rs uses. A crate with features must ask for all, or docs.rs would hide items.
fn documented_features(package: &Package) -> Result<&'static str, String> {
    match &package.docs_rs["all-features"] {
        Value::Bool(true) => Ok("--all-features"),
        _ if package.features.is_empty() => Ok(""),
        _ => Err(format!("{}: has features, but no `all-features = true` in [package.metadata.docs.rs]", package.name)),
    }
}
