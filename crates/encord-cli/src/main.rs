//! The command `encord`: uploads files to signed URLs, and shows settings, model iteration uids and data types.
//!
//! Data goes to standard output, everything else to standard error; the exit codes are in [`output::Exit`].

mod args;
mod clashes;
mod clock;
mod completions;
mod data_type;
mod demo;
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
mod output;
mod progress;
mod report;
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

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};

fn main() -> ExitCode {
    interrupt::take_long_files_as_errors();
    let outcome = match Args::parse().command {
        Command::Demo(args) => demo::run(&args),
        Command::Upload(args) if args.ingest.paths.is_empty() => upload::run(&args),
        Command::Upload(args) => ingest::run(&args),
        Command::Settings(args) => settings::run(&args),
        Command::Uids(args) => uids::run(&args),
        Command::DataType(args) => data_type::run(&args),
        Command::DevStore(args) => dev_store::run(&args),
        Command::Sign(args) => sign::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    };
    outcome.unwrap_or_else(|failure| failure.show()).into()
}
