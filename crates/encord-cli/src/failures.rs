//! Groups failures by reason, for people.

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::path::Path;

use encord_upload::{ItemReport, Status};

use crate::escape::{escaped, shell_quoted};
use crate::mistakes;
use crate::output::say;

/// The number of reasons that are kept. A run has more only if each failure has its own reason.
const MAX_REASONS: usize = 1000;

/// How many reasons are shown.
const SHOWN: usize = 5;

/// The longest reason that is shown, in characters.
const MAX_REASON_CHARS: usize = 160;

/// The failures of a run, by reason.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    groups: HashMap<String, Group>,
    /// The number of failures with other reasons.
    others: u64,
}

/// The failures with one reason.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group {
    pub(crate) count: u64,
    /// The first file of the group.
    pub(crate) example: String,
}

impl Failures {
    /// Adds an item, if it failed.
    pub(crate) fn observe(&mut self, item: &ItemReport) {
        if item.status == Status::Failed {
            let error = item.error.as_ref().map(ToString::to_string).unwrap_or_default();
            self.add(&error, &item.path.to_string_lossy());
        }
    }

    /// Adds a failure.
    pub(crate) fn add(&mut self, error: &str, path: &str) {
        let reason = reason(error);
        if let Some(group) = self.groups.get_mut(&reason) {
            group.count += 1;
        } else if self.groups.len() < MAX_REASONS {
            self.groups.insert(reason, Group { count: 1, example: path.to_owned() });
        } else {
            self.others += 1;
        }
    }

    /// The reasons, the most frequent one first.
    pub(crate) fn groups(&self) -> Vec<(&str, &Group)> {
        let mut groups: Vec<_> = self.groups.iter().map(|(reason, group)| (reason.as_str(), group)).collect();
        groups.sort_by(|(one, a), (other, b)| b.count.cmp(&a.count).then_with(|| one.cmp(other)));
        groups
    }

    /// Shows the reasons, and a hint about the probable mistake.
    pub(crate) fn tell(&self) {
        self.lines().iter().for_each(say);
        if let Some(hint) = self.hint() {
            say(format_args!("hint: {hint}"));
        }
    }

    /// Returns a hint about the probable mistake.
    fn hint(&self) -> Option<&'static str> {
        self.groups().iter().find_map(|(reason, group)| mistakes::meant(&format!("{}: {reason}", group.example)))
    }

    /// A line for each reason.
    fn lines(&self) -> Vec<String> {
        let groups = self.groups();
        let mut lines: Vec<String> = groups
            .iter()
            .take(SHOWN)
            .map(|(reason, Group { count, example })| format!("{count} failed: {reason}; such as {}", escaped(example)))
            .collect();
        let rest: u64 = groups.iter().skip(SHOWN).map(|(_, group)| group.count).sum::<u64>() + self.others;
        lines.extend((rest > 0).then(|| format!("{rest} failed for other reasons")));
        lines
    }
}

/// Returns why an item failed, without the parts that differ between items: the file, the target and the list of attempts.
pub(crate) fn reason(error: &str) -> String {
    if error.starts_with("the signed URL has expired") {
        return "the signed URL has expired".to_owned();
    }
    // `PUT host/path failed while waiting: 403 Forbidden (1 attempt: 403; not retryable)`
    let of_request = error.strip_prefix("PUT ").and_then(|error| error.split_once(" failed"));
    let reason = match of_request {
        None => error,
        Some((_, rest)) => {
            let rest = without_account(rest);
            rest.split_once(": ").map_or(rest, |(_, reason)| reason)
        }
    };
    let reason = escaped(reason);
    if reason.chars().count() <= MAX_REASON_CHARS {
        return reason.into_owned();
    }
    reason.chars().take(MAX_REASON_CHARS).chain(['…']).collect()
}

/// Removes `(3 attempts: …)` from the end of a text.
fn without_account(text: &str) -> &str {
    let is_account = |text: &str| {
        let rest = text.trim_start_matches(|letter: char| letter.is_ascii_digit());
        rest.len() < text.len() && (rest.starts_with(" attempt: ") || rest.starts_with(" attempts: "))
    };
    let at = text.rmatch_indices(" (").map(|(at, _)| at).find(|at| is_account(&text[at + 2..]));
    at.map_or(text, |at| &text[..at])
}

