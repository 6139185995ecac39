//! `encord report`.

use std::fs;

use encord_test_server::{Server, status};
use serde_json::json;

use crate::invocation::encord;
use crate::upload::{folder, manifest};

#[test]
fn the_report_of_a_run_is_read_in_three_forms() {
    let server = Server::start(|request, before| match request.path() {
        "/b.jpg" => status(403),
        "/c.jpg" if before == 0 => status(503),
        _ => status(200),
    });
    let folder = folder(&["a.jpg", "b.jpg", "c.jpg"]);
    let items = manifest(["a.jpg", "b.jpg", "c.jpg"].map(|name| (name, server.signed_url(&format!("/{name}")))));
    let upload = encord("upload --manifest - --allow-failures --report r.jsonl --backoff-factor 0.01");
    assert_eq!(upload.within(folder.path()).stdin(items).run().code, Some(3));

    let shown = encord("report r.jsonl").within(folder.path()).run();
    assert_eq!((shown.code, &*shown.stderr), (Some(0), ""));
    assert!(shown.stdout.starts_with("2 uploaded, 1 failed, 0 cancelled, 0 skipped\n10 B, 4 attempts, "), "{shown:?}");
    assert!(shown.stdout.contains("failures, by reason:\n        1  403"), "{shown:?}");
    assert!(shown.stdout.contains("slowest items:\n"), "{shown:?}");
    let summary = encord("report - --json --html page.html").within(folder.path());
    let summary = summary.stdin(fs::read_to_string(folder.path().join("r.jsonl")).expect("a report")).run().json();
    assert_eq!((&summary["uploaded"], &summary["retries"]["503"]["count"]), (&json!(2), &json!(1)));
    let page = fs::read_to_string(folder.path().join("page.html")).expect("a page");
    assert!(page.starts_with("<!doctype html>") && page.contains("such as b.jpg"), "{page}");
    assert!(!page.contains("s3cret") && !shown.stdout.contains("s3cret"));

    let over = encord("report r.jsonl --html r.jsonl").within(folder.path()).run();
    over.expect(2, "", "error: the page would overwrite the report r.jsonl\n");
    let nowhere = encord("report r.jsonl --html no/page").within(folder.path()).run();
    nowhere.expect(2, "", "error: page no/page: No such file or directory (os error 2)\n");
    let none = encord("report none").within(folder.path()).run();
    none.expect(2, "", "error: report none: No such file or directory (os error 2)\n");
}
