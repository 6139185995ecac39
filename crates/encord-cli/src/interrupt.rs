//! Requests to end the process: Ctrl-C, SIGTERM of a scheduler, SIGHUP of a closed terminal.
//!
//! After the first request the run ends in order. The second request ends the process at once, from within the signal handler, so
//! that a disk that hangs cannot delay it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::output::Failure;

/// Listens for requests to end the process.
#[derive(Debug)]
pub(crate) struct Interrupt {
    /// Whether the next request ends the process at once.
    at_once: Arc<AtomicBool>,
}

impl Interrupt {
    /// Starts to listen. Until [`first`](Self::first) is called, one request ends the process.
    ///
    /// # Errors
    ///
    /// The system does not allow it.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let at_once = Arc::new(AtomicBool::new(true));
        signals::listen(&at_once).map_err(|error| cannot_listen(&error))?;
        Ok(Self { at_once })
    }

    /// Returns a future that is ready at the first request. The next request ends the process at once; the journal is correct at
    /// any time. Must be called within a runtime.
    ///
    /// # Errors
    ///
    /// The system does not allow it.
    pub(crate) fn first(self) -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
        let request = signals::next().map_err(|error| cannot_listen(&error))?;
        self.at_once.store(false, Ordering::Release);
        Ok(request)
    }
}

fn cannot_listen(error: &io::Error) -> Failure {
    Failure::failed(format_args!("cannot listen for signals: {error}"))
}

/// Makes a write beyond the limit of `ulimit -f` an ordinary error. By default it kills the process without a message.
pub(crate) fn take_long_files_as_errors() {
    #[cfg(unix)]
    {
        // If the system does not allow it, the default stays.
        let _ = signal_hook::flag::register(rustix::process::Signal::XFSZ.as_raw(), Arc::default());
    }
}

#[cfg(target_os = "linux")]
pub(crate) use self::signals::requests;

#[cfg(unix)]
mod signals {
    use std::fs;
    use std::future::poll_fn;
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use std::task::Poll;

    use rustix::process::Signal;
    use signal_hook::flag;
    use tokio::signal::unix::{SignalKind, signal};

    use crate::output::Exit;

    pub(super) fn listen(at_once: &Arc<AtomicBool>) -> io::Result<()> {
        let requests: Vec<i32> = requests().collect();
        for number in from_outside().filter(|number| !requests.contains(number)) {
            // These signals are for the parent; without this they would end the run.
            flag::register(number, Arc::default())?;
        }
        for number in requests {
            // The order matters: the first request must not see the flag that it sets itself.
            flag::register_conditional_shutdown(number, Exit::Interrupted as i32, Arc::clone(at_once))?;
            flag::register(number, Arc::clone(at_once))?;
        }
        Ok(())
    }

    pub(super) fn next() -> io::Result<impl Future<Output = ()> + Send + 'static> {
        let signals = requests().map(|number| signal(SignalKind::from_raw(number)));
        let mut signals = signals.collect::<io::Result<Vec<_>>>()?;
        Ok(poll_fn(move |cx| {
            let any = signals.iter_mut().any(|signal| signal.poll_recv(cx).is_ready());
            if any { Poll::Ready(()) } else { Poll::Pending }
        }))
    }

    /// The signals that ask for the end of the process.
    pub(crate) fn requests() -> impl Iterator<Item = i32> {
        #[cfg(target_os = "linux")]
        let of_parent = crate::parent::request();
        #[cfg(not(target_os = "linux"))]
        let of_parent = None;
        of_parent.into_iter().chain(from_outside().filter(move |_| of_parent.is_none()))
    }

    /// Returns these signals without those that the process was started to ignore, such as SIGHUP after `nohup`.
    fn from_outside() -> impl Iterator<Item = i32> {
        let ignored = fs::read_to_string("/proc/self/status").ok().and_then(|status| ignored(&status)).unwrap_or(0);
        let all = [Signal::INT, Signal::TERM, Signal::HUP].map(Signal::as_raw);
        all.into_iter().filter(move |number| ignored & (1 << (number - 1)) == 0)
    }

    /// Reads the bit set of ignored signals from the status of a process on Linux.
    fn ignored(status: &str) -> Option<u64> {
        let set = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
        u64::from_str_radix(set.trim(), 16).ok()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn ignored_signals_are_found_in_the_status_of_the_process() {
            assert_eq!(ignored("Name:\tx\nSigBlk:\t0000000000000001\nSigIgn:\t0000000000001003\n"), Some(0x1003));
            assert_eq!(ignored("Name:\tx\n"), None);
            assert_eq!(ignored("SigIgn:\tx\n"), None);
        }
    }
}

#[cfg(not(unix))]
mod signals {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use signal_hook::{consts, flag};

    use crate::output::Exit;

    pub(super) fn listen(at_once: &Arc<AtomicBool>) -> io::Result<()> {
        flag::register_conditional_shutdown(consts::SIGINT, Exit::Interrupted as i32, Arc::clone(at_once))?;
        flag::register(consts::SIGINT, Arc::clone(at_once)).map(drop)
    }

    pub(super) fn next() -> io::Result<impl Future<Output = ()> + Send + 'static> {
        Ok(async {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}
