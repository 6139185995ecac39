//! The parent process that waits for this run, if there is one (see `child`).

use std::env;
use std::ffi::OsString;
use std::os::unix::process::parent_id;

use rustix::process::Signal;

/// The variable with the process id of the parent.
pub(crate) const PARENT: &str = "ENCORD_PARENT_PROCESS";

/// The signal that asks the run to end. All other signals are for its parent, even if both processes get them, as from a
/// terminal.
pub(crate) const REQUEST: Signal = Signal::USR1;

/// Whether this process is a run with a waiting parent.
pub(crate) fn has_parent() -> bool {
    env::var_os(PARENT) == Some(OsString::from(parent_id().to_string()))
}

/// Returns the signal that asks this process to end, if it is such a run.
pub(crate) fn request() -> Option<i32> {
    has_parent().then(|| REQUEST.as_raw())
}
