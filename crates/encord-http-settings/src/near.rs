//! Environment variables that are probably misspelt.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::fields::Visitor;
use crate::value::Field;
use crate::{SettingsLayer, VariableText};

/// A variable that is not known, but whose name is nearly that of a known one. It is shown as
/// `the variable ENCORD_MAX_RETRY has no effect: did you mean ENCORD_MAX_RETRIES?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearMiss {
    name: String,
    meant: String,
}

impl NearMiss {
    /// Returns the name as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the known name that was probably meant.
    pub fn meant(&self) -> &str {
        &self.meant
    }
}

impl fmt::Display for NearMiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the variable {} has no effect: did you mean {}?", self.name.escape_debug(), self.meant)
    }
}

/// Returns the variables whose names are nearly, but not exactly, the name of a known variable: that of a field, or one of
/// `others`, which are further variables of the program.
///
/// Nearly means: apart from case, `-` and `_`, at most one letter in five is wrong, missing or too many. A variable that merely
/// begins with `ENCORD_` is no near miss, because it may belong to another program.
///
/// ```
/// use encord_http_settings::near_misses;
///
/// let found = near_misses(["ENCORD_MAX_RETRY", "ENCORD_MAX_RETRIES", "ENCORD_SSH_KEY", "HOME"], &["ENCORD_SETTINGS"]);
/// assert_eq!(found.len(), 1);
/// assert_eq!(found[0].to_string(), "the variable ENCORD_MAX_RETRY has no effect: did you mean ENCORD_MAX_RETRIES?");
/// ```
pub fn near_misses<K: VariableText>(names: impl IntoIterator<Item = K>, others: &[&str]) -> Vec<NearMiss> {
    let mut known = Names(others.to_vec());
    SettingsLayer::default().visit(&mut known);
    let near = |name: K| {
        let name = name.to_text();
        let meant = nearest(&name, &known.0)?;
        Some(NearMiss { name: name.into_owned(), meant: meant.into() })
    };
    names.into_iter().filter_map(near).collect()
}

struct Names<'a>(Vec<&'a str>);

impl Visitor for Names<'_> {
    fn field<T: Field>(&mut self, _: &'static str, variable: Option<&'static str>, _: &mut Option<T>) {
        self.0.extend(variable);
    }
}

fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    const MAX_NAME_BYTES: usize = 64;
    /// `API_KEY` is not `SSH_KEY`, but `MAX_RETRY` is `MAX_RETRIES`.
    const LETTERS_FOR_EACH_WRONG_ONE: usize = 5;

    if name.len() > MAX_NAME_BYTES || known.contains(&name) {
        return None;
    }
    let letters = letters(name);
    if !letters.starts_with(b"ENCORD") {
        return None;
    }
    let distances = known.iter().filter_map(|known| {
        let right = self::letters(known);
        let wrong = wrong_letters(&letters, &right);
        (wrong * LETTERS_FOR_EACH_WRONG_ONE <= right.len()).then_some((wrong, *known))
    });
    distances.min_by_key(|(wrong, _)| *wrong).map(|(_, known)| known)
}

/// Returns the name in upper case, without `_` and `-`.
fn letters(name: &str) -> Vec<u8> {
    name.bytes().filter(|byte| !matches!(byte, b'_' | b'-')).map(|byte| byte.to_ascii_uppercase()).collect()
}

/// Returns the Levenshtein distance: how many letters must be changed, added or removed.
fn wrong_letters(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[track_caller]
    fn check(name: &str, meant: Option<&str>) {
        let found = near_misses([name], &["ENCORD_SETTINGS", "ENCORD_SSH_KEY", "ENCORD_SSH_KEY_FILE", "ENCORD_LOG"]);
        assert_eq!(found.iter().map(NearMiss::meant).collect::<Vec<_>>(), Vec::from_iter(meant), "{name}");
    }

    #[test]
    fn r12_near_misses_are_found() {
        check("ENCORD_MAX_RETRY", Some("ENCORD_MAX_RETRIES"));
        check("ENCORD_MAXRETRIES", Some("ENCORD_MAX_RETRIES"));
        check("encord_max_retries", Some("ENCORD_MAX_RETRIES"));
        check("ENCORD-MAX-RETRIES", Some("ENCORD_MAX_RETRIES"));
        check("ENCORD_READTIMEOUT", Some("ENCORD_READ_TIMEOUT"));
        check("ENCORD_READ_TIMEOUTS", Some("ENCORD_READ_TIMEOUT"));
        check("ENCORD_WIRTE_TIMEOUT", Some("ENCORD_WRITE_TIMEOUT"));
        check("ENCORD_CONECTION_RETRYS", Some("ENCORD_CONNECTION_RETRIES"));
        check("ENCORD_CONECTION_RETRIES", Some("ENCORD_CONNECTION_RETRIES"));
        check("ENCORD_ALLOW_FAILURE", Some("ENCORD_ALLOW_FAILURES"));
        check("ENCORD_CONNECTION_TIMEOUT", Some("ENCORD_CONNECT_TIMEOUT"));
        check("ENCORD_LOGS", Some("ENCORD_LOG"));
        check("ENCORD_SETTING", Some("ENCORD_SETTINGS"));
        check("ENCORD_SSH_KEYS", Some("ENCORD_SSH_KEY"));
    }

    #[test]
    fn r12_other_variables_are_none() {
        for name in [
            "ENCORD_MAX_RETRIES",
            "ENCORD_SSH_KEY_FILE",
            "ENCORD_SETTINGS",
            "ENCORD_API_KEY",
            "ENCORD_ORG",
            "ENCORD_PROJECT",
            "ENCORD_",
            "ENCORD",
            "",
        ] {
            check(name, None);
        }
        for name in ["MAX_RETRIES", "ENCODE_MAX_RETRIES", "HOME", "ENCORD_TIMEOUT", "ENCORD_MAX_RETRIES\u{fffd}é"] {
            check(name, None);
        }
        check(&"ENCORD_MAX_RETRIES".repeat(10_000), None);
    }

    #[test]
    fn u9_control_characters_of_a_name_are_escaped() {
        let found = near_misses(["ENCORD_MAX_RETRIES\n"], &[]);
        assert_eq!(
            found[0].to_string(),
            "the variable ENCORD_MAX_RETRIES\\n has no effect: did you mean ENCORD_MAX_RETRIES?"
        );
    }
}
