//! Runs on a machine with network file systems.
//!
//! When such a file system hangs, a thread that waits for it cannot be ended, and neither can its process. So on such a machine
//! the run is a child process. This process waits for the child, passes the first request to end on to it, and exits at the
//! second request, even if the child does not end.

use std::env;
use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{self, Command};

use rustix::process::{Pid, Signal, kill_process, set_parent_process_death_signal};
use signal_hook::iterator::Signals;

use crate::interrupt;
use crate::output::{Exit, Failure};
use crate::parent::{PARENT, REQUEST, has_parent};

/// File systems that can hang: those of the network, and those of programs, whose names begin with `fuse`.
const NETWORK_FILE_SYSTEMS: [&str; 10] =
    ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "afs", "lustre", "fuse"];

/// FUSE file systems of desktops and containers, which hold no data to upload.
const HARMLESS_FILE_SYSTEMS: [&str; 4] = ["fuse.gvfsd-fuse", "fuse.portal", "fuse.lxcfs", "fuse.snapfuse"];

/// If this machine has network file systems, runs this command as a child process and exits with its exit code. Otherwise
/// returns, and the run continues in this process.
///
/// # Errors
///
/// The process cannot be started.
pub(crate) fn run_as_child_if_disks_can_hang() -> Result<(), Failure> {
    if has_parent() {
        // If the parent is killed, the child must end too.
        return set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| failed(&error.into()));
    }
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    if has_network(&mounts) { run_child().map_err(|error| failed(&error)) } else { Ok(()) }
}

fn failed(error: &io::Error) -> Failure {
    Failure::failed(format_args!("cannot run as a child process: {error}"))
}

fn run_child() -> io::Result<()> {
    let mut signals = Signals::new(interrupt::requests().chain([Signal::CHILD.as_raw()]))?;
    let mut run = Command::new(env::current_exe()?);
    let mut run = run.args(env::args_os().skip(1)).env(PARENT, process::id().to_string()).spawn()?;
    let mut is_asked = false;
    for signal in signals.forever() {
        if signal == Signal::CHILD.as_raw() {
            if let Some(status) = run.try_wait()? {
                let by_request = status.signal() == Some(REQUEST.as_raw());
                let killed = status.signal().filter(|_| !by_request).map(|signal| 128 + signal);
                process::exit(status.code().or(killed).unwrap_or(Exit::Interrupted as i32));
            }
        } else if is_asked {
            process::exit(Exit::Interrupted as i32);
        } else {
            is_asked = true;
            // An error is ignored: the child may have ended by itself.
            let _ = kill_process(Pid::from_child(&run), REQUEST);
        }
    }
    Ok(())
}

/// Whether one of the mounts, in the format of Linux, can hang.
fn has_network(mounts: &str) -> bool {
    // `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
    let kinds = mounts.lines().filter_map(|mount| mount.split_once(" - ")?.1.split(' ').next());
    kinds.into_iter().any(|kind| {
        (NETWORK_FILE_SYSTEMS.contains(&kind) || kind.starts_with("fuse.")) && !HARMLESS_FILE_SYSTEMS.contains(&kind)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_that_can_hang_are_found_among_the_mounts() {
        let check = |kind: &str, expected| {
            let mounts = format!(
                "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n36 35 98:0 / /mnt rw,noatime master:1 - {kind} server:/export rw\n"
            );
            assert_eq!(has_network(&mounts), expected, "{kind}");
        };
        for kind in ["nfs", "nfs4", "cifs", "fuse", "fuse.sshfs", "fuse.s3fs", "9p"] {
            check(kind, true);
        }
        for kind in ["ext4", "tmpfs", "fusectl", "fuse.lxcfs", "overlay", "nfsd"] {
            check(kind, false);
        }
        assert!(!has_network(""));
    }
}
