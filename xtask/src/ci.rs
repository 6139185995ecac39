//! `cargo xtask ci` and `cargo xtask release-check`: run the checks of a list and print the results.

use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};
use std::{env, fmt, fs, io};

use crate::job::{Job, Stop, cargo, command, scratch_folder};

/// One check. The lists are `checks::CHECKS` and `release_check::CHECKS`.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    /// A statement that is true if the check passes.
    pub(crate) about: &'static str,
    pub(crate) needs: &'static [Tool],
    /// If one of these programs is missing, the check passes and skips some tests.
    pub(crate) uses: &'static [Program],
    pub(crate) run: Run,
    /// What to do if it fails.
    pub(crate) hint: &'static str,
}

pub(crate) enum Run {
    /// The arguments of cargo commands, one command per line.
    Cargo(&'static [&'static str]),
    Function(fn(&mut Job) -> Result<(), Stop>),
}

/// A tool that a check needs, and that is not part of the minimal toolchain.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    /// A command that succeeds if the tool is installed. `cargo` stands for the cargo that runs this program.
    pub(crate) probe: &'static [&'static str],
    pub(crate) install: &'static str,
}

/// A program of the system, and its Debian package.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) package: &'static str,
}

impl Program {
    fn is_there(&self) -> bool {
        let path = env::var_os("PATH").unwrap_or_default();
        // On Debian, only root has these folders in the search path.
        let mut folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
        folders.any(|folder| folder.join(self.name).is_file())
    }
}

pub(crate) struct Options {
    checks: &'static [Check],
    names: Vec<String>,
    list: bool,
    keep_going: bool,
    strict: bool,
}

impl Options {
    pub(crate) fn parse(checks: &'static [Check], words: &[&str]) -> Result<Self, String> {
        let mut options = Self { checks, names: Vec::new(), list: false, keep_going: false, strict: false };
        for &word in words {
            match word {
                "--list" => options.list = true,
                "--keep-going" => options.keep_going = true,
                "--strict" => options.strict = true,
                name if checks.iter().any(|check| check.name == name) => options.names.push(name.to_owned()),
                unknown => {
                    let names: Vec<_> = checks.iter().map(|check| check.name).collect();
                    return Err(format!("no check or option {unknown:?}; the checks are {}", names.join(", ")));
                }
            }
        }
        Ok(options)
    }

    fn selects(&self, check: &Check) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| name == check.name)
    }
}

/// Runs the selected checks in the order of the list. `Ok(false)`: at least one failed.
pub(crate) fn run(options: &Options) -> Result<bool, String> {
    let selected: Vec<&Check> = options.checks.iter().filter(|check| options.selects(check)).collect();
    if options.list {
        for check in selected {
            println!("{:<18}{}", check.name, check.about);
        }
        return Ok(true);
    }
    if options.names.is_empty() {
        announce(&selected);
    }
    let start = Instant::now();
    let mut table: Vec<(&str, Line)> = Vec::new();
    let mut passed = true;
    for check in selected {
        print!("{:<18}", check.name);
        io::stdout().flush().map_err(|error| error.to_string())?;
        let line = run_one(check, options, &table).map_err(|error| error.to_string())?;
        println!("{line}");
        if line.verdict == Verdict::Passed {
            // A failure is ignored: the time is only shown in the next run.
            drop(scratch_folder().and_then(|folder| {
                let seconds = line.time.as_secs_f64().to_string();
                fs::write(folder.join(check.name).with_extension("seconds"), seconds)
            }));
        }
        passed &= line.verdict != Verdict::Failed;
        table.push((check.name, line));
        if !passed && !options.keep_going {
            break;
        }
    }
    println!("\nTimes");
    for (name, line) in table {
        println!("  {name:<18}{:<9}{:>7.1} s", line.verdict, line.time.as_secs_f64());
    }
    println!("  {:<18}{:<9}{:>7.1} s", "total", if passed { "ok" } else { "FAILED" }, start.elapsed().as_secs_f64());
    Ok(passed)
}

/// Prints how long the checks took the last time, and which tests will be skipped.
fn announce(selected: &[&Check]) {
    let known: Vec<f64> = selected.iter().filter_map(|check| last_time(check.name)).collect();
    let minutes = known.iter().sum::<f64>() / 60.0;
    let count = selected.len();
    match count - known.len() {
        0 => println!("{count} checks; they took about {minutes:.0} min the last time"),
        new => {
            println!(
                "{count} checks, {new} of them for the first time here; all checks take about 40 min on two cores"
            );
        }
    }
    let programs = selected.iter().flat_map(|check| check.uses);
    let missing: Vec<&Program> = programs.filter(|program| !program.is_there()).collect();
    if !missing.is_empty() {
        let names: Vec<_> = missing.iter().map(|program| program.name).collect();
        let packages: Vec<_> = missing.iter().map(|program| program.package).collect();
        println!(
            "tests that need {} are skipped; to run them: apt-get install {}",
            names.join(", "),
            packages.join(" ")
        );
    }
    println!();
}

fn last_time(name: &str) -> Option<f64> {
    fs::read_to_string(scratch_folder().ok()?.join(name).with_extension("seconds")).ok()?.parse().ok()
}

/// The result of one check.
struct Line {
    verdict: Verdict,
    time: Duration,
    remarks: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Passed,
    Skipped,
    Failed,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Passed => "ok",
            Self::Skipped => "skipped",
            Self::Failed => "FAILED",
        })
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<9}{:>7.1} s", self.verdict, self.time.as_secs_f64())?;
        self.remarks.iter().try_for_each(|remark| write!(f, "\n    {remark}"))
    }
}

fn run_one(check: &Check, options: &Options, before: &[(&'static str, Line)]) -> io::Result<Line> {
    let start = Instant::now();
    let mut job = Job::new(check.name, options.strict)?;
    job.passed.extend(before.iter().filter(|(_, line)| line.verdict == Verdict::Passed).map(|(name, _)| *name));
    let outcome = check.needs.iter().try_for_each(Tool::require).and_then(|()| match check.run {
        Run::Cargo(lines) => lines.iter().try_for_each(|line| job.run(&mut cargo(line))),
        Run::Function(function) => function(&mut job),
    });
    let (verdict, remarks) = match outcome {
        Ok(()) => (Verdict::Passed, job.notes),
        Err(Stop::Missing { what, install }) if !options.strict => {
            (Verdict::Skipped, vec![format!("{what} is missing; to get it: {install}")])
        }
        Err(stop) => {
            print!("\n{}", job.log_text());
            println!("{stop}");
            println!("hint: {}", check.hint);
            print!("{:<18}", check.name);
            (Verdict::Failed, Vec::new())
        }
    };
    Ok(Line { verdict, time: start.elapsed(), remarks })
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(message) => f.write_str(message),
            Self::Missing { what, install } => write!(f, "{what} is missing; to get it: {install}"),
        }
    }
}

impl Tool {
    fn require(&self) -> Result<(), Stop> {
        let found = match self.probe {
            ["cargo", arguments @ ..] => cargo("").args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status(),
            [program, arguments @ ..] => {
                command(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status()
            }
            [] => return Ok(()),
        };
        if found.is_ok_and(|status| status.success()) {
            return Ok(());
        }
        Err(Stop::Missing { what: self.name.to_owned(), install: self.install.to_owned() })
    }
}
