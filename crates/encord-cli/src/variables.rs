//! Variables of the environment that are nearly ours.

use std::ffi::OsString;

use crate::output::note;

/// What all of ours begin with.
const PREFIX: &str = "ENCORD_";

/// All variables that this program or the Encord SDK reads, without the prefix.
const KNOWN: [&str; 14] = [
    "SETTINGS",
    "MAX_RETRIES",
    "BACKOFF_FACTOR",
    "CONNECTION_RETRIES",
    "CONNECT_TIMEOUT",
    "READ_TIMEOUT",
    "WRITE_TIMEOUT",
    "ALLOW_FAILURES",
    "LOG",
    "DEV_STORE_KEY",
    "DEV_STORE_SECRET",
    "DOMAIN",
    "SSH_KEY",
    "SSH_KEY_FILE",
];

/// Warns of each variable that looks like a misspelt one of ours.
pub(crate) fn warn_of_misspelt(environment: impl IntoIterator<Item = (OsString, OsString)>) {
    for (name, _) in environment {
        if let Some(meant) = name.to_str().and_then(meant) {
            let name = name.display();
            note(format_args!("warning: the variable {name} is not known and has no effect; {PREFIX}{meant} is"));
        }
    }
}

/// The variable that a name is nearly, but not quite.
fn meant(name: &str) -> Option<&'static str> {
    let upper = name.to_ascii_uppercase();
    let rest = upper.strip_prefix(PREFIX)?;
    if name.starts_with(PREFIX) && KNOWN.contains(&rest) {
        return None;
    }
    let distance = |known: &&str| strsim::damerau_levenshtein(known, rest);
    let nearest = KNOWN.into_iter().min_by_key(distance)?;
    (distance(&nearest) <= nearest.len() / 3).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_near_misses_are_named() {
        #[track_caller]
        fn check(name: &str, expected: Option<&str>) {
            assert_eq!(meant(name), expected, "{name}");
        }
        check("ENCORD_MAX_RETRY", Some("MAX_RETRIES"));
        check("ENCORD_MAXRETRIES", Some("MAX_RETRIES"));
        check("ENCORD_READTIMEOUT", Some("READ_TIMEOUT"));
        check("encord_max_retries", Some("MAX_RETRIES"));
        check("ENCORD_LOGS", Some("LOG"));
        check("ENCORD_CONNECTION_TIMEOUT", Some("CONNECT_TIMEOUT"));
        for known in KNOWN {
            check(&format!("{PREFIX}{known}"), None);
        }
        for other in ["ENCORD_ORG", "ENCORD_API_KEY", "ENCORD_PROJECT", "ENCORD_", "MAX_RETRIES", "PATH", "ENCORD"] {
            check(other, None);
        }
    }
}