/// Returns the command that uploads the failed items again: the same command, with the flags that skip the items that are done.
fn again(arguments: impl IntoIterator<Item = OsString>, report: Option<&Path>, has_journal: bool) -> Option<String> {
    let mut words: Vec<OsString> = Vec::new();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        if report.is_some() && argument == "--retry-from" {
            arguments.next();
        } else if report.is_none() || !argument.to_string_lossy().starts_with("--retry-from=") {
            words.push(argument);
        }
    }
    if let Some(first) = words.first_mut() {
        *first = "encord".into();
    }
    match report {
        Some(report) => words.extend(["--retry-from".into(), report.into()]),
        None if has_journal => {}
        None => return None,
    }
    Some(words.iter().map(|word| shell_quoted(&word.to_string_lossy())).collect::<Vec<_>>().join(" "))
}

/// Says how to upload the failed items again.
pub(crate) fn tell_how_to_try_again(report: Option<&Path>, has_journal: bool) {
    match again(env::args_os(), report, has_journal) {
        Some(command) => say(format_args!("to try them again: {command}")),
        None => say("hint: with --report FILE, the same command with --retry-from FILE tries them again"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_with_one_reason_are_one_group() {
        #[track_caller]
        fn check(error: &str, expected: &str) {
            assert_eq!(reason(error), expected);
        }
        check("PUT h/b/a.jpg failed while waiting: 403 Forbidden (1 attempt: 403; not retryable)", "403 Forbidden");
        check(
            "PUT h/b/a (1 attempt: x) failed while connecting: connection refused (4 attempts: refused, refused; x (y))",
            "connection refused",
        );
        check("PUT h/a failed (1 attempt: payload; x)", "");
        check(
            "PUT h/a failed while preparing: the payload cannot be read: No such file or directory (os error 2) \
             (1 attempt: payload; no)",
            "the payload cannot be read: No such file or directory (os error 2)",
        );
        check(
            "the signed URL has expired: PUT h/a failed while waiting: 400 (1 attempt: 400; no)",
            "the signed URL has expired",
        );
        check("no signed URL: the backend is down", "no signed URL: the backend is down");
        check("a\u{1b}[2Jb\n", "a\\u{1b}[2Jb\\n");
        check(&"x".repeat(200), &format!("{}…", "x".repeat(160)));
        check("", "");
    }

    #[test]
    fn the_most_frequent_reason_comes_first() {
        let mut failures = Failures::default();
        for (error, path) in [("a", "1"), ("b", "2"), ("b", "3\n"), ("c", "4"), ("d", "5"), ("e", "6"), ("f", "7")] {
            failures.add(error, path);
        }
        let lines = failures.lines();
        assert_eq!(lines[..2], ["2 failed: b; such as 2", "1 failed: a; such as 1"]);
        assert_eq!(lines.last().map(String::as_str), Some("1 failed for other reasons"));
        for n in 0..2 * MAX_REASONS {
            failures.add(&n.to_string(), "x");
        }
        assert_eq!(failures.groups.len(), MAX_REASONS);
        assert_eq!(failures.groups().iter().map(|(_, group)| group.count).sum::<u64>() + failures.others, 2007);
    }

    #[test]
    fn the_command_that_tries_again_can_be_pasted() {
        #[track_caller]
        fn check(arguments: &str, report: Option<&str>, has_journal: bool, expected: Option<&str>) {
            let arguments = arguments.split('|').map(OsString::from);
            assert_eq!(again(arguments, report.map(Path::new), has_journal).as_deref(), expected);
        }
        let given = "/usr/bin/encord|upload|--manifest|my items.jsonl|--report|r.jsonl";
        let expected = "encord upload --manifest 'my items.jsonl' --report r.jsonl --retry-from r.jsonl";
        check(given, Some("r.jsonl"), false, Some(expected));
        for earlier in ["|--retry-from|old.jsonl", "|--retry-from=old.jsonl"] {
            check(&format!("{given}{earlier}"), Some("r.jsonl"), true, Some(expected));
        }
        check(
            "encord|upload|--manifest|it's|--retry-from|a",
            None,
            true,
            Some("encord upload --manifest 'it'\\''s' --retry-from a"),
        );
        check("encord|upload|--manifest|a", None, false, None);
    }
}
