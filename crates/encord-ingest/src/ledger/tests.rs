//! The ledger as a file: what is read back, what is refused.

use std::fs;

use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::kind::Kind;
use crate::record::FileFacts;

const FOLDER: Uuid = Uuid::from_u128(1);

fn header() -> Header {
    Header::new("https://api.encord.com".to_owned(), FOLDER, None)
}

fn records() -> Vec<Record> {
    let files = vec![FileFacts { path: "/a\nb.jpg".into(), size: 1, mtime_ns: 2 }];
    vec![
        Record::Unit { unit: 0, kind: Kind::Image, title: "a".into(), files },
        Record::Signed { unit: 0, file: 0, item: Uuid::from_u128(7), object: "k".into(), abandoned: None },
        Record::Sent { unit: 0, file: 0 },
    ]
}

fn lines(text: &[u8]) -> usize {
    text.split(|byte| *byte == b'\n').count() - 1
}

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.jsonl");
    (folder, path)
}

fn written() -> (TempDir, PathBuf, Vec<u8>) {
    let (folder, path) = place();
    let (mut ledger, replay) = Ledger::open(&path, &header()).expect("new");
    assert_eq!(replay.next_unit(), 0);
    ledger.append(&records()).expect("written");
    ledger.sync().expect("synced");
    let text = fs::read(&path).expect("there");
    (folder, path, text)
}

#[test]
fn c2_what_was_written_is_read_back_and_goes_on() {
    let (_folder, path, text) = written();
    assert_eq!(lines(&text), 4);
    let (mut ledger, replay) = Ledger::open(&path, &header()).expect("a ledger");
    assert_eq!(replay.next_unit(), 1);
    ledger.append(&[Record::Post { job: 0, units: vec![0] }]).expect("written");
    drop(ledger);
    let replay = Ledger::read(&path, &header()).expect("a ledger").expect("there");
    assert_eq!(replay.next_job(), 1);
}

#[test]
fn c2_a_last_line_that_was_cut_off_anywhere_is_dropped() {
    let (_folder, path, text) = written();
    for length in 0..text.len() {
        fs::write(&path, &text[..length]).expect("written");
        let whole = lines(&text[..length]);
        let (mut ledger, _) = Ledger::open(&path, &header()).unwrap_or_else(|error| panic!("{length}: {error}"));
        // What is missing is written again.
        ledger.append(&records()[whole.saturating_sub(1)..]).expect("written");
        drop(ledger);
        assert_eq!(fs::read(&path).expect("there"), text, "cut after {length}");
    }
}

#[test]
fn c2_a_line_that_cannot_be_read_stops_everything() {
    let (_folder, path, text) = written();
    let text = String::from_utf8(text).expect("UTF-8");
    let check = |text: &str, expected: &str| {
        fs::write(&path, text).expect("written");
        let error = Ledger::open(&path, &header()).expect_err("unusable").to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(fs::read_to_string(&path).expect("there"), text, "it is left as it is");
    };
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    check(&text.replace("sent", "lost"), "line 4: not a line of a ledger: unknown variant `lost`");
    check(&[lines[0], lines[1], lines[3]].concat(), "line 3: it does not follow from the lines before it");
    check(&[lines[0], lines[1], "\0\0\0\n", lines[2]].concat(), "line 3: not a line of a ledger");
    check("hello\n", "the file is not a ledger; it is left as it is");
    check("hello", "the file is not a ledger; it is left as it is");
    check("{\"journal\":\"encord-upload\",\"version\":1}\n", "the file is not a ledger");
    check(&text.replace("\"version\":1", "\"version\":2"), "written by a later version");
    check(
        &text.replace("api.encord", "api.us.encord"),
        "it is for folder 00000000-0000-0000-0000-000000000001 of https://api.us.encord.com, and not for folder",
    );
}

#[test]
fn one_run_uses_it_and_only_its_owner_reads_it() {
    let (_folder, path) = place();
    let (ledger, _) = Ledger::open(&path, &header()).expect("new");
    assert!(matches!(Ledger::open(&path, &header()), Err(LedgerError::Locked(_))));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    }
    drop(ledger);
    Ledger::open(&path, &header()).expect("free again");
    assert!(Ledger::read(&path.with_extension("none"), &header()).expect("none").is_none());
}
