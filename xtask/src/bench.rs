//! `cargo xtask bench`: two programs in one run on one machine, in turns, and what follows from it.

mod chart;
mod lab;
mod outcome;
mod packages;
mod plan;
mod stats;
mod timings;
mod uploads;

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;

use serde_json::Value;

use self::lab::Lab;
use self::outcome::{Outcome, Table};
use self::plan::{BENCHMARKS, Benchmark, Work};
use crate::job::{Job, Stop, command, root};
use crate::sdk;

/// Enough for a median that one disturbed round does not move.
const ROUNDS: usize = 7;
/// What `--record` writes, below `docs`.
const PAGE: &str = "performance.md";
/// The lines of the page between which the tables stand.
const MARKS: [&str; 2] = ["<!-- cargo xtask bench --record -->\n", "<!-- end -->\n"];

#[derive(Debug)]
pub(crate) struct Options {
    names: Vec<&'static str>,
    list: bool,
    /// Small sizes, one round, no warm-up.
    quick: bool,
    rounds: usize,
    json: Option<PathBuf>,
    svg: Option<PathBuf>,
    /// All of it into `docs`.
    record: bool,
}

impl Options {
    pub(crate) fn parse(words: &[&str]) -> Result<Self, String> {
        let mut options =
            Self { names: Vec::new(), list: false, quick: false, rounds: ROUNDS, json: None, svg: None, record: false };
        let mut words = words.iter().copied();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word {
                "--list" => options.list = true,
                "--quick" => options.quick = true,
                "--record" => options.record = true,
                "--json" => options.json = Some(value()?.into()),
                "--svg" => options.svg = Some(value()?.into()),
                "--rounds" => {
                    options.rounds = value()?.parse().map_err(|error| format!("--rounds: {error}"))?;
                    if options.rounds == 0 {
                        return Err("--rounds: at least 1".to_owned());
                    }
                }
                name => match BENCHMARKS.iter().find(|benchmark| benchmark.name.eq_ignore_ascii_case(name)) {
                    Some(benchmark) => options.names.push(benchmark.name),
                    None => {
                        return Err(format!("no benchmark or option {name:?}; `cargo xtask bench --list` lists them"));
                    }
                },
            }
        }
        if options.quick {
            options.rounds = 1;
        }
        if options.record && (options.quick || !options.names.is_empty()) {
            return Err("--record: the page shows a full run of all benchmarks".to_owned());
        }
        Ok(options)
    }

    fn selected(&self) -> impl Iterator<Item = &'static Benchmark> {
        BENCHMARKS.iter().filter(|benchmark| self.names.is_empty() || self.names.contains(&benchmark.name))
    }
}

/// `Ok(false)`: a program did not do its work, or could not be had. An aim that is missed is no failure.
pub(crate) fn run(options: &Options) -> Result<bool, String> {
    if options.list {
        options.selected().for_each(|benchmark| println!("{:<5}{}", benchmark.name, benchmark.about));
        return Ok(true);
    }
    let mut job = Job::new("bench", true).map_err(|error| error.to_string())?;
    let done = measure(&mut job, options).and_then(|outcomes| {
        let facts = facts(&mut job, options.rounds);
        write(options, &outcomes, &facts)
    });
    if let Err(stop) = &done {
        eprintln!("{}{stop}", job.log_text());
    }
    Ok(done.is_ok())
}

/// The check: every program of every benchmark still does its work. Nothing is said about time.
pub(crate) fn smoke(job: &mut Job) -> Result<(), Stop> {
    let options = Options::parse(&["--quick"]).map_err(Stop::Failed)?;
    measure(job, &options).map(drop)
}

