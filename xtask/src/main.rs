//! The project's checks and chores, run as `cargo xtask`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to its user")]

mod checks;
mod ci;
mod circles;
mod job;
mod layers;
mod no_std;
mod programs;
mod release_check;
mod sdk;
mod tidy;
mod tools;
mod workspace;

use std::env;
use std::process::ExitCode;

const USAGE: &str = "\
Usage:
  cargo xtask ci [NAME…] [--keep-going] [--strict]   run all checks, or the named ones
  cargo xtask ci --list                              list the checks
  cargo xtask release-check [NAME…]                  the same for the checks before a release
  cargo xtask tools [NAME…]                          install the cargo subcommands that the checks use, or the named ones
  cargo xtask vectors                                record tests/vectors with the Python SDKs
  cargo xtask fuzz [TARGET…]                         run the fuzz targets, 60 s each
  cargo xtask bench [NAME…]                          measure the crates and other programs in turns
  cargo xtask soak                                   upload for 30 minutes under faults and kills
The last three are programs of tests/; each shows its options with --help.

  --keep-going   run the other checks after one has failed
  --strict       a missing tool or peer is a failure, not a skipped check
";

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match *words.as_slice() {
        ["ci", ref rest @ ..] => ci::Options::parse(checks::CHECKS, rest).and_then(|options| ci::run(&options)),
        ["bench", ref rest @ ..] => programs::bench(rest),
        ["soak", ref rest @ ..] => programs::soak(rest),
        ["fuzz", ref rest @ ..] => programs::fuzz(rest),
        ["release-check", ref rest @ ..] => {
            ci::Options::parse(release_check::CHECKS, rest).and_then(|options| ci::run(&options))
        }
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
