//! `encord upload` of a part of the manifest: what a journal, an earlier report or a shard leave of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use encord_test_server::{Server, status};
use serde_json::json;

use crate::invocation::{Run, encord};
use crate::upload::{folder, manifest, report};
use crate::upload_failures::statuses;

const NAMES: [&str; 4] = ["a.jpg", "b.jpg", "c.jpg", "d.jpg"];

fn items(server: &Server, folder: &Path) {
    let items = NAMES.map(|name| (name, server.signed_url(&format!("/{name}"))));
    fs::write(folder.join("items.jsonl"), manifest(items)).expect("written");
}

fn upload(folder: &Path, flags: &str) -> Run {
    encord(&format!("upload --manifest items.jsonl {flags}")).within(folder).run()
}

fn requests(server: &Server) -> [usize; 4] {
    NAMES.map(|name| server.requests_for(&format!("/{name}")).len())
}

/// A server that refuses two of the items at first.
fn refusing() -> Server {
    Server::start(|request, before| match request.path() {
        "/b.jpg" | "/d.jpg" if before == 0 => status(403),
        _ => status(200),
    })
}

#[test]
fn what_the_journal_has_is_skipped() {
    let (server, folder) = (refusing(), folder(&NAMES));
    items(&server, folder.path());
    let flags = "--journal done.jsonl --allow-failures --report -";
    let run = upload(folder.path(), flags);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert_eq!(statuses(&report(&run.stdout)), ["uploaded", "failed", "uploaded", "failed"]);

    let run = upload(folder.path(), "--journal done.jsonl --dry-run --json");
    assert_eq!((run.code, &*run.stderr), (Some(0), ""));
    assert_eq!(run.json(), json!({"would_upload": 2, "would_fail": 0, "would_skip": 2, "bytes": 10}));

    fs::write(folder.path().join("c.jpg"), "another content").expect("written");
    let run = upload(folder.path(), flags);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(statuses(&report(&run.stdout)), ["skipped", "uploaded", "uploaded", "uploaded"]);
    assert!(run.stderr.starts_with("3 uploaded, 0 failed, 0 cancelled, 1 skipped; 25 B in "), "{}", run.stderr);
    assert_eq!(requests(&server), [1, 2, 2, 2]);
    assert_eq!(server.stored("/c.jpg"), b"another content");

    let run = upload(folder.path(), "--journal done.jsonl --json");
    assert_eq!((run.code, &run.json()["skipped"]), (Some(0), &json!(4)));
    let journal = fs::read_to_string(folder.path().join("done.jsonl")).expect("a journal");
    assert!(!journal.contains("s3cret"), "{journal}");
}

#[test]
fn a_journal_that_cannot_be_used_stops_the_run_before_anything_is_sent() {
    let (server, folder) = (refusing(), folder(&NAMES));
    items(&server, folder.path());
    let error = "error: the journal would overwrite the manifest items.jsonl\n";
    upload(folder.path(), "--journal items.jsonl").expect(2, "", error);
    let error = "error: journal other: the file is not a journal of uploads; it is left as it is\n";
    fs::write(folder.path().join("other"), "other").expect("written");
    upload(folder.path(), "--journal other").expect(2, "", error);
    let run = upload(folder.path(), "--journal no/journal");
    run.expect(2, "", "error: journal no/journal: No such file or directory (os error 2)\n");
    let path = folder.path().join("done.jsonl");
    let journal = encord_upload::Journal::open(&path).expect("a journal");
    let run = upload(folder.path(), "--journal done.jsonl");
    run.expect(2, "", "error: journal done.jsonl: already open, here or in another process\n");
    drop(journal);
    let clash = "error: the report would overwrite the journal\n";
    upload(folder.path(), "--journal done.jsonl --report done.jsonl").expect(2, "", clash);
    upload(folder.path(), "--journal yet-to-be --report ./yet-to-be").expect(2, "", clash);
    upload(folder.path(), "--journal new.jsonl --dry-run");
    assert!(!folder.path().join("new.jsonl").exists());
    assert_eq!(requests(&server), [0; 4]);
}

