//! `cargo xtask fuzz`: the targets of `tests/fuzz`, one after another, by libFuzzer on the stable toolchain.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::job::{Job, Stop, cargo, root, scratch_folder};
use crate::tidy::sources;
use crate::tools;

/// The crate of the targets, a workspace of its own.
pub(crate) const FOLDER: &str = "tests/fuzz";

const SECONDS: u32 = 60;
/// For each target as a check.
const SMOKE_SECONDS: u32 = 3;

/// Far above what any input takes; a machine may be put to sleep in between.
const HANGS_AFTER: &str = "-timeout=300";

/// How many inputs of a target are kept beside the seeds.
const MOST_KEPT: usize = 200;

#[derive(Debug)]
pub(crate) struct Options {
    targets: Vec<String>,
    seconds: u32,
    list: bool,
    keep: bool,
}

/// One target.
struct Target {
    name: String,
    /// What stands for all inputs, in git.
    kept: PathBuf,
    /// What the fuzzer adds to it from run to run.
    found: PathBuf,
}

impl Options {
    pub(crate) fn parse(words: &[&str]) -> Result<Self, String> {
        let known = names().map_err(|stop| stop.to_string())?;
        let mut options = Self { targets: Vec::new(), seconds: SECONDS, list: false, keep: false };
        let mut words = words.iter().copied();
        while let Some(word) = words.next() {
            match word {
                "--list" => options.list = true,
                "--keep" => options.keep = true,
                "--seconds" => {
                    let seconds = words.next().and_then(|text| text.parse().ok()).filter(|seconds| *seconds > 0);
                    options.seconds = seconds.ok_or("--seconds needs a number above 0")?;
                }
                name if known.iter().any(|known| known == name) => options.targets.push(name.to_owned()),
                unknown => {
                    return Err(format!("no target or option {unknown:?}; the targets are {}", known.join(", ")));
                }
            }
        }
        if options.targets.is_empty() {
            options.targets = known;
        }
        Ok(options)
    }
}

/// `Ok(false)`: something was found, and the input that shows it has been named.
pub(crate) fn run(options: &Options) -> Result<bool, String> {
    if options.list {
        options.targets.iter().for_each(|name| println!("{name}"));
        return Ok(true);
    }
    let mut passed = true;
    for name in &options.targets {
        print!("{name:<15}");
        io::stdout().flush().map_err(|error| error.to_string())?;
        let mut job = Job::new(&format!("fuzz-{name}"), true).map_err(|error| error.to_string())?;
        let done = Target::new(name).and_then(|target| {
            target.fuzz(&mut job, options.seconds)?;
            if options.keep { target.keep(&mut job) } else { Ok(()) }
        });
        match done {
            Ok(()) => println!("ok  {}", summary(&job.log_text())),
            Err(stop) => {
                println!("FAILED\n{}{stop}", job.log_text());
                passed = false;
            }
        }
    }
    Ok(passed)
}

/// A few seconds of each target: it builds, holds on its corpus, and nothing lies on the surface.
pub(crate) fn smoke(job: &mut Job) -> Result<(), Stop> {
    tools::FUZZ.require()?;
    // Cargo-fuzz would mend the lock file without a word.
    let manifest = format!("{FOLDER}/Cargo.toml");
    job.run(cargo("fetch --quiet --locked --manifest-path").arg(manifest))?;
    names()?.iter().try_for_each(|name| Target::new(name)?.fuzz(job, SMOKE_SECONDS))
}

fn names() -> Result<Vec<String>, Stop> {
    let programs = sources(&root().join(FOLDER).join("targets"), "rs")?;
    Ok(programs.iter().filter_map(|source| Some(source.path.file_stem()?.to_str()?.to_owned())).collect())
}

impl Target {
    fn new(name: &str) -> Result<Self, Stop> {
        let kept = root().join(FOLDER).join("corpus").join(name);
        let found = scratch_folder().map(|folder| folder.join("fuzz/corpus").join(name));
        let found = found.and_then(|found| fs::create_dir_all(&found).map(|()| found));
        Ok(Self { name: name.to_owned(), found: found.map_err(|error| Stop::Failed(error.to_string()))?, kept })
    }

    fn fuzz(&self, job: &mut Job, seconds: u32) -> Result<(), Stop> {
        tools::FUZZ.require()?;
        let time = format!("-max_total_time={seconds}");
        job.run(self.cargo_fuzz(&[&self.found, &self.kept]).args(["--", &time, HANGS_AFTER]))
    }

    /// Puts what was found in the place of the kept inputs that nobody wrote: as few as go through the same code. The seeds,
    /// written by hand, stay.
    fn keep(&self, job: &mut Job) -> Result<(), Stop> {
        for path in files(&self.kept)? {
            if !is_seed(&path) {
                let found = self.found.join(path.file_name().unwrap_or_default());
                let moved = fs::copy(&path, found).and_then(|_| fs::remove_file(&path));
                moved.map_err(|error| Stop::from((&*path, error)))?;
            }
        }
        let merge = ["--", "-set_cover_merge=1", "-use_counters=0", HANGS_AFTER];
        job.run(self.cargo_fuzz(&[&self.kept, &self.found]).args(merge))?;
        // A depth of the stack counts as something new, so there can be too many. The smallest say the most.
        let mut found = Vec::new();
        for path in files(&self.kept)? {
            let length = path.metadata().map_err(|error| Stop::from((&*path, error)))?.len();
            if !is_seed(&path) {
                found.push((length, path));
            }
        }
        found.sort();
        let removed = found.iter().skip(MOST_KEPT).try_for_each(|(_, path)| fs::remove_file(path));
        removed.map_err(|error| Stop::from((&*self.kept, error)))
    }

    /// Without a sanitizer, which only a nightly toolchain has: none of this code is unsafe.
    fn cargo_fuzz(&self, corpora: &[&Path]) -> Command {
        let mut command = cargo("fuzz run --sanitizer none --target-dir target/xtask/fuzz/target --fuzz-dir");
        command.args([FOLDER, &self.name]).args(corpora);
        command
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Stop> {
    let entries = fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    entries.map_err(|error: io::Error| Stop::from((folder, error)))
}

fn is_seed(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("seed-"))
}

/// What libFuzzer said last of its coverage, and how much it ran.
fn summary(log: &str) -> String {
    let covered = log.lines().rev().find_map(|line| line.split_once(" cov: ")?.1.split(' ').next());
    let done = log.lines().rev().find(|line| line.starts_with("Done ")).unwrap_or_default();
    covered.map_or_else(|| done.to_owned(), |edges| format!("{done}, {edges} edges"))
}

#[cfg(test)]
mod tests {
    use super::summary;

    #[test]
    fn the_summary_is_of_the_last_run() {
        let log = "#2\tINITED cov: 10 ft: 11 corp: 1/1b exec/s: 0 rss: 30Mb\n#9\tDONE   cov: 12 ft: 13 corp: 2/2b\nDone 9 runs in 1 second(s)\n";
        assert_eq!(summary(log), "Done 9 runs in 1 second(s), 12 edges");
        assert_eq!(summary(""), "");
    }
}
