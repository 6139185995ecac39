//! Pipes and devices where others have files.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread;

use encord_test_server::{Server, status};

use crate::invocation::encord;
use crate::upload::{folder, manifest, report};
use crate::upload_failures::statuses;

fn stored() -> Server {
    Server::start(|_, _| status(200))
}

/// A manifest of two items, of which one is missing.
fn items(server: &Server) -> String {
    manifest([("a.jpg", server.signed_url("/a.jpg")), ("missing", server.signed_url("/missing"))])
}

fn fifo(folder: &Path) -> PathBuf {
    let path = folder.join("fifo");
    assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo runs").success());
    path
}

/// Standard error where nothing can be written: nobody reads it, or the disk is full.
fn useless() -> Vec<Stdio> {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let full = File::options().write(true).open("/dev/full").ok();
    [Some(Stdio::from(writer)), full.map(Stdio::from)].into_iter().flatten().collect()
}

#[test]
fn u6_a_log_that_nobody_can_read_stops_nothing() {
    let (server, folder) = (stored(), folder(&["a.jpg"]));
    for flags in ["--progress auto", "--progress always"] {
        for stderr in useless() {
            let run = encord(&format!("upload --manifest - --allow-failures --report r.jsonl {flags}"))
                .within(folder.path())
                .stdin(items(&server))
                .env("ENCORD_LOG", "debug")
                .stderr(stderr)
                .run();
            run.expect(3, "", "");
            let written = fs::read_to_string(folder.path().join("r.jsonl")).expect("a report");
            assert_eq!(statuses(&report(&written)), ["uploaded", "failed"]);
            fs::remove_file(folder.path().join("r.jsonl")).expect("removed");
        }
    }
}

#[test]
fn exit_codes_do_not_need_standard_error() {
    for (arguments, code) in [("upload --manifest /nowhere", 2), ("uploads", 2), ("demo --files 1", 0)] {
        for stderr in useless() {
            assert_eq!(encord(arguments).stderr(stderr).run().code, Some(code), "{arguments}");
        }
    }
}

#[test]
fn no_pipe_gets_colours() {
    let (server, folder) = (stored(), folder(&["a.jpg"]));
    for arguments in ["upload --manifest - --allow-failures", "upload --manifest -", "uploads", "--help", "settings"] {
        for no_color in ["", "1"] {
            let invocation =
                encord(arguments).env("NO_COLOR", no_color).env("ENCORD_LOG", "debug").env("TERM", "xterm");
            let run = invocation.within(folder.path()).stdin(items(&server)).run();
            assert!(!run.stdout.contains('\x1b') && !run.stderr.contains('\x1b'), "{run:?}");
        }
    }
}

#[test]
fn a_manifest_may_be_a_pipe() {
    let (server, folder) = (stored(), folder(&["a.jpg"]));
    let fifo = fifo(folder.path());
    let text = items(&server);
    let writer = thread::spawn(move || fs::write(fifo, text));
    let run = encord("upload --manifest fifo --allow-failures --report -").within(folder.path()).run();
    assert_eq!((run.code, statuses(&report(&run.stdout))), (Some(3), vec!["uploaded", "failed"]), "{}", run.stderr);
    writer.join().expect("ends").expect("written");
}

#[test]
fn an_earlier_report_may_come_from_stdin() {
    let (server, folder) = (stored(), folder(&["a.jpg", "missing"]));
    fs::write(folder.path().join("items.jsonl"), items(&server)).expect("written");
    let earlier = "{\"path\": \"a.jpg\", \"title\": \"a.jpg\", \"status\": \"uploaded\"}\n";
    let run = encord("upload --manifest items.jsonl --retry-from - --report -")
        .within(folder.path())
        .stdin(format!("\u{feff}{earlier}"))
        .run();
    assert_eq!((run.code, statuses(&report(&run.stdout))), (Some(0), vec!["skipped", "uploaded"]), "{}", run.stderr);
    assert_eq!(server.requests_for("/a.jpg").len(), 0);
}

