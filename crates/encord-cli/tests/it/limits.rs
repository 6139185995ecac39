//! Signals that others have set, and limits that leave hardly anything.

use std::fs;
use std::path::Path;

use encord_test_server::{Server, status};
use rustix::process::Signal;

use crate::invocation::{Run, encord};
use crate::upload::{folder, manifest, report};
use crate::upload_interrupted::send;

/// A server, and a folder with a manifest of so many items.
fn items(count: usize) -> (Server, tempfile::TempDir) {
    let (server, folder) = (Server::start(|_, _| status(200)), folder(&["a.jpg"]));
    let items = (0..count).map(|n| ("a.jpg", server.signed_url(&format!("/{n}.jpg"))));
    fs::write(folder.path().join("items.jsonl"), manifest(items)).expect("written");
    (server, folder)
}

fn under(words: &str, flags: &str, folder: &Path) -> Run {
    let words = format!("{words}; exec \"$0\" \"$@\"");
    encord(&format!("upload --manifest items.jsonl {flags}")).by(["bash", "-c", &words]).within(folder).run()
}

#[test]
fn a_limit_of_file_size_is_an_error_like_any_other() {
    let (_server, folder) = items(200);
    let run = under("ulimit -f 4", "--report r.jsonl --json", folder.path());
    assert_eq!((run.code, &run.json()["uploaded"]), (Some(1), &200.into()), "{}", run.stderr);
    assert!(run.stderr.contains("File too large"), "{}", run.stderr);
}

#[test]
fn few_open_files_are_enough_or_are_told() {
    let (server, folder) = items(50);
    let run = under("ulimit -n 10", "", folder.path());
    let told = "error: only 10 files may be open at once, and a run needs 24\n\
                hint: `ulimit -n 1024` raises the limit of a shell\n";
    run.expect(1, "", told);
    assert_eq!(server.count(), 0);
    let run = under("ulimit -n 24", "--json --report r.jsonl --journal j.jsonl", folder.path());
    assert_eq!((run.code, &run.json()["uploaded"]), (Some(0), &50.into()), "{}", run.stderr);
}

/// The connections of the hosts before are idle and hold all descriptors when the next file is opened.
#[test]
fn hundreds_of_hosts_under_a_low_limit_of_open_files_cost_no_attempt() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("started");
    let entered = runtime.enter();
    let servers: Vec<_> = (0..300).map(|_| Server::builder().start_here(|_, _| status(200))).collect();
    drop(entered);
    let addresses: Vec<_> = servers.iter().map(Server::host).collect();
    let names: Vec<&str> = addresses.iter().map(String::as_str).chain(["a.jpg"]).collect();
    let folder = folder(&names);
    // Open while its connection is made: more than what is read of a file at first.
    fs::write(folder.path().join("b.jpg"), vec![0; 300 * 1024]).expect("written");
    let files = ["a.jpg", "b.jpg"].into_iter();
    let items = files.flat_map(|name| servers.iter().map(move |host| (name, host.signed_url(&format!("/{name}")))));
    fs::write(folder.path().join("items.jsonl"), manifest(items)).expect("written");
    // What the program inherits leaves it too few for the idle connections that it would keep.
    let inherited =
        format!("ulimit -n 24; exec {}", (3..15).map(|n| format!("{n}</dev/null ")).collect::<Vec<_>>().concat());
    for limit in ["ulimit -n 24", "ulimit -n 128", &inherited] {
        let run = under(limit, "--json --no-journal --max-retries 0 --connection-retries 0", folder.path());
        assert_eq!((run.code, &run.json()["attempts"]), (Some(0), &600.into()), "{limit}: {}", run.stderr);
    }
    // Each file has the name of its host. The program that signs needs descriptors too.
    let items: Vec<_> = addresses[..100].iter().map(|host| format!("{{\"path\": \"{host}\"}}\n")).collect();
    fs::write(folder.path().join("items.jsonl"), items.concat()).expect("written");
    fs::write(folder.path().join("sign"), r#"s|.*"path": "\([^"]*\)".*|{"signed_url": "http://\1/3.jpg?sig=s3cret"}|"#)
        .expect("written");
    let flags = "--json --no-journal --max-retries 0 --sign-with 'sed -f sign'";
    let words = format!("ulimit -n 24; exec \"$0\" \"$@\" --manifest items.jsonl {flags}");
    let run = encord("upload").by(["sh", "-c", &words]).within(folder.path()).run();
    assert_eq!((run.code, &run.json()["uploaded"]), (Some(0), &100.into()), "{}", run.stderr);
}

