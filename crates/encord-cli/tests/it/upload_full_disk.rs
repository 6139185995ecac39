//! `encord upload` when journal or report cannot be written.

#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;

use encord_test_server::{Server, status};

use crate::invocation::{Run, encord};
use crate::upload::{folder, manifest, report};

const ITEMS: usize = 100;

/// A server, and a folder with a manifest for it.
fn items() -> (Server, tempfile::TempDir) {
    let (server, folder) = (Server::start(|_, _| status(200)), folder(&["a.jpg"]));
    let items = (0..ITEMS).map(|n| ("a.jpg", server.signed_url(&format!("/{n}.jpg"))));
    fs::write(folder.path().join("items.jsonl"), manifest(items)).expect("written");
    (server, folder)
}

/// An upload where no file gets longer than a few kilobytes: writing more fails, as it does on a full disk.
fn upload(folder: &Path, flags: &str) -> Run {
    let words = "trap '' XFSZ && ulimit -f 4 && exec \"$0\" \"$@\"";
    let upload = encord(&format!("upload --manifest items.jsonl --json {flags}"));
    upload.by(["sh", "-c", words]).within(folder).run()
}

/// Each item has arrived, once.
#[track_caller]
fn check_arrived(server: &Server) {
    assert!((0..ITEMS).all(|n| server.requests_for(&format!("/{n}.jpg")).len() == 1));
}

#[test]
fn a_journal_that_cannot_be_written_fails_a_run_whose_items_arrived() {
    let (server, folder) = items();
    let run = upload(folder.path(), "--journal j.jsonl");
    assert_eq!((run.code, &run.json()["uploaded"]), (Some(1), &ITEMS.into()), "{}", run.stderr);
    assert!(run.stderr.ends_with("\nerror: journal j.jsonl: File too large (os error 27)\n"), "{}", run.stderr);
    assert_eq!(run.stderr.matches("cannot write the journal").count(), 1, "{}", run.stderr);
    check_arrived(&server);

    // Its lines are whole, and true.
    let journal = fs::read_to_string(folder.path().join("j.jsonl")).expect("a journal");
    let known = report(&journal).len() - 1;
    assert!((1..ITEMS).contains(&known) && journal.ends_with('\n'), "{journal}");
    let again = encord("upload --manifest items.jsonl --journal j.jsonl --json").within(folder.path()).run();
    assert_eq!((again.code, &again.stderr), (Some(0), &String::new()));
    assert_eq!((&again.json()["uploaded"], &again.json()["skipped"]), (&(ITEMS - known).into(), &known.into()));
}

#[test]
fn a_report_that_cannot_be_written_fails_a_run_whose_items_arrived() {
    let (server, folder) = items();
    fs::write(folder.path().join("r.jsonl"), "an earlier one").expect("written");
    let run = upload(folder.path(), "--report r.jsonl");
    assert_eq!((run.code, &run.json()["uploaded"]), (Some(1), &ITEMS.into()));
    assert_eq!(run.stderr, "error: cannot write the report r.jsonl: File too large (os error 27)\n");
    assert_eq!(fs::read(folder.path().join("r.jsonl")).expect("there"), b"an earlier one");
    check_arrived(&server);
}

#[test]
fn a_report_for_a_full_device_fails_a_run_whose_items_arrived() {
    let (server, folder) = items();
    let run = encord("upload --manifest items.jsonl --json --report /dev/full").within(folder.path()).run();
    assert_eq!((run.code, &run.json()["uploaded"]), (Some(1), &ITEMS.into()));
    let (error, kept) = run.stderr.split_once("; it is in ").expect("the report is kept");
    assert_eq!(error, "error: cannot write the report /dev/full: No space left on device (os error 28)");
    assert_eq!(report(&fs::read_to_string(kept.trim_end()).expect("kept")).len(), ITEMS);
    fs::remove_file(kept.trim_end()).expect("removed");
    check_arrived(&server);
}
