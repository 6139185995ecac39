//! `cargo xtask ci` and `cargo xtask release-check`: runs the checks of a list and says how they went.

use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};
use std::{fmt, io};

use crate::job::{Job, Stop, cargo, command};

/// One check. The lists are `checks::CHECKS` and `release_check::CHECKS`.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    /// What passing says.
    pub(crate) about: &'static str,
    pub(crate) needs: &'static [Tool],
    pub(crate) run: Run,
    /// What to do when it fails.
    pub(crate) hint: &'static str,
}

pub(crate) enum Run {
    /// Arguments of cargo, one command a line.
    Cargo(&'static [&'static str]),
    Function(fn(&mut Job) -> Result<(), Stop>),
}

/// Something beyond the bare toolchain that a check cannot run without.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    /// Succeeds where the tool is there. `cargo` stands for the cargo that runs us.
    pub(crate) probe: &'static [&'static str],
    pub(crate) install: &'static str,
}

pub(crate) struct Options {
    checks: &'static [Check],
    names: Vec<String>,
    list: bool,
    keep_going: bool,
    strict: bool,
    baseline: Option<String>,
}

impl Options {
    pub(crate) fn parse(checks: &'static [Check], words: &[&str]) -> Result<Self, String> {
        let mut options =
            Self { checks, names: Vec::new(), list: false, keep_going: false, strict: false, baseline: None };
        let mut words = words.iter();
        while let Some(&word) = words.next() {
            match word {
                "--baseline" if checks.iter().any(|check| check.name == "semver") => {
                    let revision = words.next().ok_or("--baseline needs a git revision")?;
                    options.baseline = Some((*revision).to_owned());
                }
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
    let start = Instant::now();
    let mut table: Vec<(&str, Line)> = Vec::new();
    let mut passed = true;
    for check in selected {
        print!("{:<18}", check.name);
        io::stdout().flush().map_err(|error| error.to_string())?;
        let line = run_one(check, options, &table).map_err(|error| error.to_string())?;
        println!("{line}");
        passed &= line.verdict != Verdict::Failed;
        table.push((check.name, line));
        if !passed && !options.keep_going {
            break;
        }
    }
    println!("\nTimes");
    for (name, line) in table {
        println!("  {name:<18}{line}");
    }
    println!("  {:<18}{:<9}{:>7.1} s", "total", if passed { "ok" } else { "FAILED" }, start.elapsed().as_secs_f64());
    Ok(passed)
}

/// How one check went.
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

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Passed => "ok",
            Verdict::Skipped => "skipped",
            Verdict::Failed => "FAILED",
        };
        write!(f, "{verdict:<9}{:>7.1} s", self.time.as_secs_f64())?;
        self.remarks.iter().try_for_each(|remark| write!(f, "\n    {remark}"))
    }
}

fn run_one(check: &Check, options: &Options, before: &[(&'static str, Line)]) -> io::Result<Line> {
    let start = Instant::now();
    let mut job = Job::new(check.name, options.strict)?;
    job.passed.extend(before.iter().filter(|(_, line)| line.verdict == Verdict::Passed).map(|(name, _)| *name));
    job.baseline.clone_from(&options.baseline);
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
