//! Uploads among random faults, restarts, kills and interrupts, for as long as one likes. `cargo xtask soak` starts it.
//!
//! Two lanes at once. In the one, `encord upload` brings lists of files to a store that fails on purpose and is itself ended and
//! killed, while the runs are killed and interrupted, and resumed until everything is there. In the other, one process uploads
//! batch after batch with one client of the library, and what it takes of memory, descriptors, sockets and threads must not grow.
//! Whatever does not add up ends it: what the programs say they did is compared with what the stores counted.
//!
//! The choices follow from the seed; when things happen does not.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to its user")]

mod books;
mod campaign;
mod check;
mod lab;
mod steady;
mod store;
mod upload;
mod vitals;
mod worker;

use std::env;
use std::fs;
use std::process::ExitCode;

use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::lab::{Lab, Result};

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match *words.as_slice() {
        ["worker", steady, restless, folder] => {
            worker::run(steady, restless, folder.as_ref()).map(|()| ExitCode::SUCCESS)
        }
        _ => Lab::parse(&words).and_then(|lab| soak(&lab)),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

/// Both lanes until the time is over or one of them fails. Children die with the futures that hold them.
fn soak(lab: &Lab) -> Result<ExitCode> {
    println!("seed {}, {} s", lab.seed, lab.length.as_secs_f64());
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let ended = runtime.block_on(async {
        let [mut interrupt, mut terminate, mut hangup] =
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
        tokio::select! {
            done = async { tokio::try_join!(campaign::run(lab), steady::run(lab)) } => done.map(Some),
            _ = async { interrupt.as_mut().ok()?.recv().await } => Ok(None),
            _ = async { terminate.as_mut().ok()?.recv().await } => Ok(None),
            _ = async { hangup.as_mut().ok()?.recv().await } => Ok(None),
        }
    });
    // Of a failure, what the programs wrote stays to be looked at.
    match ended {
        Ok(Some((campaigns, batches))) => {
            fs::remove_dir_all(&lab.folder)?;
            println!("{campaigns}\n{batches}\nok");
            Ok(ExitCode::SUCCESS)
        }
        Ok(None) => {
            // A child that is just dying may still write.
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
