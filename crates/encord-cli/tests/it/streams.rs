//! Pipes and devices where others have files.

use std::fs::{self, File};
use std::process::Stdio;

use crate::invocation::encord;
use crate::server::{Answer, Server};
use crate::upload::{folder, manifest, report};
use crate::upload_failures::statuses;

fn stored() -> Server {
    Server::start(|_, _| Answer::Status(200))
}

/// A manifest of two items, of which one is missing.
fn items(server: &Server) -> String {
    manifest([("a.jpg", server.url("/a.jpg")), ("missing", server.url("/missing"))])
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
