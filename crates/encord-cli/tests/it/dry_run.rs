//! `encord upload --dry-run`: it finds what the run would find, and leaves no trace.

use std::fs;

use encord_test_server::{Server, status};
use serde_json::json;

use crate::invocation::encord;
use crate::upload::{folder, manifest, report};

#[test]
fn a_dry_run_says_where_journal_or_report_could_not_be_written() {
    let (server, folder) = (Server::start(|_, _| status(200)), folder(&["a.jpg"]));
    fs::write(folder.path().join("items.jsonl"), manifest([("a.jpg", server.signed_url("/a.jpg"))])).expect("written");
    fs::write(folder.path().join("other"), "no journal").expect("written");
    let upload = |flags: &str| encord(&format!("upload --manifest items.jsonl {flags}")).within(folder.path()).run();
    for (flags, error) in [
        ("--report no/r.jsonl", "report no/r.jsonl: No such file or directory (os error 2)"),
        ("--report reports/", "report reports/: No such file or directory (os error 2)"),
        ("--report .", "report .: Is a directory (os error 21)"),
        ("--journal no/j.jsonl", "journal no/j.jsonl: No such file or directory (os error 2)"),
        ("--journal .", "journal .: Is a directory (os error 21)"),
        ("--journal other", "journal other: the file is not a journal of uploads; it is left as it is"),
        ("--report items.jsonl", "the report would overwrite the manifest items.jsonl"),
    ] {
        for dry in ["", "--dry-run"] {
            upload(&format!("{flags} {dry}")).expect(2, "", &format!("error: {error}\n"));
        }
    }
    assert_eq!(server.requests_for("/a.jpg").len(), 0);
}

#[test]
fn a_dry_run_leaves_journal_and_report_as_they_are() {
    let (server, folder) = (Server::start(|_, _| status(200)), folder(&["a.jpg", "b.jpg"]));
    let items = ["a.jpg", "b.jpg"].map(|name| (name, server.signed_url(&format!("/{name}"))));
    fs::write(folder.path().join("items.jsonl"), manifest(items)).expect("written");
    let flags = "upload --manifest items.jsonl --journal j.jsonl --report r.jsonl";
    let dry = || encord(flags).arg("--dry-run").arg("--json").within(folder.path()).run();
    let sums =
        |upload: u64| json!({"would_upload": upload, "would_fail": 0, "would_skip": 2 - upload, "bytes": upload * 5});
    assert_eq!((dry().json(), fs::read_dir(folder.path()).expect("a folder").count()), (sums(2), 3));

    assert_eq!(encord(flags).within(folder.path()).run().code, Some(0));
    let (journal, report_file) = (folder.path().join("j.jsonl"), folder.path().join("r.jsonl"));
    let lines = report(&fs::read_to_string(&journal).expect("a journal"));
    assert_eq!(lines.len(), 3);
    // What was cut off is for the next run to drop; and somebody else may be at it.
    let cut = format!("{}\n{}\n{{\"path\": \"b.j", lines[0], lines[1]).replace(", ", ",");
    fs::write(&journal, &cut).expect("written");
    fs::write(&report_file, "an earlier one").expect("written");
    let locked = fs::File::options().append(true).open(&journal).expect("a journal");
    locked.try_lock().expect("free");
    assert_eq!(dry().json(), sums(1));
    assert_eq!(fs::read_to_string(&journal).expect("there"), cut);
    assert_eq!(fs::read(&report_file).expect("there"), b"an earlier one");
}

#[test]
fn a_dry_run_tells_of_urls_that_have_expired() {
    let folder = folder(&["a.jpg", "b.jpg"]);
    let url = |name: &str, date: &str| {
        format!(
            "http://h/{name}?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Date={date}&X-Goog-Expires=60&X-Goog-Signature=s3cret"
        )
    };
    let dry = |second: &str| {
        let items = manifest([
            ("a.jpg", url("a", "20240101T000000Z")),
            ("b.jpg", url("b", second)),
            ("a.jpg", "http://h/c".to_owned()),
        ]);
        encord("upload --manifest - --dry-run --json").within(folder.path()).stdin(items).run()
    };
    let sums = "{\"would_upload\":3,\"would_fail\":0,\"would_skip\":0,\"bytes\":15}\n";
    dry("20250101T000000Z").expect(0, sums, "warning: 2 URLs have expired\n");
    let run = dry("99990101T000000Z");
    assert_eq!((run.code, &*run.stdout), (Some(0), sums));
    assert!(run.stderr.starts_with("warning: 1 URL has expired; the next expires in "), "{}", run.stderr);
}

#[test]
fn u9_a_dry_run_tells_of_a_proxy_that_cannot_be_used() {
    let folder = folder(&["a.jpg", "b.jpg"]);
    let items = manifest([("a.jpg", "http://h/a".to_owned()), ("b.jpg", "https://h/b".to_owned())]);
    let command = encord("upload --manifest - --dry-run --json --allow-failures").stdin(items).within(folder.path());
    let run = command.env("http_proxy", "http://me:s3cret@127.0.0.1:99999").run();
    let told = "error: a.jpg: the proxy cannot be used: http_proxy: the port of the proxy's URL is not a number from 1 to 65535\n";
    run.expect(3, "{\"would_upload\":1,\"would_fail\":1,\"would_skip\":0,\"bytes\":5}\n", told);
}
