//! `--retry-from`: an earlier report, and which items it leaves to do.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};

use encord_upload::UploadItem;

use crate::args::Stream;
use crate::json::Json;
use crate::lines::Lines;
use crate::output::Failure;

/// What an earlier report has as uploaded: a hash for each of its lines, not the lines.
#[derive(Debug)]
pub(crate) struct RetryFrom {
    keys: Keys,
    /// Sorted.
    done: Vec<u128>,
}

/// What items are known by, within this process: 127 bits of hashes with random seeds, so that no two ever have the same.
#[derive(Debug, Default)]
struct Keys([RandomState; 2]);

impl RetryFrom {
    /// Reads a report.
    ///
    /// # Errors
    ///
    /// It cannot be read, or a line is not of a report: the first one, with its number.
    pub(crate) fn read(stream: &Stream) -> Result<Self, Failure> {
        let read = match stream {
            Stream::Standard => Self::from_reader(io::stdin().lock()),
            Stream::File(path) => match File::open(path) {
                Ok(file) => Self::from_reader(file),
                Err(error) => Err(format!(": {error}")),
            },
        };
        read.map_err(|problem| Failure::usage(format_args!("earlier report {stream}{problem}")))
    }

    /// Whether an item is to be uploaded: unless the report has it as uploaded or skipped, and nowhere as anything else.
    pub(crate) fn takes(&self, item: &UploadItem) -> bool {
        let key = self.keys.of(&item.path.to_string_lossy(), &item.display_title());
        self.done.binary_search(&key).is_err()
    }

    /// The error goes after the name of the report.
    fn from_reader(reader: impl Read) -> Result<Self, String> {
        let (mut lines, keys) = (Lines::new(reader), Keys::default());
        // The last bit says that it is not done, so those that are not come after those that are.
        let mut marked = Vec::new();
        while let Some((number, line)) = lines.next().map_err(|error| format!(": {error}"))? {
            let (key, done) = read_line(line, &keys).map_err(|reason| format!(", line {number}: {reason}"))?;
            marked.push(key | u128::from(!done));
        }
        marked.sort_unstable();
        let mut last_of_key = 0;
        for at in 0..marked.len() {
            if marked.get(at + 1).is_none_or(|next| next & !1 != marked[at] & !1) {
                marked[last_of_key] = marked[at];
                last_of_key += 1;
            }
        }
        marked.truncate(last_of_key);
        marked.retain(|marked| marked & 1 == 0);
        Ok(Self { keys, done: marked })
    }
}

impl Keys {
    /// The key of an item: even.
    fn of(&self, path: &str, title: &str) -> u128 {
        let [high, low] = self.0.each_ref().map(|seed| u128::from(seed.hash_one((path, title))));
        (high << 64 | low) & !1
    }
}

/// The key of a line's item, and whether it is done.
fn read_line(line: &[u8], keys: &Keys) -> Result<(u128, bool), String> {
    let entries = match Json::read(line)? {
        Json::Object(entries) => entries,
        other => return Err(format!("must be a JSON object, not {}", other.kind())),
    };
    if entries.iter().any(|(name, _)| name == "journal") {
        return Err("this is a journal, for --journal".to_owned());
    }
    let text = |key: &str| match entries.iter().find(|(name, _)| name == key) {
        Some((_, Json::Text(text))) => Ok(text.as_str()),
        Some((_, other)) => Err(format!("`{key}` must be a string, not {}", other.kind())),
        None => Err(format!("`{key}` is missing")),
    };
    let done = match text("status")? {
        "uploaded" | "skipped" => true,
        "failed" | "cancelled" => false,
        _ => return Err("`status` must be one of uploaded, failed, cancelled, skipped".to_owned()),
    };
    Ok((keys.of(text("path")?, text("title")?), done))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(path: &str, title: &str, status: &str) -> String {
        format!("{{\"path\": \"{path}\", \"title\": \"{title}\", \"status\": \"{status}\", \"attempts\": [{{}}]}}\n")
    }

    #[test]
    fn what_is_not_said_to_be_uploaded_is_taken() {
        let report = [
            line("a", "a", "uploaded"),
            line("b", "b", "skipped"),
            line("c", "c", "failed"),
            line("d", "d", "cancelled"),
            line("e/é", "E", "uploaded"),
            line("twice", "t", "uploaded"),
            line("twice", "t", "uploaded"),
            line("either", "t", "uploaded"),
            line("either", "t", "failed"),
            line("either", "t", "uploaded"),
        ];
        let retry = RetryFrom::from_reader(report.concat().as_bytes()).expect("a report");
        assert!(retry.done.is_sorted() && retry.done.len() == 4, "{retry:?}");
        let check = |path: &str, title: Option<&str>, expected: bool| {
            let mut item = UploadItem::new(path, "https://h/p");
            item.title = title.map(str::to_owned);
            assert_eq!(retry.takes(&item), expected, "{path} {title:?}");
        };
        check("a", None, false);
        check("a", Some("a"), false);
        check("a", Some("other"), true);
        check("b", None, false);
        check("c", None, true);
        check("d", None, true);
        check("e/é", None, true);
        check("e/é", Some("E"), false);
        check("missing", None, true);
        check("twice", Some("t"), false);
        check("either", Some("t"), true);
    }

    #[test]
    fn what_is_no_report_is_refused_by_line() {
        #[track_caller]
        fn check(report: &str, expected: &str) {
            assert_eq!(RetryFrom::from_reader(report.as_bytes()).expect_err("malformed"), expected);
        }
        let good = line("a", "a", "uploaded");
        check("x", ", line 1: not JSON: expected value at column 1");
        check(&format!("{good}\n[]"), ", line 3: must be a JSON object, not a list");
        check(r#"{"path": "a", "signed_url": "https://h/p?s3cret"}"#, ", line 1: `status` is missing");
        check(
            &format!("{good}{}", line("a", "a", "s3cret")),
            ", line 2: `status` must be one of uploaded, failed, cancelled, skipped",
        );
        check(r#"{"journal": "encord-upload", "version": 1}"#, ", line 1: this is a journal, for --journal");
        check(r#"{"status": "failed", "title": "a"}"#, ", line 1: `path` is missing");
        check(r#"{"status": "failed", "path": "a", "title": 1}"#, ", line 1: `title` must be a string, not a number");
        check(good.trim_end().trim_end_matches('}'), ", line 1: not JSON: EOF while parsing an object at column 66");
    }
}
