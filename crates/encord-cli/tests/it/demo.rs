//! `encord demo`.

use std::fs;
#[cfg(unix)]
use std::io::Read;

#[cfg(unix)]
use rustix::process::Signal;
use serde_json::Value;

#[cfg(unix)]
use crate::invocation::Run;
use crate::invocation::encord;
use crate::upload::report;
use crate::upload_failures::statuses;
#[cfg(unix)]
use crate::upload_interrupted::send;

#[test]
fn the_demonstration_keeps_its_promises() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let run = encord("demo --files 20 --keep kept").within(folder.path()).env("ENCORD_LOG", "trace").run();
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
    for told in [
        "20 images to signed URLs of a store on 127.0.0.1:",
        "503, twice                503  ",
        "503 with Retry-After: 1   503  1 s  200",
        "a bit flipped on the way  integrity  ",
        "the signed URL has expired: PUT 127.0.0.1:",
        "\n16 uploaded, 4 failed, 0 cancelled, 0 skipped; 197 kB in ",
        "checked: 16 stored objects equal their files byte for byte",
    ] {
        assert!(run.stdout.contains(told), "{told}: {}", run.stdout);
    }
    for output in [&run.stdout, &run.stderr] {
        assert!(!output.contains("Signature=") && !output.contains("X-Goog-"), "{output}");
    }

    let kept = folder.path().join("kept");
    let lines = report(&fs::read_to_string(kept.join("report.jsonl")).expect("a report"));
    assert_eq!(lines.len(), 20);
    assert_eq!(statuses(&lines).iter().filter(|status| **status == "failed").count(), 4);
    for line in lines.iter().filter(|line| line["status"] == "uploaded") {
        let title = line["title"].as_str().expect("a title");
        let image = fs::read(kept.join("images").join(title)).expect("an image");
        assert_eq!(line["bytes"], Value::from(image.len()));
        assert_eq!(fs::read(kept.join("stored/dev").join(title)).expect("an object"), image, "{title}");
    }
    let run = encord("demo --keep kept").within(folder.path()).run();
    run.expect(2, "", "error: kept: the folder is not empty\n");
}

#[test]
fn few_files_meet_the_first_faults() {
    let run = encord("demo --files 1").run();
    assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{}", run.stdout);
    let told = [
        "1 image to ",
        " 1 thing goes wrong\n",
        "\nimage-1.bmp ",
        "\n1 uploaded, ",
        ": 1 x 200, 2 x 503\n",
        ": 1 stored ",
    ];
    assert!(told.iter().all(|told| run.stdout.contains(told)), "{}", run.stdout);
    let not_so = [" others  ", "why ", "never ", "exit with 3", "nothing  "];
    assert!(!not_so.iter().any(|not_so| run.stdout.contains(not_so)), "{}", run.stdout);
}

/// The signal comes when the store has begun to fail on purpose, which takes seconds more.
#[cfg(unix)]
#[test]
fn an_interrupted_demonstration_exits_with_130_and_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let temporary = folder.path().to_str().expect("Unicode");
    let mut child = encord("demo").env("TMPDIR", temporary).start();
    let mut stdout = child.stdout.take().expect("piped");
    stdout.read_exact(&mut [0]).expect("it begins");
    send(Signal::INT, &child);
    let run = Run::of(child);
    assert_eq!((run.code, &*run.stderr), (Some(130), "error: interrupted\n"));
    let mut told = String::new();
    stdout.read_to_string(&mut told).expect("read");
    assert!(!told.contains("checked"), "{told}");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[test]
fn a_demonstration_needs_a_file() {
    for files in ["0", "-1", "x"] {
        let run = encord("demo --files").arg(files).run();
        assert_eq!((run.code, &*run.stdout), (Some(2), ""), "{files}");
    }
}
