//! Outputs that would overwrite inputs, and items that would overwrite each other.

use std::fs::{self, hard_link};
use std::os::unix::fs::symlink;

use encord_test_server::{Server, status};

use crate::invocation::encord;
use crate::upload::{folder, manifest};

#[test]
fn no_output_overwrites_an_input() {
    let (server, folder) = (Server::start(|_, _| status(200)), folder(&["a.jpg", "b.jpg"]));
    let path = |name: &str| folder.path().join(name);
    let items = manifest(["a.jpg", "b.jpg"].map(|name| (name, server.signed_url(&format!("/{name}")))));
    fs::write(path("items.jsonl"), &items).expect("written");
    fs::write(path("s.toml"), "[requests]\nmax_retries = 1\n").expect("written");
    fs::write(path("r.jsonl"), "").expect("written");
    fs::write(path("ca.pem"), "").expect("written");
    symlink("b.jpg", path("soft")).expect("linked");
    hard_link(path("s.toml"), path("hard")).expect("linked");
    hard_link(path("a.jpg"), path("twin")).expect("linked");
    let settings = "s.toml";
    for (flags, expected) in [
        ("--settings s.toml --report s.toml", "the report would overwrite the settings file s.toml"),
        ("--settings s.toml --report hard", "the report would overwrite the settings file s.toml"),
        ("--report s.toml", "the report would overwrite the settings file s.toml"),
        ("--report ca.pem", "the report would overwrite the file of SSL_CERT_FILE ca.pem"),
        ("--journal s.toml", "the journal would overwrite the settings file s.toml"),
        ("--report a.jpg", "the report would overwrite a.jpg, a file of the manifest"),
        ("--report twin", "the report would overwrite a.jpg, a file of the manifest"),
        ("--report soft", "the report would overwrite b.jpg, a file of the manifest"),
        ("--report ./items.jsonl", "the report would overwrite the manifest items.jsonl"),
        ("--journal new --report new", "the report would overwrite the journal"),
        ("--retry-from r.jsonl --journal r.jsonl", "the journal would overwrite the earlier report r.jsonl"),
    ] {
        for dry in ["", "--dry-run"] {
            let command = encord(&format!("upload --manifest items.jsonl {flags} {dry}"));
            let command = command.env("ENCORD_SETTINGS", settings).env("SSL_CERT_FILE", "ca.pem");
            let run = command.within(folder.path()).run();
            run.expect(2, "", &format!("error: {expected}\n"));
        }
    }
    assert_eq!(fs::read_to_string(path("items.jsonl")).expect("there"), items);
    assert_eq!(fs::read(path("a.jpg")).expect("there"), b"a.jpg");
    assert_eq!(server.count(), 0);
    // The earlier report has been read when the new one takes its place.
    let again = encord("upload --manifest items.jsonl --retry-from r.jsonl --report r.jsonl");
    assert_eq!(again.within(folder.path()).run().code, Some(0));
}

#[test]
fn two_items_with_one_target_are_named_by_run_and_dry_run() {
    let (server, folder) = (Server::start(|_, _| status(200)), folder(&["a.jpg", "b.jpg"]));
    let items = manifest(["a.jpg", "b.jpg"].map(|name| (name, server.signed_url("/same"))));
    for dry in ["--dry-run", "--json"] {
        let command = encord("upload --manifest -").arg(dry).within(folder.path());
        let run = command.stdin(items.clone()).run();
        assert_eq!(run.code, Some(0));
        assert!(run.stderr.starts_with("warning: a.jpg and b.jpg have the same target, 127.0.0.1:"), "{}", run.stderr);
        assert!(!run.stderr.contains("s3cret"), "{}", run.stderr);
    }
    // Of many only some are named.
    let many: String = manifest([("a.jpg", server.signed_url("/same"))]).repeat(40);
    let run = encord("upload --manifest - --json").within(folder.path()).stdin(many).run();
    assert_eq!((run.code, run.stderr.matches("the same target").count()), (Some(0), 1 + 10), "{}", run.stderr);
}

#[test]
fn u9_names_and_answers_move_no_cursor() {
    let (server, folder) = (Server::start(|_, _| status(403)), folder(&[]));
    let name = "\u{1b}[2Jok\n300 uploaded, 0 failed.jpg";
    fs::write(folder.path().join(name), "x").expect("written");
    let items = manifest([(name, server.signed_url("/a.jpg")), ("missing\u{9b}31m", server.signed_url("/b.jpg"))]);
    for flags in ["--allow-failures", "--progress=always", "--dry-run", "-v"] {
        let command = encord("upload --manifest - --report r.jsonl").arg(flags).within(folder.path());
        let run = command.stdin(items.clone()).run();
        let shown = run.stderr.replace("\r\u{1b}[2K", "") + &run.stdout;
        assert!(!shown.contains("\u{1b}[2J") && !shown.contains('\u{9b}'), "{flags}: {shown}");
        assert!(!shown.lines().any(|line| line.starts_with("300 uploaded")), "{flags}: {shown}");
    }
    for flags in ["--folder", "--folder f --dataset"] {
        let command = encord(&format!("upload . --dry-run {flags}")).arg(name).within(folder.path());
        let run = command.run();
        assert!(run.code == Some(0) && !run.stdout.contains('\u{1b}') && !run.stderr.contains('\u{1b}'), "{run:?}");
        assert!(!run.stdout.lines().any(|line| line.starts_with("300 uploaded")), "{run:?}");
    }
    // In JSON it is as it was.
    let report = fs::read_to_string(folder.path().join("r.jsonl")).expect("a report");
    let line: serde_json::Value = serde_json::from_str(report.lines().next().expect("a line")).expect("JSON");
    assert_eq!(line["path"], name);
}

#[test]
fn a_manifest_that_changes_is_told_and_the_run_takes_what_it_was() {
    let folder = folder(&["a.jpg", "b.jpg"]);
    let path = folder.path().join("items.jsonl");
    let rewritten = path.clone();
    let server = Server::start(move |_, _| {
        fs::write(&rewritten, "").expect("written");
        status(200)
    });
    let items = manifest(["a.jpg", "b.jpg"].map(|name| (name, server.signed_url(&format!("/{name}")))));
    fs::write(&path, items).expect("written");
    let run = encord("upload --manifest items.jsonl --concurrency 1 --json").within(folder.path()).run();
    assert_eq!((run.code, &run.json()["uploaded"]), (Some(0), &2.into()));
    let told = "warning: manifest items.jsonl: it changed; this run took the items that it had at the start\n";
    assert_eq!(run.stderr, told);
}