#[test]
fn only_what_an_earlier_report_does_not_have_is_uploaded() {
    let (server, folder) = (refusing(), folder(&NAMES));
    items(&server, folder.path());
    let run = upload(folder.path(), "--allow-failures --report r.jsonl");
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    let run = upload(folder.path(), "--retry-from r.jsonl --dry-run --json");
    assert_eq!(run.json(), json!({"would_upload": 2, "would_fail": 0, "would_skip": 2, "bytes": 10}));

    // Three times from and to one file: what was done is never forgotten.
    for (sent, after) in [([1, 2, 1, 2], "2 uploaded"), ([1, 2, 1, 2], "0 uploaded"), ([1, 2, 1, 2], "0 uploaded")] {
        let run = upload(folder.path(), "--retry-from r.jsonl --report r.jsonl");
        assert_eq!((run.code, requests(&server)), (Some(0), sent), "{}", run.stderr);
        assert!(run.stderr.starts_with(after), "{}", run.stderr);
    }
    let lines = report(&fs::read_to_string(folder.path().join("r.jsonl")).expect("a report"));
    assert_eq!(statuses(&lines), ["skipped"; 4]);
    assert_eq!(lines.iter().filter_map(|line| line["path"].as_str()).collect::<Vec<_>>(), NAMES);
}

#[test]
fn an_earlier_report_that_is_none_stops_the_run_before_anything_is_sent() {
    let (server, folder) = (refusing(), folder(&NAMES));
    items(&server, folder.path());
    let run = upload(folder.path(), "--retry-from items.jsonl");
    run.expect(2, "", "error: earlier report items.jsonl: line 1: this is a line of a manifest, for --manifest\n");
    let run = upload(folder.path(), "--retry-from no.jsonl");
    run.expect(2, "", "error: earlier report no.jsonl: No such file or directory (os error 2)\n");
    let both = encord("upload --manifest - --retry-from -").run();
    both.expect(2, "", "error: manifest and earlier report cannot both come from standard input\n");
    assert_eq!(requests(&server), [0; 4]);
}

#[test]
fn shards_are_disjoint_and_complete() {
    let server = Server::start(|_, _| status(200));
    let names: Vec<String> = (0..40).map(|n| format!("{n}.jpg")).collect();
    let folder = folder(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let all = names.iter().map(|name| (name.as_str(), server.signed_url(&format!("/{name}"))));
    fs::write(folder.path().join("items.jsonl"), manifest(all)).expect("written");
    let mut seen = BTreeSet::new();
    for shard in 0..3 {
        let run = upload(folder.path(), &format!("--shard {shard}/3 --report -"));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let indices: Vec<u64> = report(&run.stdout).iter().filter_map(|line| line["index"].as_u64()).collect();
        assert!(indices.is_sorted() && !indices.is_empty(), "{indices:?}");
        for index in indices {
            assert!(seen.insert(index), "{index} is in two shards");
        }
    }
    assert_eq!(seen.len(), names.len());
    assert!(names.iter().all(|name| server.requests_for(&format!("/{name}")).len() == 1));
    let run = upload(folder.path(), "--shard 3/3");
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("shard 3/3 does not exist: the first is 0/3"), "{}", run.stderr);
}

#[test]
fn a_report_is_complete_or_not_there() {
    let (server, folder) = (refusing(), folder(&NAMES));
    items(&server, folder.path());
    let path = folder.path().join("r.jsonl");
    fs::write(&path, "an earlier one").expect("written");
    upload(folder.path(), "--report r.jsonl --concurrency 0");
    assert_eq!(fs::read(&path).expect("there"), b"an earlier one");
    let run = upload(folder.path(), "--report r.jsonl --concurrency 1");
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let lines = report(&fs::read_to_string(&path).expect("there"));
    assert_eq!(statuses(&lines), ["uploaded", "failed", "cancelled", "cancelled"]);
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), NAMES.len() + 2);
}

#[test]
fn a_reader_of_the_report_that_went_away_is_a_quiet_end() {
    let (server, folder) = (Server::start(|_, _| status(200)), folder(&NAMES));
    items(&server, folder.path());
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let run = encord("upload --manifest items.jsonl --report - --json").within(folder.path()).stdout(writer);
    run.expect(0, "", "");
    assert_eq!(requests(&server), [1; 4]);
}
