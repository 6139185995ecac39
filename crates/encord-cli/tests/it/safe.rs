//! The journal that nobody asked for, and URLs from a program.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use encord_test_server::{Server, status};
use serde_json::json;

use crate::invocation::{Run, encord};
use crate::upload::{folder, manifest};

fn upload(folder: &Path, flags: &str) -> Run {
    let state = folder.join("state");
    let command = encord(&format!("upload --manifest items.jsonl --json {flags}")).within(folder);
    command.env("XDG_STATE_HOME", state.to_str().expect("ASCII")).run()
}

#[test]
fn the_same_command_again_goes_on_where_it_was() {
    let server =
        Server::start(|request, before| status(if request.path() == "/b.jpg" && before == 0 { 403 } else { 200 }));
    let folder = folder(&["a.jpg", "b.jpg", "c.jpg"]);
    let items = |query: &str| {
        let items = ["a.jpg", "b.jpg", "c.jpg"].map(|name| (name, server.signed_url(&format!("/{name}"))));
        manifest(items).replace("s3cret", query)
    };
    fs::write(folder.path().join("items.jsonl"), items("s3cret")).expect("written");
    let run = upload(folder.path(), "--allow-failures");
    assert_eq!((run.code, &run.json()["uploaded"]), (Some(3), &json!(2)), "{}", run.stderr);
    assert!(run.stderr.starts_with("journal: ") && run.stderr.contains("/state/encord/upload-"), "{}", run.stderr);
    assert!(run.stderr.contains("to try them again: encord upload --manifest items.jsonl --json --allow-failures\n"));
    // With new signatures it is the same manifest.
    fs::write(folder.path().join("items.jsonl"), items("an0ther")).expect("written");
    let run = upload(folder.path(), "");
    assert_eq!((run.code, &run.json()["uploaded"], &run.json()["skipped"]), (Some(0), &json!(1), &json!(2)));
    assert!(run.stderr.contains(", 2 uploaded before; --no-journal uploads all again\n"), "{}", run.stderr);
    let run = upload(folder.path(), "--dry-run");
    assert_eq!((run.code, &run.json()["would_skip"]), (Some(0), &json!(3)), "{}", run.stderr);
    let run = upload(folder.path(), "--no-journal");
    assert_eq!((&run.json()["uploaded"], &*run.stderr), (&json!(3), ""));
    // Each shard has its own, and a given one takes its place.
    assert_eq!(upload(folder.path(), "--shard 0/1").json()["uploaded"], 3);
    assert_eq!(upload(folder.path(), "--journal j.jsonl").json()["uploaded"], 3);
    let kept = folder.path().join("state/encord");
    assert_eq!(fs::read_dir(&kept).expect("a folder").count(), 2);
    assert_eq!(kept.metadata().expect("there").permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_default_journal_that_cannot_be_kept_is_told_and_stops_nothing() {
    let (server, folder) = (Server::start(|_, _| status(200)), folder(&["a.jpg", "state"]));
    fs::write(folder.path().join("items.jsonl"), manifest([("a.jpg", server.signed_url("/a.jpg"))])).expect("written");
    let run = upload(folder.path(), "");
    assert_eq!((run.code, &run.json()["uploaded"]), (Some(0), &json!(1)));
    assert!(
        run.stderr.starts_with("warning: no journal is kept, so a run that is killed begins anew: "),
        "{}",
        run.stderr
    );
    let quiet = upload(folder.path(), "-q --report r.jsonl");
    assert_eq!((quiet.code, &*quiet.stderr), (Some(0), ""));
}

/// A program in Python or shell would do; here a shell answers each line by what `sed` makes of it.
#[test]
fn a_program_signs_the_urls() {
    let (server, folder) = (Server::start(|_, _| status(200)), folder(&["a.jpg", "b.jpg"]));
    fs::write(folder.path().join("items.jsonl"), "{\"path\": \"a.jpg\"}\n{\"path\": \"b.jpg\"}\n").expect("written");
    let url = server.signed_url("/NAME").replace('/', "\\/").replace("NAME", "\\1");
    let sed = format!(
        "sed 's/.*\"path\": \"\\([^\"]*\\)\".*/{{\"signed_url\": \"{url}\", \"headers\": {{\"x-a\": \"b\"}}}}/'"
    );
    let sign = |command: &str| {
        let upload = encord("upload --manifest items.jsonl --allow-failures --report - --sign-with").arg(command);
        upload.within(folder.path()).run()
    };
    let run = sign(&sed);
    assert_eq!(run.code, Some(0), "{} {}", run.stdout, run.stderr);
    assert_eq!((server.stored("/a.jpg"), server.stored("/b.jpg")), (b"a.jpg".to_vec(), b"b.jpg".to_vec()));
    assert_eq!(server.requests_for("/a.jpg")[0].header("x-a"), Some("b"));
    for (command, expected) in [
        (
            "echo no key for this bucket >&2; exit 3",
            "`echo no key for this bucket >&2; exit 3` ended with exit status: 3: no key for this bucket",
        ),
        ("head -n 1 >/dev/null; echo '{}'", "answered 1 lines to 2 paths"),
        ("sed 's/.*/{\"error\": \"not yours\"}/'", "not yours"),
        ("sed 's/.*/x/'", "not JSON: expected value at column 1"),
    ] {
        let run = sign(command);
        assert_eq!(run.code, Some(3), "{command}");
        assert!(run.stderr.contains(expected), "{command}: {}", run.stderr);
    }
    assert!(!sign("cat").stdout.contains("s3cret"));
}
