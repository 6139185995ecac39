//! Uploads under random faults, restarts, kills and interrupts, for a given time. `cargo xtask soak` starts it.
//!
//! It has three parts, which run at the same time. In the first, `encord upload` uploads lists of files to a store with faults. Both
//! are killed and interrupted, and the runs are resumed until the store has all files. In the second, one process uploads batch
//! after batch with one client of the library, and its memory, descriptors, sockets and threads must not grow. Both compare the
//! programs' reports with the stores' logs. In the third, folders become rows of a dataset of the platform's emulator. The soak stops
//! at the first difference.
//!
//! The seed determines the choices, but not the timing.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to its user")]

mod campaign;
mod check;
mod comparison;
mod folders;
mod lab;
mod steady;
mod store;
mod upload;
mod vitals;
mod worker;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::{Parser, Subcommand};
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::lab::{Lab, Result};

/// Upload under random faults, restarts, kills and interrupts.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask soak")]
struct Options {
    /// How long it runs
    #[arg(long, value_name = "N", default_value_t = 30.0)]
    minutes: f64,
    /// Repeat the choices of an earlier run. Each run prints its seed
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    #[command(subcommand)]
    worker: Option<Worker>,
}

#[derive(Debug, Subcommand)]
enum Worker {
    /// The process that uploads batch after batch; started by this program
    #[command(hide = true)]
    Worker { steady: String, restless: String, folder: PathBuf },
}

fn main() -> ExitCode {
    let options = Options::parse();
    let done = match options.worker {
        Some(Worker::Worker { steady, restless, folder }) => {
            worker::run(&steady, &restless, &folder).map(|()| ExitCode::SUCCESS)
        }
        None => {
            let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
            let seed = options.seed.unwrap_or(now.subsec_nanos());
            Lab::open(options.minutes, seed.into()).and_then(|lab| soak(&lab))
        }
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

/// Runs all parts until the time is over or one fails. Dropping their futures kills their processes.
fn soak(lab: &Lab) -> Result<ExitCode> {
    println!("seed {}, {} s", lab.seed, lab.length.as_secs_f64());
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let ended = runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        tokio::select! {
            done = async { tokio::try_join!(campaign::run(lab), steady::run(lab), folders::run(lab)) } => done.map(Some),
            _ = interrupt.recv() => Ok(None),
            _ = terminate.recv() => Ok(None),
            _ = hangup.recv() => Ok(None),
        }
    });
    // After a failure, the files of the programs stay, for the person who looks for the cause.
    match ended {
        Ok(Some((campaigns, batches, folders))) => {
            fs::remove_dir_all(&lab.folder)?;
            println!("{campaigns}\n{batches}\n{folders}\nok");
            Ok(ExitCode::SUCCESS)
        }
        Ok(None) => {
            // A failure is ignored: a process that is being killed may still write.
            drop(fs::remove_dir_all(&lab.folder));
            eprintln!("interrupted");
            Ok(ExitCode::from(130))
        }
        Err(error) => {
            Err(format!("{error}\nto repeat the choices: --seed {}; what is left: {}", lab.seed, lab.folder.display())
                .into())
        }
    }
}