#[test]
fn a_report_goes_into_a_pipe() {
    let (server, folder) = (stored(), folder(&["a.jpg"]));
    let fifo = fifo(folder.path());
    let reader = thread::spawn(move || fs::read_to_string(fifo));
    let run = encord("upload --manifest - --allow-failures --json --report fifo").within(folder.path());
    let run = run.stdin(items(&server)).run();
    assert_eq!((run.code, &run.json()["uploaded"]), (Some(3), &1.into()), "{}", run.stderr);
    let written = reader.join().expect("ends").expect("read");
    assert_eq!(statuses(&report(&written)), ["uploaded", "failed"]);
}

/// The item is stored only when the reader has gone.
#[test]
fn a_reader_that_left_before_the_report_is_a_quiet_end() {
    let (left, has_left) = channel();
    let has_left = Mutex::new(has_left);
    let server = Server::start(move |_, _| {
        let _ = has_left.lock().map(|has_left| has_left.recv());
        status(200)
    });
    let folder = folder(&["a.jpg"]);
    let fifo = fifo(folder.path());
    thread::spawn(move || {
        drop(File::open(fifo));
        left.send(())
    });
    let items = manifest([("a.jpg", server.signed_url("/a.jpg"))]);
    let run = encord("upload --manifest - --json --report fifo").within(folder.path()).stdin(items).run();
    assert_eq!((run.code, &*run.stderr, &run.json()["uploaded"]), (Some(0), "", &1.into()));
}

#[test]
fn a_report_that_nobody_wants_is_taken() {
    let (server, folder) = (stored(), folder(&["a.jpg"]));
    let run = encord("upload --manifest - --allow-failures --json --report /dev/null").within(folder.path());
    assert_eq!(run.stdin(items(&server)).run().code, Some(3));
}

#[cfg(target_os = "linux")]
#[test]
fn standard_output_in_a_file_gets_report_and_summary_and_keeps_what_it_had() {
    let (server, folder) = (stored(), folder(&["a.jpg"]));
    let path = folder.path().join("all.jsonl");
    for report_to in ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        fs::write(&path, "{\"before\": true}\n").expect("written");
        let stdout = File::options().append(true).open(&path).expect("opened");
        let run = encord("upload --manifest - --allow-failures --json --report").arg(report_to);
        let run = run.within(folder.path()).stdin(items(&server)).stdout(stdout);
        assert_eq!(run.code, Some(3), "{report_to}");
        let lines = report(&fs::read_to_string(&path).expect("there"));
        assert_eq!(statuses(&lines), ["uploaded", "failed"], "{report_to}");
        assert_eq!(
            (lines.len(), &lines[0]["before"], &lines[3]["uploaded"]),
            (4, &true.into(), &1.into()),
            "{report_to}"
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn standard_error_in_a_file_gets_the_report_between_its_lines() {
    let (server, folder) = (stored(), folder(&["a.jpg"]));
    let path = folder.path().join("run.log");
    let stderr = File::create(&path).expect("made");
    let run = encord("upload --manifest - --allow-failures --report /dev/stderr").within(folder.path());
    assert_eq!(run.stdin(items(&server)).stderr(stderr).run().code, Some(3));
    let mut log = String::new();
    File::open(&path).and_then(|mut file| file.read_to_string(&mut log)).expect("there");
    let lines: Vec<&str> = log.lines().collect();
    assert!(lines[0].contains("WARN") && lines[3].starts_with("1 uploaded, 1 failed, "), "{log}");
    assert_eq!(statuses(&report(&lines[1..3].join("\n"))), ["uploaded", "failed"]);
}

#[test]
fn a_byte_order_mark_is_passed_over_and_utf_16_is_named() {
    let (server, folder) = (stored(), folder(&["a.jpg"]));
    let upload = |items: &[u8]| {
        let path = folder.path().join("items.jsonl");
        File::create(&path).and_then(|mut file| file.write_all(items)).expect("written");
        encord("upload --manifest items.jsonl --allow-failures --json").within(folder.path()).run()
    };
    let run = upload(format!("\u{feff}{}", items(&server)).as_bytes());
    assert_eq!((run.code, &run.json()["uploaded"]), (Some(3), &1.into()));
    let utf_16: Vec<u8> = items(&server).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let error = "error: manifest items.jsonl: it is UTF-16, not UTF-8\n";
    upload(&[&b"\xFF\xFE"[..], &utf_16].concat()).expect(2, "", error);
}
