//! `encord upload`, when all goes well, and what is refused before anything is sent.

use std::fs;
use std::path::Path;

use encord_test_server::{Server, status};
use serde_json::{Value, json};

use crate::invocation::encord;

/// A folder with files of these names, whose content is their name.
pub(crate) fn folder(names: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary directory");
    for name in names {
        fs::write(folder.path().join(name), name).expect("written");
    }
    folder
}

/// A manifest with a line for each path and URL.
pub(crate) fn manifest<'a>(items: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let line = |(path, url)| json!({"path": path, "signed_url": url}).to_string() + "\n";
    items.into_iter().map(line).collect()
}

/// The lines of a report.
pub(crate) fn report(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).expect("written");
}

fn stored() -> Server {
    Server::start(|_, _| status(200))
}

#[test]
fn files_arrive_and_are_reported_in_order() {
    let (server, folder) = (stored(), folder(&["a.jpg", "b.jpg", "empty"]));
    write(folder.path(), "empty", "");
    let items = ["a.jpg", "b.jpg", "empty"].map(|name| (name, server.signed_url(&format!("/{name}"))));
    write(folder.path(), "items.jsonl", &manifest(items));
    let run = encord("upload --manifest items.jsonl --report report.jsonl").within(folder.path()).run();
    assert_eq!((run.code, &*run.stdout), (Some(0), ""), "{}", run.stderr);
    let (before, after) = run.stderr.split_once(" in ").expect("a summary");
    assert_eq!(before, "3 uploaded, 0 failed, 0 cancelled, 0 skipped; 10 B");
    assert!(after.ends_with(" s, 3 attempts\n"), "{after}");

    assert_eq!(server.stored("/a.jpg"), b"a.jpg");
    assert_eq!(server.stored("/b.jpg"), b"b.jpg");
    assert_eq!(server.requests_for("/empty").len(), 1);
    let mut lines = report(&fs::read_to_string(folder.path().join("report.jsonl")).expect("a report"));
    for line in &mut lines {
        let line = line.as_object_mut().expect("an object");
        let ended = line.remove("ended_at").expect("when it ended");
        assert!(ended.as_str().is_some_and(|time| time.ends_with('Z') && time.len() == 24), "{ended}");
        assert!(line.remove("seconds").is_some_and(|seconds| seconds.as_f64().is_some()));
    }
    let line = |index: usize, name: &str, bytes: usize| {
        json!({
            "index": index, "path": name, "title": name, "status": "uploaded", "bytes": bytes,
            "attempts": [{"outcome": "200", "phase": "done", "waited_s": 0.0}], "error": null,
        })
    };
    assert_eq!(lines, [line(0, "a.jpg", 5), line(1, "b.jpg", 5), line(2, "empty", 0)]);
}

#[test]
fn the_manifest_comes_from_stdin_and_the_summary_goes_last() {
    let (server, folder) = (stored(), folder(&["a.jpg"]));
    let items = manifest([("a.jpg", server.signed_url("/a.jpg"))]);
    let run = encord("upload --manifest - --report - --json").within(folder.path()).stdin(items).run();
    assert_eq!((run.code, &*run.stderr), (Some(0), ""));
    let mut lines = report(&run.stdout);
    let mut summary = lines.pop().expect("a summary");
    assert!(summary["seconds"].as_f64().is_some());
    summary["seconds"] = json!(0);
    assert_eq!(
        summary,
        json!({"uploaded": 1, "failed": 0, "cancelled": 0, "skipped": 0, "bytes": 5, "attempts": 1, "seconds": 0})
    );
    assert_eq!(lines.len(), 1);
}

#[test]
fn r1_max_retries_is_exact() {
    let server = Server::start(|_, before| status(if before < 2 { 503 } else { 200 }));
    let folder = folder(&["a.jpg"]);
    let upload = |object: &str, retries: &str| {
        let items = manifest([("a.jpg", server.signed_url(object))]);
        let flags = format!("upload --manifest - --report - --backoff-factor 0.01 --max-retries {retries}");
        encord(&flags).within(folder.path()).stdin(items).run()
    };
    let run = upload("/enough", "2");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let waited =
        |outcome: &str, phase: &str, waited: f64| json!({"outcome": outcome, "phase": phase, "waited_s": waited});
    assert_eq!(
        report(&run.stdout)[0]["attempts"],
        json!([waited("503", "waiting", 0.0), waited("503", "waiting", 0.01), waited("200", "done", 0.02)])
    );
    assert_eq!(upload("/short", "1").code, Some(1));
    assert_eq!(server.requests_for("/short").len(), 2);
    assert_eq!(upload("/none", "0").code, Some(1));
    assert_eq!(server.requests_for("/none").len(), 1);
}

