//! The process that waits for this run, where there is one (`apart`).

use std::env;
use std::ffi::OsString;
use std::os::unix::process::parent_id;

use rustix::process::Signal;

/// The variable that tells the run who its parent is.
pub(crate) const PARENT: &str = "ENCORD_PARENT_PROCESS";

/// The signal that asks the run to end. All others are for its parent, also where both get them, as from a terminal.
pub(crate) const REQUEST: Signal = Signal::USR1;

/// Whether this is a run whose parent waits for it.
pub(crate) fn has_parent() -> bool {
    env::var_os(PARENT) == Some(OsString::from(parent_id().to_string()))
}

/// The signals that ask this process to end, if it is such a run.
pub(crate) fn request() -> Option<i32> {
    has_parent().then(|| REQUEST.as_raw())
}
