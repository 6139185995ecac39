//! `cargo xtask bench`: runs programs in turns on one machine, and compares them. The programs are in the same folder as this one.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to its user")]

mod case;
mod chart;
mod folders;
mod lab;
mod outcome;
mod paces;
mod packages;
mod plan;
mod stats;
mod timings;
mod uploads;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, anyhow};
use clap::Parser;
use serde_json::Value;

use crate::case::{Benchmark, Work};
use crate::lab::{Lab, output, root};
use crate::outcome::{Outcome, Table};
use crate::plan::BENCHMARKS;

/// The page below `docs` that `--record` writes.
const PAGE: &str = "performance.md";
/// The lines of the page before and after the tables.
const MARKS: [&str; 2] = ["<!-- cargo xtask bench --record -->\n", "<!-- end -->\n"];

/// Measure the crates and other programs in turns.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench")]
struct Options {
    /// The benchmarks to run; by default all
    #[arg(value_parser = benchmark)]
    names: Vec<&'static str>,
    /// List the benchmarks
    #[arg(long)]
    list: bool,
    /// Use small sizes and one round. Shows whether everything works; the times mean nothing
    #[arg(long)]
    quick: bool,
    /// The number of rounds. With seven, one disturbed round does not change the median
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Write all figures to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draw the chart into this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write docs/performance.{md,json,svg}
    #[arg(long, conflicts_with_all = ["names", "quick"])]
    record: bool,
}

fn benchmark(name: &str) -> Result<&'static str, &'static str> {
    let found = BENCHMARKS.iter().find(|benchmark| benchmark.name.eq_ignore_ascii_case(name));
    found.map(|benchmark| benchmark.name).ok_or("no such benchmark; `cargo xtask bench --list` lists them")
}

impl Options {
    fn selected(&self) -> impl Iterator<Item = &'static Benchmark> {
        BENCHMARKS.iter().filter(|benchmark| self.names.is_empty() || self.names.contains(&benchmark.name))
    }

    fn rounds(&self) -> usize {
        if self.quick { 1 } else { self.rounds.into() }
    }
}

/// Fails if a program is missing or did not do its work. A missed aim is not a failure.
fn main() -> Result<()> {
    let options = Options::parse();
    if options.list {
        options.selected().for_each(|benchmark| println!("{:<5}{}", benchmark.name, benchmark.about));
        return Ok(());
    }
    let lab = Lab::open(options.quick)?;
    let mut outcomes = Vec::new();
    for benchmark in options.selected() {
        let (rounds, quick) = (options.rounds(), options.quick);
        let outcome = match &benchmark.work {
            Work::Uploads(cases) => uploads::measure(&lab, benchmark, cases, rounds, quick)?,
            Work::Timings(timings) => timings::measure(&lab, benchmark, timings, rounds, quick)?,
            Work::Paces(cases) => paces::measure(&lab, benchmark, cases, rounds, quick)?,
            Work::Folders(cases) => folders::measure(&lab, benchmark, cases, rounds, quick)?,
            Work::Packages => packages::measure(&lab, benchmark, quick)?,
        };
        // Printed after each benchmark, because a full run takes more than an hour.
        eprintln!("{}", markdown(&outcome));
        outcomes.push(outcome);
    }
    write(&options, &outcomes, &facts(options.rounds()))
}

fn markdown(outcome: &Outcome) -> String {
    let title = format!("## {}: {}\n\n", outcome.name, outcome.about);
    let section = |table: &Table| format!("{}\n\n{}\n", table.title, table.markdown());
    outcome.tables.iter().map(section).fold(title, |text, section| text + &section)
}

