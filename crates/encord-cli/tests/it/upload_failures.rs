//! `encord upload` when items fail.

use std::fs;

use encord_test_server::{Server, status};

use crate::invocation::encord;
use crate::upload::{folder, manifest, report};

/// The status of each line of a report.
pub(crate) fn statuses(lines: &[serde_json::Value]) -> Vec<&str> {
    lines.iter().filter_map(|line| line["status"].as_str()).collect()
}

#[test]
fn u6_a_failure_that_is_allowed_stays_with_its_item() {
    let server = Server::start(|request, _| status(if request.path() == "/denied" { 403 } else { 201 }));
    let folder = folder(&["a.jpg", "b.jpg", "c.jpg"]);
    let items = manifest([
        ("a.jpg", server.signed_url("/a.jpg")),
        ("b.jpg", server.signed_url("/denied")),
        ("missing.jpg", server.signed_url("/missing")),
        (".", server.signed_url("/directory")),
        ("b.jpg", "http://[s3cret/".to_owned()),
        ("c.jpg", server.signed_url("/c.jpg")),
    ]);
    let run = encord("upload --manifest - --allow-failures --report -").within(folder.path()).stdin(items).run();
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    let lines = report(&run.stdout);
    assert_eq!(statuses(&lines), ["uploaded", "failed", "failed", "failed", "failed", "uploaded"]);
    assert!(lines[1]["error"].as_str().is_some_and(|error| error.contains("403")), "{}", lines[1]);
    assert_eq!(run.stderr.matches("WARN").count(), 4, "{}", run.stderr);
    assert!(run.stderr.contains("2 uploaded, 4 failed, 0 cancelled, 0 skipped; 10 B in "), "{}", run.stderr);
    assert_eq!(server.stored("/c.jpg"), b"c.jpg");
}

#[test]
fn u5_a_failure_that_is_not_allowed_ends_the_batch() {
    let server = Server::start(|request, _| status(if request.path() == "/denied" { 403 } else { 200 }));
    let folder = folder(&["a.jpg", "b.jpg", "c.jpg"]);
    let items = manifest([
        ("a.jpg", server.signed_url("/a.jpg")),
        ("b.jpg", server.signed_url("/denied")),
        ("c.jpg", server.signed_url("/c.jpg")),
    ]);
    let run = encord("upload --manifest - --concurrency 1 --report -").within(folder.path()).stdin(items).run();
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert_eq!(statuses(&report(&run.stdout)), ["uploaded", "failed", "cancelled"]);
    assert_eq!(server.requests_for("/c.jpg").len(), 0);
    assert!(run.stderr.contains("\nerror: b.jpg: PUT 127.0.0.1:"), "{}", run.stderr);
    assert!(run.stderr.ends_with("hint: with --allow-failures the other items are uploaded all the same\n"));
}

#[test]
fn of_an_expired_url_it_is_said_what_to_do() {
    let server = Server::start(|_, _| status(403));
    let folder = folder(&["a.jpg"]);
    let signature =
        "X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Date=20240101T000000Z&X-Goog-Expires=3600&X-Goog-Signature=0";
    let url = server.signed_url("/a.jpg").replace("X-Signature=s3cret", signature);
    let run = encord("upload --manifest -").within(folder.path()).stdin(manifest([("a.jpg", url)])).run();
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("\nerror: a.jpg: the signed URL has expired: "), "{}", run.stderr);
    assert!(run.stderr.contains("\nhint: a new manifest has URLs that are valid; "), "{}", run.stderr);
}

#[test]
fn u9_the_query_is_in_no_output() {
    let server = Server::start(|request, _| status(if request.path() == "/denied" { 403 } else { 200 }));
    let folder = folder(&["a.jpg", "b.jpg"]);
    let items = || {
        manifest([
            ("a.jpg", server.signed_url("/a.jpg")),
            ("b.jpg", server.signed_url("/denied")),
            ("missing", server.signed_url("/missing")),
            ("a.jpg", "http:///s3cret".to_owned()),
        ])
    };
    for flags in ["--allow-failures --json --progress always", "--progress always", "--dry-run --json"] {
        let mut command = encord("upload --manifest -").env("ENCORD_LOG", "trace").within(folder.path()).stdin(items());
        for flag in flags.split(' ') {
            command = command.arg(flag);
        }
        if !flags.contains("dry-run") {
            command = command.arg("--report=report.jsonl");
        }
        let run = command.run();
        let written = fs::read_to_string(folder.path().join("report.jsonl")).unwrap_or_default();
        assert!(!run.stdout.contains("s3cret"), "{}", run.stdout);
        assert!(!run.stderr.contains("s3cret"), "{}", run.stderr);
        assert!(!written.contains("s3cret"), "{written}");
    }
}
