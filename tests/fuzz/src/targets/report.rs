//! Reports of earlier runs, as `--retry-from` reads them.

use std::collections::BTreeMap;

use encord_upload::UploadItem;
use encord_upload::formats::{EarlierReport, ReportLines};
use serde_json::Value;

use crate::entries::Entries;

/// An item counts as done exactly if each of its lines says so. An error names a bad line after valid ones, and repeats nothing of
/// it.
pub(super) fn check(data: &[u8]) {
    let mut whole = ReportLines::new(data);
    while let Some(read) = whole.next_with(|line| line.attempts.len()).transpose() {
        if let Err(failure) = read {
            let told = format!("{failure} {failure:?}");
            assert!(!told.contains(crate::SECRET), "{told}");
            break;
        }
    }
    let Some(text) = crate::unmarked(data) else { return assert!(EarlierReport::read(data).is_err()) };
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let lines: Vec<(usize, &[u8])> = (1..).zip(lines).filter(|(_, line)| !line.is_empty()).collect();
    match EarlierReport::read(data) {
        Ok(report) => {
            let mut done = BTreeMap::new();
            // The second parser refuses lone surrogates.
            if lines.iter().any(|(_, line)| crate::has_surrogate(line)) {
                return;
            }
            for (_, line) in lines {
                let (path, title, is_done) = read(line).expect("a line that another reader takes too");
                *done.entry((path, title)).or_insert(true) &= is_done;
            }
            for ((path, title), done) in done {
                let mut item = UploadItem::new(path, "https://h/p");
                item.title = Some(title);
                assert_eq!(report.has_done(&item), done, "{item:?}");
                item.title = Some("a title that no report has".to_owned());
                assert!(!report.has_done(&item));
            }
        }
        Err(failure) => {
            let told = format!("{failure} {failure:?}");
            assert!(!told.contains(crate::SECRET), "{told}");
            let named = |number: usize| told.contains(&format!("line {number}: "));
            let at = lines.iter().position(|(number, _)| named(*number)).expect("a line that is there");
            assert!(lines[..at].iter().all(|(_, line)| read(line).is_some() || crate::has_surrogate(line)), "{told}");
            // The report's parser checks the whole line, so the line is bad for the second parser or for `serde_json`.
            let line = lines[at].1;
            assert!(read(line).is_none() || serde_json::from_slice::<Value>(line).is_err(), "{told}");
        }
    }
}

/// Parses a line with the second parser: path, title, whether it is done. Attempts are not parsed.
fn read(line: &[u8]) -> Option<(String, String, bool)> {
    let entries = Entries::read(String::from_utf8_lossy(line).as_bytes())?;
    // With these keys it is a line of a journal or a manifest.
    if ["journal", "signed_url"].iter().any(|key| !entries.all(key).is_empty()) {
        return None;
    }
    let done = match entries.text("status")?.as_str() {
        "uploaded" | "skipped" => true,
        "failed" | "cancelled" => false,
        _ => return None,
    };
    Some((entries.text("path")?, entries.text("title")?, done))
}