fn write(options: &Options, outcomes: &[Outcome], facts: &[(&str, String)]) -> Result<()> {
    let verdicts = outcome::verdicts(outcomes);
    let mut text = facts.iter().fold(String::new(), |text, (name, value)| text + "- " + name + ": " + value + "\n");
    if !verdicts.rows.is_empty() {
        text = text + "\n## Aims\n\n" + &verdicts.markdown();
    }
    text += "\n";
    text.extend(outcomes.iter().map(markdown));
    print!("{text}");

    let json: Value = outcome::to_json(outcomes, facts);
    let docs = root().join("docs");
    let recorded = |name: &str| options.record.then(|| docs.join(name));
    for path in [&options.json, &recorded("performance.json")].into_iter().flatten() {
        save(path, &format!("{json:#}\n"))?;
    }
    for path in [&options.svg, &recorded("performance.svg")].into_iter().flatten() {
        save(path, &chart::draw(outcomes)?)?;
    }
    if let Some(page) = recorded(PAGE) {
        let old = fs::read_to_string(&page).with_context(|| page.display().to_string())?;
        let new = between_marks(&old, &text).ok_or_else(|| anyhow!("{PAGE} lacks the marks {MARKS:?}"))?;
        save(&page, &new)?;
    }
    Ok(())
}

fn save(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| path.display().to_string())?;
    println!("{}", path.display());
    Ok(())
}

fn between_marks(page: &str, text: &str) -> Option<String> {
    let [begin, end] = MARKS;
    let (before, rest) = page.split_once(begin)?;
    let (_, after) = rest.split_once(end)?;
    Some(format!("{before}{begin}\n{}\n\n{end}{after}", text.trim_end()))
}

/// Returns the facts about the machine and the peers of this measurement.
fn facts(rounds: usize) -> Vec<(&'static str, String)> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| -> String {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.map(|rest| rest.trim_start_matches([':', '\t', ' ']).to_owned()).unwrap_or_default()
    };
    let version = |program: &str| {
        let text = output(Command::new(program).arg("--version")).unwrap_or_default();
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
        ("Python SDK", ["seed", "current"].map(pins).join("; ")),
        ("bare loops", crates.join(", ")),
    ]
}

/// Returns the installed versions for an SDK, with two packages that determine its retries.
fn pins(sdk: &str) -> String {
    let pins = fs::read_to_string(root().join("tests/python/pins").join(sdk).with_extension("txt")).unwrap_or_default();
    let package = |name| Some(format!("{name} {}", pinned(&pins, name)?));
    let packages: Vec<_> = ["encord", "requests", "urllib3"].into_iter().filter_map(package).collect();
    format!("{sdk} ({})", packages.join(", "))
}

/// `encord==0.1.98 \`
fn pinned<'a>(pins: &'a str, package: &str) -> Option<&'a str> {
    pins.lines().find_map(|line| line.strip_prefix(package)?.strip_prefix("==")?.split(' ').next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options() {
        let parse = |words: &str| Options::try_parse_from(["bench"].into_iter().chain(words.split_whitespace()));
        assert_eq!(parse("p1 P12").unwrap().names, ["P1", "P12"]);
        assert_eq!(parse("--rounds 3").unwrap().rounds(), 3);
        assert_eq!(parse("--rounds 3 --quick").unwrap().rounds(), 1);
        for refused in ["--rounds 0", "--json", "P0", "--record P1"] {
            assert!(parse(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn the_tables_replace_those_before() {
        let [begin, end] = MARKS;
        let page = format!("# Page\n\n{begin}old\n{end}\nRest\n");
        assert_eq!(between_marks(&page, "new\n\n"), Some(format!("# Page\n\n{begin}\nnew\n\n{end}\nRest\n")));
        assert_eq!(between_marks("# Page\n", "new"), None);
    }

    #[test]
    fn a_pin_names_its_version() {
        let pins = "# a==0\na-b==1.0 \\\n    --hash=sha256:c0ffee\na==2.1.post1 ; sys_platform == 'win32' \\\nc==3";
        assert_eq!(
            ["a", "a-b", "c", "b"].map(|name| pinned(pins, name)),
            [Some("2.1.post1"), Some("1.0"), Some("3"), None]
        );
    }
}