fn measure(job: &mut Job, options: &Options) -> Result<Vec<Outcome>, Stop> {
    let quick = options.quick;
    let lab = if options.selected().any(|benchmark| !matches!(benchmark.work, Work::Packages)) {
        Some(Lab::open(job, quick)?)
    } else {
        None
    };
    let mut outcomes = Vec::new();
    for benchmark in options.selected() {
        let outcome = match (&benchmark.work, &lab) {
            (Work::Uploads(cases), Some(lab)) => uploads::measure(job, lab, benchmark, cases, options.rounds, quick)?,
            (Work::Timings(timings), Some(lab)) => {
                timings::measure(job, lab, benchmark, timings, options.rounds, quick)?
            }
            (Work::Uploads(_) | Work::Timings(_), None) => continue,
            (Work::Packages, _) => packages::measure(job, benchmark, quick)?,
        };
        job.say(markdown(&outcome))?;
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

fn markdown(outcome: &Outcome) -> String {
    let title = format!("## {}: {}\n\n", outcome.name, outcome.about);
    let section = |table: &Table| format!("{}\n\n{}\n", table.title, table.markdown());
    outcome.tables.iter().map(section).fold(title, |text, section| text + &section)
}

fn write(options: &Options, outcomes: &[Outcome], facts: &[(&str, String)]) -> Result<(), Stop> {
    let verdicts = outcome::verdicts(outcomes);
    let mut text = facts.iter().fold(String::new(), |text, (name, value)| text + "- " + name + ": " + value + "\n");
    if !verdicts.rows.is_empty() {
        text = text + "\n## Aims\n\n" + &verdicts.markdown();
    }
    text += "\n";
    text.extend(outcomes.iter().map(markdown));
    print!("{text}");

    let json: Value = outcome::to_json(outcomes, facts);
    let chart = chart::draw(outcomes);
    let docs = root().join("docs");
    let recorded = |name: &str| options.record.then(|| docs.join(name));
    for path in [&options.json, &recorded("performance.json")].into_iter().flatten() {
        save(path, &format!("{json:#}\n"))?;
    }
    for path in [&options.svg, &recorded("performance.svg")].into_iter().flatten() {
        save(path, chart.as_deref().unwrap_or_default())?;
    }
    if let Some(page) = recorded(PAGE) {
        let old = fs::read_to_string(&page).map_err(|error| Stop::from((&*page, error)))?;
        let new =
            between_marks(&old, &text).ok_or_else(|| Stop::Failed(format!("{PAGE} lacks the marks {MARKS:?}")))?;
        save(&page, &new)?;
    }
    Ok(())
}

fn save(path: &PathBuf, text: &str) -> Result<(), Stop> {
    fs::write(path, text).map_err(|error| Stop::from((&**path, error)))?;
    println!("{}", path.display());
    Ok(())
}

fn between_marks(page: &str, text: &str) -> Option<String> {
    let [begin, end] = MARKS;
    let (before, rest) = page.split_once(begin)?;
    let (_, after) = rest.split_once(end)?;
    Some(format!("{before}{begin}\n{}\n\n{end}{after}", text.trim_end()))
}

/// On what, and with which peers, the figures were taken.
fn facts(job: &mut Job, rounds: usize) -> Vec<(&'static str, String)> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| -> String {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.map(|rest| rest.trim_start_matches([':', '\t', ' ']).to_owned()).unwrap_or_default()
    };
    let mut version = |program: &str| {
        let text = job.output(command(program).arg("--version").stdout(Stdio::piped())).unwrap_or_default();
        text.lines().next().unwrap_or("none").to_owned()
    };
    let lock = read(&root().join("Cargo.lock").to_string_lossy());
    let locked = |name: &str| {
        let (_, after) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
        Some(format!("{name} {}", after.split_once('"')?.0))
    };
    let crates: Vec<String> = ["reqwest", "hyper-util", "hyper"].into_iter().filter_map(locked).collect();
    vec![
        ("rounds", rounds.to_string()),
        ("processor", field(&read("/proc/cpuinfo"), "model name")),
        ("cores", thread::available_parallelism().map_or_else(|error| error.to_string(), |cores| cores.to_string())),
        ("memory", field(&read("/proc/meminfo"), "MemTotal")),
        ("kernel", read("/proc/sys/kernel/osrelease").trim().to_owned()),
        ("rustc", version("rustc")),
        ("curl", version("curl")),
        ("Python SDK", sdk::versions()),
        ("bare loops", crates.join(", ")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options() {
        #[track_caller]
        fn refused(words: &[&str], expected: &str) {
            assert_eq!(Options::parse(words).map(drop), Err(expected.to_owned()));
        }
        assert_eq!(Options::parse(&["p1", "P12"]).map(|options| options.names), Ok(vec!["P1", "P12"]));
        assert_eq!(Options::parse(&["--rounds", "3"]).map(|options| options.rounds), Ok(3));
        refused(&["--rounds", "0"], "--rounds: at least 1");
        refused(&["--json"], "--json needs a value");
        refused(&["P0"], "no benchmark or option \"P0\"; `cargo xtask bench --list` lists them");
        refused(&["--record", "P1"], "--record: the page shows a full run of all benchmarks");
    }

    #[test]
    fn the_tables_replace_those_before() {
        let [begin, end] = MARKS;
        let page = format!("# Page\n\n{begin}old\n{end}\nRest\n");
        assert_eq!(between_marks(&page, "new\n\n"), Some(format!("# Page\n\n{begin}\nnew\n\n{end}\nRest\n")));
        assert_eq!(between_marks("# Page\n", "new"), None);
    }
}
