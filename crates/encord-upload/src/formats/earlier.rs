//! The report of an earlier run, which tells the items that are left to do.

use std::hash::{BuildHasher, RandomState};
use std::io::Read;

use super::FormatError;
use super::object::{Object, Text};
use super::text::Lines;
use crate::item::UploadItem;

/// The items that the report of an earlier run lists as uploaded. It takes 16 bytes of memory for each line.
#[derive(Debug)]
pub struct EarlierReport {
    keys: Keys,
    /// Sorted.
    done: Vec<u128>,
}

/// Makes the keys of items within this process. A key is 127 bits of hashes with random seeds, so that two items never have the
/// same key.
#[derive(Debug, Default)]
struct Keys([RandomState; 2]);

impl EarlierReport {
    /// Reads a report.
    ///
    /// # Errors
    ///
    /// [`FormatError`]: the report cannot be read, or a line is not a line of a report.
    pub fn read(reader: impl Read) -> Result<Self, FormatError> {
        let (mut lines, keys) = (Lines::new(reader), Keys::default());
        // The last bit marks an item that is not done. After sorting it follows the entry of the same item that is done.
        let mut marked = Vec::new();
        while let Some((number, line)) = lines.next()? {
            let read = read_line(&line, &keys).map_err(|reason| FormatError::Line { number, reason });
            let (key, done) = read?;
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

    /// Whether an item is done: the report lists it as uploaded or skipped, and never with another status.
    pub fn has_done(&self, item: &UploadItem) -> bool {
        let key = self.keys.of(&item.path.to_string_lossy(), &item.display_title());
        self.done.binary_search(&key).is_ok()
    }
}

impl Keys {
    /// Returns the key of an item, an even number.
    fn of(&self, path: &str, title: &str) -> u128 {
        let [high, low] = self.0.each_ref().map(|seed| u128::from(seed.hash_one((path, title))));
        (high << 64 | low) & !1
    }
}

/// Returns the key of a line's item, and whether the item is done.
fn read_line(line: &str, keys: &Keys) -> Result<(u128, bool), String> {
    let object = Object::read(line)?;
    if object.has("journal") {
        return Err("this is a journal, for --journal".to_owned());
    }
    if object.has("signed_url") {
        return Err("this is a line of a manifest, for --manifest".to_owned());
    }
    let text = |key: &str| match object.entries.iter().find(|(name, _)| name == key) {
        Some((_, value)) => match value.text() {
            Some(text) => Ok(Text::lossy(text)),
            None => Err(format!("`{key}` must be a string, not {}", value.kind())),
        },
        None => Err(format!("`{key}` is missing")),
    };
    let done = match text("status")?.as_str() {
        "uploaded" | "skipped" => true,
        "failed" | "cancelled" => false,
        _ => return Err("`status` must be one of uploaded, failed, cancelled, skipped".to_owned()),
    };
    Ok((keys.of(&text("path")?, &text("title")?), done))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(path: &str, title: &str, status: &str) -> String {
        format!("{{\"path\": \"{path}\", \"title\": \"{title}\", \"status\": \"{status}\", \"attempts\": [{{}}]}}\n")
    }

    #[test]
    fn what_is_not_said_to_be_uploaded_is_left_to_do() {
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
        let report = EarlierReport::read(report.concat().as_bytes()).expect("a report");
        assert!(report.done.is_sorted() && report.done.len() == 4, "{report:?}");
        let check = |path: &str, title: Option<&str>, expected: bool| {
            let mut item = UploadItem::new(path, "https://h/p");
            item.title = title.map(str::to_owned);
            assert_eq!(report.has_done(&item), expected, "{path} {title:?}");
        };
        check("a", None, true);
        check("a", Some("a"), true);
        check("a", Some("other"), false);
        check("b", None, true);
        check("c", None, false);
        check("d", None, false);
        check("e/é", None, false);
        check("e/é", Some("E"), true);
        check("missing", None, false);
        check("twice", Some("t"), true);
        check("either", Some("t"), false);
    }

    #[cfg(unix)]
    #[test]
    fn u6_a_name_that_is_not_utf_8_is_the_one_of_the_report() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        use std::path::Path;
        let item = UploadItem::new(Path::new(OsStr::from_bytes(b"gr\xf6\xe2\x82")), "https://h/p");
        // The same name as bytes, as Python writes it, and as our reports write it.
        for name in [&b"gr\xf6\xe2\x82"[..], br"gr\udcf6\udce2\udc82", "gr\u{fffd}\u{fffd}".as_bytes()] {
            let report = [br#"{"path": ""#, name, br#"", "title": ""#, name, br#"", "status": "uploaded"}"#].concat();
            assert!(EarlierReport::read(&report[..]).expect("a report").has_done(&item), "{}", name.escape_ascii());
        }
    }

    #[test]
    fn what_is_no_report_is_refused_by_line() {
        #[track_caller]
        fn check(report: &str, expected: &str) {
            assert_eq!(EarlierReport::read(report.as_bytes()).expect_err("malformed").to_string(), expected);
        }
        let good = line("a", "a", "uploaded");
        check("x", "line 1: not JSON: expected value at column 1");
        check(
            &format!("{good}\n[]"),
            "line 3: must be a JSON object, not a list; `jq -c '.[]'` makes a line of each item",
        );
        check(
            r#"{"path": "a", "signed_url": "https://h/p?s3cret"}"#,
            "line 1: this is a line of a manifest, for --manifest",
        );
        check(r#"{"path": "a", "title": "a"}"#, "line 1: `status` is missing");
        check(
            &format!("{good}{}", line("a", "a", "s3cret")),
            "line 2: `status` must be one of uploaded, failed, cancelled, skipped",
        );
        check(r#"{"journal": "encord-upload", "version": 1}"#, "line 1: this is a journal, for --journal");
        check(r#"{"status": "failed", "title": "a"}"#, "line 1: `path` is missing");
        check(r#"{"status": "failed", "path": "a", "title": 1}"#, "line 1: `title` must be a string, not a number");
    }
}
