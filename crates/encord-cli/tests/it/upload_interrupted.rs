//! `encord upload` when it is told to end.

#![cfg(unix)]

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Stdio};

use encord_test_server::{Reply, Server, status};
use rustix::process::{Pid, Signal, kill_process};

use crate::invocation::{Run, encord};
use crate::upload::{folder, manifest, report};
use crate::upload_failures::statuses;

/// Stores the first item, and leaves the others without an answer.
fn stalled() -> Server {
    Server::start(|request, _| if request.path() == "/a.jpg" { status(200) } else { Reply::silence() })
}

/// An upload of three items, one after the other, that hangs at the second.
fn hanging(server: &Server, folder: &Path) -> Child {
    let items = ["a.jpg", "b.jpg", "c.jpg"].map(|name| (name, server.signed_url(&format!("/{name}"))));
    fs::write(folder.join("items.jsonl"), manifest(items)).expect("written");
    let child =
        encord("upload --manifest items.jsonl --concurrency 1 --report r.jsonl --journal j.jsonl --max-retries 0")
            .env("ENCORD_CONNECT_TIMEOUT", "30")
            .within(folder)
            .start();
    while server.requests_for("/b.jpg").is_empty() {
        std::thread::yield_now();
    }
    child
}

pub(crate) fn send(signal: Signal, child: &Child) {
    kill_process(Pid::from_child(child), signal).expect("it runs");
}

/// It writes more than a pipe holds into the manifest, which therefore is being read, and has no end.
#[test]
fn before_anything_is_sent_a_signal_ends_the_process_at_once() {
    for signal in [Signal::INT, Signal::TERM] {
        let folder = folder(&[]);
        let arguments = "upload --manifest - --report r.jsonl --journal j.jsonl";
        let mut child = encord(arguments).within(folder.path()).start_with(Stdio::piped());
        let mut stdin = child.stdin.take().expect("piped");
        let items = (0..20_000).map(|_| ("a.jpg", "http://h/a.jpg".to_owned()));
        stdin.write_all(manifest(items).as_bytes()).expect("read");
        send(signal, &child);
        Run::of(child).expect(130, "", "");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
        drop(stdin);
    }
}

/// The paths that a journal has.
fn journalled(path: &Path) -> Vec<String> {
    let lines = report(&fs::read_to_string(path).expect("a journal"));
    lines.iter().filter_map(|line| line["path"].as_str().map(str::to_owned)).collect()
}

#[test]
fn u5_an_interrupted_batch_is_reported_and_exits_with_130() {
    for signal in [Signal::INT, Signal::TERM] {
        let (server, folder) = (stalled(), folder(&["a.jpg", "b.jpg", "c.jpg"]));
        let child = hanging(&server, folder.path());
        send(signal, &child);
        let run = Run::of(child);
        assert_eq!((run.code, &*run.stdout), (Some(130), ""), "{}", run.stderr);
        assert!(run.stderr.starts_with("1 uploaded, 0 failed, 2 cancelled, 0 skipped; 5 B in "), "{}", run.stderr);
        assert!(run.stderr.ends_with("error: interrupted\n"), "{}", run.stderr);
        let written = fs::read_to_string(folder.path().join("r.jsonl")).expect("a report");
        assert_eq!(statuses(&report(&written)), ["uploaded", "cancelled", "cancelled"]);
        assert_eq!(journalled(&folder.path().join("j.jsonl")), ["a.jpg"]);
    }
}

#[test]
fn what_was_interrupted_is_taken_up_again() {
    let (server, folder) = (stalled(), folder(&["a.jpg", "b.jpg", "c.jpg"]));
    let child = hanging(&server, folder.path());
    send(Signal::INT, &child);
    assert_eq!(Run::of(child).code, Some(130));
    let good = Server::start(|_, _| status(200));
    let items = ["a.jpg", "b.jpg", "c.jpg"].map(|name| (name, good.url(&format!("/{name}"))));
    let run = encord("upload --manifest - --retry-from r.jsonl --report r.jsonl")
        .within(folder.path())
        .stdin(manifest(items))
        .run();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(["/a.jpg", "/b.jpg", "/c.jpg"].map(|object| good.requests_for(object).len()), [0, 1, 1]);
    let written = fs::read_to_string(folder.path().join("r.jsonl")).expect("a report");
    assert_eq!(statuses(&report(&written)), ["skipped", "uploaded", "uploaded"]);
}

/// After the first one the process hangs: nobody reads its report, which is more than a pipe holds.
#[test]
fn a_second_signal_ends_the_process_at_once() {
    let (server, folder) = (stalled(), folder(&["a.jpg"]));
    let object = |n: usize| match n {
        0 => "/a.jpg".to_owned(),
        1 => "/b.jpg".to_owned(),
        n => format!("/{n}.jpg"),
    };
    let items = (0..2_000).map(|n| ("a.jpg", server.signed_url(&object(n))));
    fs::write(folder.path().join("items.jsonl"), manifest(items)).expect("written");
    let mut child = encord("upload --manifest items.jsonl --concurrency 1 --report - --journal j.jsonl")
        .env("ENCORD_CONNECT_TIMEOUT", "30")
        .within(folder.path())
        .start();
    while server.requests_for("/b.jpg").is_empty() {
        std::thread::yield_now();
    }
    send(Signal::INT, &child);
    let mut stdout = child.stdout.take().expect("piped");
    stdout.read_exact(&mut [0]).expect("the report begins");
    send(Signal::INT, &child);
    assert_eq!(child.wait().expect("ends").code(), Some(130));
    let (mut rest, mut stderr) = (String::new(), String::new());
    stdout.read_to_string(&mut rest).expect("the rest");
    child.stderr.take().expect("piped").read_to_string(&mut stderr).expect("read");
    assert!(rest.lines().count() < 1_999, "{}", rest.lines().count());
    assert_eq!(stderr, "");
    assert_eq!(journalled(&folder.path().join("j.jsonl")), ["a.jpg"]);
}
