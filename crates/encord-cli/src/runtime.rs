//! The runtime of a run, with as many threads as the limits of the system allow.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::output::Failure;

/// Threads besides the workers: for files, names of hosts, the manifest and the progress bar.
const SPARE_THREADS: usize = 8;

/// The stack of a thread that only tests whether a thread can be started.
const PROBE_STACK_BYTES: usize = 64 * 1024;

/// The open files of a run with one item at a time: its file, its connection, a connection that is being closed, journal, report
/// and the runtime.
#[cfg(unix)]
const MIN_OPEN_FILES: u64 = 24;

/// More open files than a run uses.
#[cfg(unix)]
const MAX_OPEN_FILES: u64 = 64 * 1024;

/// How many threads a run may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threads {
    Enough,
    /// Almost none: only the threads of the runtime are started.
    Few,
}

/// Starts a runtime: with one worker per processor, or on this thread alone if few threads are allowed.
///
/// # Errors
///
/// The limits of the system are too low for any upload.
pub(crate) fn start() -> Result<(Runtime, Threads), Failure> {
    #[cfg(unix)]
    raise_open_files()?;
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let wanted = workers + SPARE_THREADS;
    let (threads, threads_there) = match startable(wanted) {
        0 => {
            let failure = Failure::failed("the system lets this process start no further thread, and it needs one");
            return Err(failure.with_hint("`ulimit -u` shows how many processes and threads a user may have"));
        }
        all if all == wanted => (Threads::Enough, all),
        few => (Threads::Few, few),
    };
    let mut builder = match threads {
        Threads::Enough => Builder::new_multi_thread(),
        Threads::Few => {
            // The system takes a moment to count the threads that have ended.
            thread::sleep(Duration::from_millis(50));
            let mut builder = Builder::new_current_thread();
            // Existing threads are kept, because a new one may not be allowed.
            builder.max_blocking_threads(threads_there).thread_keep_alive(Duration::MAX);
            builder
        }
    };
    Ok((builder.enable_all().build().map_err(Failure::failed)?, threads))
}

/// How many threads can be started, at most `wanted`.
fn startable(wanted: usize) -> usize {
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock().unwrap_or_else(PoisonError::into_inner);
    let probe = |_| -> io::Result<_> {
        let gate = Arc::clone(&gate);
        let wait = move || drop(gate.lock());
        thread::Builder::new().stack_size(PROBE_STACK_BYTES).spawn(wait)
    };
    let probes: Vec<_> = (0..wanted).map(probe).map_while(Result::ok).collect();
    drop(closed);
    let started = probes.len();
    for probe in probes {
        let _ = probe.join();
    }
    started
}

/// Raises the limit of open files as far as the system allows.
#[cfg(unix)]
fn raise_open_files() -> Result<(), Failure> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let possible = limit.maximum.unwrap_or(MAX_OPEN_FILES).min(MAX_OPEN_FILES);
    let now = limit.current.unwrap_or(u64::MAX);
    let raised = now < possible && setrlimit(Resource::Nofile, Rlimit { current: Some(possible), ..limit }).is_ok();
    let now = if raised { possible } else { now };
    if now < MIN_OPEN_FILES {
        let failure =
            Failure::failed(format_args!("only {now} files may be open at once, and a run needs {MIN_OPEN_FILES}"));
        return Err(failure.with_hint("`ulimit -n 1024` raises the limit of a shell"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_can_be_started_are_counted() {
        assert_eq!(startable(0), 0);
        assert_eq!(startable(3), 3);
    }
}
