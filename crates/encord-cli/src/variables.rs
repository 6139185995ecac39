//! Misspelt variables of the environment.

use std::ffi::OsString;

use encord_http_settings::near_misses;

use crate::output::say;

/// The variables that this program or the Encord SDK reads besides those of the settings.
const OTHERS: [&str; 7] = [
    "ENCORD_SETTINGS",
    "ENCORD_LOG",
    "ENCORD_DEV_STORE_KEY",
    "ENCORD_DEV_STORE_SECRET",
    "ENCORD_DOMAIN",
    "ENCORD_SSH_KEY",
    "ENCORD_SSH_KEY_FILE",
];

/// Warns of each variable that looks like a misspelt variable of this program.
pub(crate) fn warn_of_misspelt(environment: impl IntoIterator<Item = (OsString, OsString)>) {
    for near_miss in near_misses(environment.into_iter().map(|(name, _)| name), &OTHERS) {
        say(format_args!("warning: {near_miss}"));
    }
}