#[test]
fn a_malformed_line_stops_the_run_before_anything_is_sent() {
    let (server, folder) = (stored(), folder(&["a.jpg"]));
    let bad = format!("{}{{\"path\": \"b.jpg\", \"url\": \"{0}\"}}\n", server.signed_url("/b.jpg"));
    let bad = bad.replacen(&server.signed_url("/b.jpg"), &manifest([("a.jpg", server.signed_url("/a.jpg"))]), 1);
    let expected = ": line 2: unknown key `url`: write `signed_url`\n";
    let run = encord("upload --manifest - --report report.jsonl").within(folder.path()).stdin(bad.clone()).run();
    run.expect(2, "", &format!("error: manifest standard input{expected}"));
    write(folder.path(), "items.jsonl", &bad);
    let run = encord("upload --manifest items.jsonl --report report.jsonl").within(folder.path()).run();
    run.expect(2, "", &format!("error: manifest items.jsonl{expected}"));
    assert_eq!(server.requests_for("/a.jpg").len(), 0);
    assert!(!folder.path().join("report.jsonl").exists());
}

#[test]
fn a_report_that_cannot_be_made_stops_the_run_before_anything_is_sent() {
    let (server, folder) = (stored(), folder(&["a.jpg"]));
    let items = manifest([("a.jpg", server.signed_url("/a.jpg"))]);
    write(folder.path(), "items.jsonl", &items);
    let upload =
        |report: &str| encord("upload --manifest items.jsonl --report").arg(report).within(folder.path()).run();
    upload("no/report").expect(2, "", "error: report no/report: No such file or directory (os error 2)\n");
    upload("items.jsonl").expect(2, "", "error: the report would overwrite the manifest items.jsonl\n");
    upload("./items.jsonl").expect(2, "", "error: the report would overwrite the manifest items.jsonl\n");
    upload(".").expect(2, "", "error: report .: Is a directory (os error 21)\n");
    assert_eq!(fs::read_to_string(folder.path().join("items.jsonl")).expect("still there"), items);
    assert_eq!(server.requests_for("/a.jpg").len(), 0);
}

#[test]
fn a_manifest_without_items_is_done_at_once_and_said() {
    let run = encord("upload --manifest - --dry-run --json").stdin("\n").run();
    let sums = "{\"would_upload\":0,\"would_fail\":0,\"would_skip\":0,\"bytes\":0}\n";
    run.expect(0, sums, "warning: manifest standard input: no items\n");
}

#[test]
fn what_to_log_must_be_readable() {
    let run = encord("upload --manifest -").env("ENCORD_LOG", "encord_http=loud").run();
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("error: ENCORD_LOG=encord_http=loud: "), "{}", run.stderr);
    assert!(run.stderr.contains("hint: a level, such as debug, "), "{}", run.stderr);
}

#[test]
fn none_at_once_is_refused() {
    let run = encord("upload --manifest - --concurrency 0").run();
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("'--concurrency <N>': it must be a whole number of 1 or more\n"), "{}", run.stderr);
}

#[test]
fn a_dry_run_sends_nothing() {
    let (server, folder) = (stored(), folder(&["a.jpg", "b.jpg"]));
    let good = manifest(["a.jpg", "b.jpg"].map(|name| (name, server.signed_url(&format!("/{name}")))));
    let bad = good.clone()
        + &manifest([
            ("missing", server.signed_url("/m")),
            (".", server.signed_url("/d")),
            ("a.jpg", "h/a?s3cret".to_owned()),
        ]);
    let dry = |flags: &str, items: &str| {
        encord("upload --dry-run --manifest -").arg(flags).within(folder.path()).stdin(items).run()
    };
    let errors = "error: missing: No such file or directory (os error 2)\n\
                  error: .: not a regular file\n\
                  error: a.jpg: the URL cannot be parsed: invalid format\n";
    dry("--progress=never", &good).expect(
        0,
        "2 would be uploaded, 0 would fail, 0 would be skipped; 10 B; nothing was sent\n",
        "",
    );
    dry("--json", &good).expect(0, "{\"would_upload\":2,\"would_fail\":0,\"would_skip\":0,\"bytes\":10}\n", "");
    dry("--json", &bad).expect(1, "{\"would_upload\":2,\"would_fail\":3,\"would_skip\":0,\"bytes\":10}\n", errors);
    dry("--allow-failures", &bad).expect(
        3,
        "2 would be uploaded, 3 would fail, 0 would be skipped; 10 B; nothing was sent\n",
        errors,
    );
    assert_eq!(server.requests_for("/a.jpg").len(), 0);
}

#[test]
fn progress_is_shown_when_asked_for() {
    let (server, folder) = (stored(), folder(&["a.jpg"]));
    let items = manifest([("a.jpg", server.signed_url("/a.jpg"))]);
    let upload = |when: &str| {
        let run = encord("upload --manifest - --json --progress").arg(when).within(folder.path()).stdin(&*items).run();
        assert_eq!(run.code, Some(0));
        run.stderr
    };
    assert_eq!(upload("auto"), "");
    assert_eq!(upload("never"), "");
    let shown = upload("always");
    assert!(shown.contains("/1 files"), "{shown:?}");
    assert!(!shown.contains("s3cret"), "{shown:?}");
}
