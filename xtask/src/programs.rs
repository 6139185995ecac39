//! The verbs `fuzz`, `bench` and `soak` build and start programs of `tests/`.

use std::path::PathBuf;
use std::process::Command;

use crate::job::{Job, Stop, cargo, command};
use crate::sdk;
use crate::workspace::Workspace;

/// `cargo xtask fuzz`
pub(crate) fn fuzz(arguments: &[&str]) -> Result<bool, String> {
    run(cargo("run --quiet --locked --package encord-fuzz --").args(arguments))
}

/// `cargo xtask bench`. Ours are built as they are shipped, and the peers apart from them, so that neither brings features into the
/// other.
pub(crate) fn bench(arguments: &[&str]) -> Result<bool, String> {
    let mut job = Job::new("bench", true).map_err(|error| error.to_string())?;
    let folder = if arguments.contains(&"--quick") {
        with_the_tests(&mut job)
    } else {
        sdk::install(&mut job).and_then(|()| released(&mut job, &["encord-cli", "encord-bench"]))
    };
    let folder = folder.map_err(|stop| format!("{}{stop}", job.log_text()))?;
    run(command(folder.join("encord-bench")).args(arguments))
}

/// `cargo xtask soak`
pub(crate) fn soak(arguments: &[&str]) -> Result<bool, String> {
    let mut job = Job::new("soak", true).map_err(|error| error.to_string())?;
    let folder = released(&mut job, &["encord-cli", "encord-soak"]);
    let folder = folder.map_err(|stop| format!("{}{stop}", job.log_text()))?;
    run(command(folder.join("encord-soak")).args(arguments))
}

/// The check: every program of every benchmark still does its work. Nothing is said about time.
pub(crate) fn bench_smoke(job: &mut Job) -> Result<(), Stop> {
    // Without the SDKs it goes on, and says so.
    match sdk::install(job) {
        Err(stop) if job.strict => return Err(stop),
        _ => {}
    }
    let folder = with_the_tests(job)?;
    job.with_peers(command(folder.join("encord-bench")).arg("--quick"))
}

/// The check: for a few seconds, with the profile of the tests.
pub(crate) fn soak_smoke(job: &mut Job) -> Result<(), Stop> {
    let folder = with_the_tests(job)?;
    job.run(command(folder.join("encord-soak")).args(["--minutes", "0.1"]))
}

fn run(program: &mut Command) -> Result<bool, String> {
    program.status().map(|status| status.success()).map_err(|error| error.to_string())
}

/// Builds what the tests build too, with the same features, so that most of it is there; the folder of the programs.
fn with_the_tests(job: &mut Job) -> Result<PathBuf, Stop> {
    job.run(&mut cargo("build --locked --workspace --all-features --bins --examples"))?;
    Ok(Workspace::read(job)?.target.join("debug"))
}

/// Builds as an installation does: incremental code is slower.
fn released(job: &mut Job, packages: &[&str]) -> Result<PathBuf, Stop> {
    for package in packages {
        job.run(cargo("build --locked --release --bins --package").arg(package).env("CARGO_INCREMENTAL", "0"))?;
    }
    Ok(Workspace::read(job)?.target.join("release"))
}
