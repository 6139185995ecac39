//! The command `encord`: uploads files to signed URLs, and shows settings, model iteration uids and data types.
//!
//! Data goes to standard output, everything else to standard error; the exit codes are in [`output::Exit`].

mod args;
#[cfg(target_os = "linux")]
mod child;
mod clashes;
mod clock;
mod completions;
mod data_type;
mod demo;
mod dev_platform;
mod dev_store;
mod dry_run;
mod escape;
mod failures;
mod folders;
mod ingest;
mod interrupt;
mod job;
mod journal;
mod layers;
mod log;
mod man;
mod manifest;
mod mistakes;
mod output;
#[cfg(target_os = "linux")]
mod parent;
mod platform;
mod progress;
mod report;
mod report_file;
mod runtime;
mod schedule;
mod selection;
mod settings;
mod sign;
mod sign_with;
mod targets;
mod uids;
mod upload;
mod variables;

use std::env;
use std::process::{self, ExitCode};

use clap::Parser;

use crate::args::{Args, Command};

fn main() -> ExitCode {
    interrupt::take_long_files_as_errors();
    let outcome = match arguments().command {
        Command::Demo(args) => demo::run(&args),
        Command::Upload(args) if args.ingest.folder.is_none() => upload::run(&args),
        Command::Upload(args) => ingest::run(&args),
        Command::Report(args) => report_file::run(&args),
        Command::Settings(args) => settings::run(&args),
        Command::Uids(args) => uids::run(&args),
        Command::DataType(args) => data_type::run(&args),
        Command::DevStore(args) => dev_store::run(&args),
        Command::DevPlatform(args) => dev_platform::run(&args),
        Command::Sign(args) => sign::run(&args),
        Command::Whoami(args) => platform::whoami(&args),
        Command::Folders(command) => platform::folders(&command),
        Command::Datasets(command) => platform::datasets(&command),
        Command::Projects(command) => platform::projects(&command),
        Command::Models(args) => platform::models(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    };
    outcome.unwrap_or_else(|failure| failure.show()).into()
}

/// Reads the arguments. An error ends the process, with advice on what to type instead.
fn arguments() -> Args {
    Args::try_parse().unwrap_or_else(|error| {
        let _ = error.print();
        if error.use_stderr() {
            let words: Vec<String> = env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
            if let Some(hint) = mistakes::instead(&words) {
                output::note(format_args!("hint: {hint}"));
            }
        }
        process::exit(error.exit_code())
    })
}
