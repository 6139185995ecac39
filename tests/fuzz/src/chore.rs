//! The tasks of a person: run the targets, keep new inputs, repeat a finding.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser;
use encord_fuzz::corpus::{self, Inputs};
use encord_fuzz::targets::{CHOICE, TARGETS, find};

/// The limit for one input, in seconds. It is long, because the machine may be suspended meanwhile.
const HANG_TIMEOUT: &str = "-timeout=300";

/// The limit of inputs that are kept for a target, besides the seeds.
const MAX_KEPT: usize = 200;

/// Run the fuzz targets.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask fuzz")]
pub(crate) struct Options {
    /// The targets; all of them when none is named
    targets: Vec<String>,
    /// How long each target runs
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u32,
    /// Add new inputs to the corpus: a minimal set that covers the same code
    #[arg(long)]
    keep: bool,
    /// Run the target on this file instead, to repeat a finding
    #[arg(long, value_name = "FILE")]
    repeat: Option<PathBuf>,
    /// List the targets
    #[arg(long)]
    list: bool,
}

pub(crate) fn run(options: &Options) -> Result<(), String> {
    if let Some(unknown) = options.targets.iter().find(|name| find(name).is_none()) {
        return Err(format!("no target {unknown:?}; `cargo xtask fuzz --list` lists them"));
    }
    let is_chosen = |name: &str| options.targets.is_empty() || options.targets.iter().any(|chosen| chosen == name);
    for (name, check) in TARGETS.iter().filter(|(name, _)| is_chosen(name)) {
        if options.list {
            println!("{name}");
        } else if let Some(path) = &options.repeat {
            check(&fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?);
        } else {
            let failed = |error: io::Error| format!("{name}: {error}");
            let folder = work_folder(name).map_err(failed)?;
            fuzz(name, &[&folder], &[&format!("-max_total_time={}", options.seconds)]).map_err(failed)?;
            if options.keep {
                keep(name, &folder).map_err(failed)?;
            }
        }
    }
    Ok(())
}

/// Returns the folder for the inputs of a target, with the kept inputs. The fuzzer adds others.
fn work_folder(name: &str) -> io::Result<PathBuf> {
    let folder = scratch().join("corpus").join(name);
    fs::create_dir_all(&folder)?;
    for (input, bytes) in corpus::read(&corpus::archive(name))? {
        fs::write(folder.join(input), bytes)?;
    }
    Ok(folder)
}

/// Replaces the archive. It gets all files whose names begin with `seed-`, and a minimal set of the others that covers the same
/// code.
fn keep(name: &str, folder: &Path) -> io::Result<()> {
    let least = scratch().join("least");
    if least.exists() {
        fs::remove_dir_all(&least)?;
    }
    fs::create_dir_all(&least)?;
    let (mut kept, _) = seeds_and_found(folder)?;
    for (seed, bytes) in &kept {
        fs::write(least.join(seed), bytes)?;
    }
    fuzz(name, &[&least, folder], &["-set_cover_merge=1", "-use_counters=0"])?;
    // The fuzzer counts each stack depth as new code, so there can be too many inputs. Keeps the smallest.
    let mut found: Vec<_> = seeds_and_found(&least)?.1.into_iter().collect();
    found.sort_by_key(|(_, bytes)| bytes.len());
    kept.extend(found.into_iter().take(MAX_KEPT));
    corpus::write(&corpus::archive(name), &kept)
}

fn seeds_and_found(folder: &Path) -> io::Result<(Inputs, Inputs)> {
    let mut inputs = Inputs::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        inputs.insert(name, fs::read(&path)?);
    }
    Ok(inputs.into_iter().partition(|(name, _)| name.starts_with("seed-")))
}

/// Runs the fuzzer without a sanitizer. Sanitizers need a nightly toolchain, and this code has no `unsafe`.
fn fuzz(name: &str, corpora: &[&Path], options: &[&str]) -> io::Result<()> {
    println!("{name}");
    let artifacts = scratch().join("artifacts").join(name);
    fs::create_dir_all(&artifacts)?;
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["fuzz", "run", "--sanitizer", "none", "--fuzz-dir", env!("CARGO_MANIFEST_DIR"), "--target-dir"])
        .arg(scratch().join("target"))
        .arg("encord-fuzz")
        .args(corpora)
        .args(["--", HANG_TIMEOUT, "-print_final_stats=1"])
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .args(options)
        .env(CHOICE, name)
        .status()?;
    if status.success() {
        return Ok(());
    }
    let advice = format!("the output names the input; `cargo xtask fuzz {name} --repeat FILE` repeats it");
    Err(io::Error::other(format!("{status}; {advice}")))
}

fn scratch() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/xtask/fuzz")
}
