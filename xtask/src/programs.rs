//! The commands `fuzz`, `bench` and `soak`, which build and start programs of `tests/`.

use std::path::PathBuf;
use std::process::Command;

use crate::job::{Job, Stop, cargo, command};
use crate::sdk;
use crate::workspace::Workspace;

/// `cargo xtask fuzz`
pub(crate) fn fuzz(arguments: &[&str]) -> Result<bool, String> {
    run(cargo("run --quiet --locked --package encord-fuzz --").args(arguments))
}

/// `cargo xtask bench`. Our programs are built as they are released. The other programs are built separately, so that neither build
/// enables features in the other.
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

/// The check that every program of every benchmark does its work. It does not judge the times.
pub(crate) fn bench_smoke(job: &mut Job) -> Result<(), Stop> {
    // Continues without the SDKs, with a note.
    match sdk::install(job) {
        Err(stop) if job.strict => return Err(stop),
        _ => {}
    }
    let folder = with_the_tests(job)?;
    job.with_peers(command(folder.join("encord-bench")).arg("--quick"))
}

/// The check that runs the soak for a few seconds, with the profile of the tests.
pub(crate) fn soak_smoke(job: &mut Job) -> Result<(), Stop> {
    let folder = with_the_tests(job)?;
    job.run(command(folder.join("encord-soak")).args(["--minutes", "0.1"]))
}

fn run(program: &mut Command) -> Result<bool, String> {
    program.status().map(|status| status.success()).map_err(|error| error.to_string())
}

/// Builds programs with the profile and features of the tests, which mostly exist already. Returns the folder of the programs.
fn with_the_tests(job: &mut Job) -> Result<PathBuf, Stop> {
    job.run(&mut cargo("build --locked --workspace --all-features --bins --examples"))?;
    Ok(Workspace::read(job)?.target.join("debug"))
}

/// Builds programs as an installation does. Incremental compilation would make them slower.
fn released(job: &mut Job, packages: &[&str]) -> Result<PathBuf, Stop> {
    for package in packages {
        job.run(cargo("build --locked --release --bins --package").arg(package).env("CARGO_INCREMENTAL", "0"))?;
    }
    Ok(Workspace::read(job)?.target.join("release"))
}