#[test]
fn a_soft_limit_of_open_files_is_raised() {
    let (_server, folder) = items(50);
    let run = under("ulimit -S -n 10", "--json", folder.path());
    assert_eq!((run.code, &run.json()["uploaded"]), (Some(0), &50.into()), "{}", run.stderr);
}

#[test]
fn a_signal_that_the_parent_ignores_stays_ignored() {
    let (server, folder) = (Server::start(|_, _| status(200)), folder(&["a.jpg"]));
    let fifo = folder.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().expect("runs").success());
    let words = "trap '' INT HUP; exec \"$0\" \"$@\"";
    let command = encord("upload --manifest fifo --json").by(["sh", "-c", words]).within(folder.path());
    let child = command.start();
    // It waits for the manifest.
    let mut writer = fs::OpenOptions::new().write(true).open(&fifo).expect("opened");
    for signal in [Signal::INT, Signal::INT, Signal::HUP] {
        send(signal, &child);
    }
    let items = manifest([("a.jpg", server.signed_url("/a.jpg"))]);
    std::io::Write::write_all(&mut writer, items.as_bytes()).expect("read");
    drop(writer);
    let run = Run::of(child);
    assert_eq!((run.code, &run.json()["uploaded"]), (Some(0), &1.into()), "{}", run.stderr);
}

#[test]
fn an_interrupted_run_whose_report_cannot_be_written_exits_with_1() {
    let server =
        Server::start(
            |request, _| {
                if request.path() == "/0.jpg" { status(200) } else { encord_test_server::Reply::silence() }
            },
        );
    let folder = folder(&["a.jpg"]);
    let items = (0..3).map(|n| ("a.jpg", server.signed_url(&format!("/{n}.jpg"))));
    fs::write(folder.path().join("items.jsonl"), manifest(items)).expect("written");
    let child = encord("upload --manifest items.jsonl --concurrency 1 --report /dev/full")
        .env("ENCORD_CONNECT_TIMEOUT", "30")
        .within(folder.path())
        .start();
    while server.requests_for("/1.jpg").is_empty() {
        std::thread::yield_now();
    }
    send(Signal::HUP, &child);
    let run = Run::of(child);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let (_, kept) = run.stderr.split_once("; it is in ").expect("the report is kept");
    assert_eq!(report(&fs::read_to_string(kept.trim_end()).expect("kept")).len(), 3);
    fs::remove_file(kept.trim_end()).expect("removed");
}

/// On a network file system the run is a child process. This test is its parent.
#[test]
fn a_run_apart_obeys_its_parent_alone() {
    let server =
        Server::start(
            |request, _| {
                if request.path() == "/0.jpg" { status(200) } else { encord_test_server::Reply::silence() }
            },
        );
    let folder = folder(&["a.jpg"]);
    let items = (0..3).map(|n| ("a.jpg", server.signed_url(&format!("/{n}.jpg"))));
    fs::write(folder.path().join("items.jsonl"), manifest(items)).expect("written");
    let child = encord("upload --manifest items.jsonl --concurrency 1 --report -")
        .env("ENCORD_CONNECT_TIMEOUT", "30")
        .env("ENCORD_PARENT_PROCESS", &std::process::id().to_string())
        .within(folder.path())
        .start();
    while server.requests_for("/1.jpg").is_empty() {
        std::thread::yield_now();
    }
    // From a terminal both get these, and the parent passes them on.
    for signal in [Signal::INT, Signal::INT, Signal::TERM, Signal::HUP, Signal::USR1] {
        send(signal, &child);
    }
    let run = Run::of(child);
    assert_eq!((run.code, report(&run.stdout).len()), (Some(130), 3), "{}", run.stderr);
}
