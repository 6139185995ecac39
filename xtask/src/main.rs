//! The project's checks and chores, run as `cargo xtask`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to its user")]

mod bench;
mod checks;
mod ci;
mod job;
mod layers;
mod release;
mod release_check;
mod scratch;
mod sdk;
mod soak;
mod tidy;
mod tools;
mod workspace;

use std::env;
use std::process::ExitCode;

const USAGE: &str = "\
Usage:
  cargo xtask ci [NAME…] [--keep-going] [--strict]   run all checks, or the named ones
  cargo xtask ci --list                              what the checks are
  cargo xtask release-check [NAME…] [--baseline REV] [--keep-going] [--strict] [--list]
                                                     what must hold before a release; REV is what semver compares with
  cargo xtask release VERSION [--dry-run]            make the commit of a release, or show it; see docs/releasing.md
  cargo xtask tools [NAME…]                          install the cargo subcommands that the checks use, or the named ones
  cargo xtask fuzz [TARGET…]                         run the fuzz targets, 60 s each; --help shows the options
  cargo xtask vectors                                write tests/vectors from the Python SDKs
  cargo xtask bench [NAME…] [--rounds N] [--quick]   measure against the peers, in turns
                    [--json FILE] [--svg FILE]
  cargo xtask bench --record                         the same, and write docs/performance.{md,json,svg}
  cargo xtask bench --list                           what is measured
  cargo xtask soak [--minutes N] [--seed N]          upload among faults and kills, 30 minutes unless told otherwise

  --keep-going   run the other checks after one has failed
  --strict       a missing tool or peer is a failure, not a skipped check
  --quick        small sizes, one round: whether everything works, not how fast it is
";

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match *words.as_slice() {
        ["ci", ref rest @ ..] => ci::Options::parse(checks::CHECKS, rest).and_then(|options| ci::run(&options)),
        ["bench", ref rest @ ..] => bench::Options::parse(rest).and_then(|options| bench::run(&options)),
        ["soak", ref rest @ ..] => soak::Options::parse(rest).and_then(|options| soak::run(&options)),
        ["fuzz", ref rest @ ..] => job::hand_over("encord-fuzz", rest),
        ["release-check", ref rest @ ..] => {
            ci::Options::parse(release_check::CHECKS, rest).and_then(|options| ci::run(&options))
        }
        ["release", version] => release::run(version, false),
        ["release", version, "--dry-run"] | ["release", "--dry-run", version] => release::run(version, true),
        ["tools", ref names @ ..] => tools::install(names),
        ["vectors"] => sdk::vectors(),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(true)
        }
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("{}", message.trim_end());
            ExitCode::from(2)
        }
    }
}
