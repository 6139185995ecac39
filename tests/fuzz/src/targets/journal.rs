//! The journal of uploads.

use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use encord_upload::{Journal, JournalError, UploadItem};

const HEADER: &str = "{\"journal\":\"encord-upload\",\"version\":1}\n";

/// Any journal can be opened, no complete line is changed, and finished items are found.
pub(super) fn check(mut data: &[u8]) {
    let [place] = crate::take(&mut data);
    crate::scratch::with_file("journal", data, |path| as_it_is(path, data));

    let item = crate::scratch::with_file("uploaded", b"meow", |path| {
        let modified = UNIX_EPOCH + Duration::new(1_700_000_000, 1);
        fs::File::open(path).and_then(|file| file.set_modified(modified)).expect("a time of modification");
        UploadItem::new(path, format!("https://h/p{}", crate::SECRET))
    });
    with_a_good_line(data, place.into(), &item);
}

fn as_it_is(path: &Path, data: &[u8]) {
    let journal = match Journal::open(path) {
        Ok(journal) => journal,
        Err(error) => {
            assert!(matches!(error, JournalError::NotAJournal(_) | JournalError::Version(_)), "{error}");
            assert!(!data.starts_with(HEADER.as_bytes()));
            return assert_eq!(fs::read(path).expect("there"), data, "what is no journal is left as it is");
        }
    };
    let lines = data.strip_prefix(HEADER.as_bytes()).unwrap_or_default();
    let whole = lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let expected = [HEADER.as_bytes(), &lines[..whole]].concat();
    assert_eq!(fs::read(path).expect("there"), expected, "only what was cut off is dropped");
    let count = expected.split(|byte| *byte == b'\n').count() as u64 - 2;
    assert_eq!(journal.len() as u64 + journal.unreadable(), count);
    assert!(matches!(Journal::open(path), Err(JournalError::Locked(_))));

    let (length, unreadable) = (journal.len(), journal.unreadable());
    journal.finish().expect("nothing was written");
    drop(journal);
    let again = Journal::open(path).expect("a journal");
    assert_eq!((again.len(), again.unreadable()), (length, unreadable));
    assert_eq!(fs::read(path).expect("there"), expected);
}

/// Adds a valid line among the others. Its item is done, and the same file for another target is not.
fn with_a_good_line(data: &[u8], place: usize, item: &UploadItem) {
    let lines = data.strip_prefix(HEADER.as_bytes()).unwrap_or(data);
    let line = serde_json::json!({
        "path": item.path.to_str().expect("a name in ASCII"),
        "size": 4,
        "mtime_ns": 1_700_000_000_000_000_001_i64,
        "target": "h/p",
    });
    let mut lines: Vec<&[u8]> = lines.split_inclusive(|byte| *byte == b'\n').collect();
    let line = format!("{line}\n");
    let place = place.min(lines.len() - usize::from(lines.last().is_some_and(|last| !last.ends_with(b"\n"))));
    lines.insert(place, line.as_bytes());
    crate::scratch::with_file("journal", &[HEADER.as_bytes(), &lines.concat()].concat(), |path| {
        let journal = Journal::open(path).expect("a journal");
        assert!(journal.contains(item));
        assert!(!journal.contains(&UploadItem::new(&item.path, "https://h/q")));
        assert!(!format!("{journal:?}").contains(crate::SECRET));
    });
}
