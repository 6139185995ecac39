//! `encord demo`.

use std::fs;
#[cfg(unix)]
use std::io::Read;

#[cfg(unix)]
use rustix::process::Signal;

#[cfg(unix)]
use crate::invocation::Run;
use crate::invocation::encord;
#[cfg(unix)]
use crate::upload_interrupted::send;

#[test]
fn the_demonstration_loses_and_doubles_nothing() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let run = encord("demo --files 30 --keep kept").within(folder.path()).run();
    assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{}", run.stdout);
    for told in [
        "30 images become items of a folder and rows of a dataset, on http://127.0.0.1:",
        "the answer is lost: its items are looked up",
        "1st run: killed (kill -9) when ",
        "2nd run: exit code ",
    ] {
        assert!(run.stdout.contains(told), "{told}: {}", run.stdout);
    }
    assert!(run.stdout.ends_with("\nchecked: 30 files, 30 items, 30 rows, doubles 0\n"), "{}", run.stdout);
    assert!(!run.stdout.contains("Signature=") && !run.stdout.contains("PRIVATE KEY"), "{}", run.stdout);

    let kept = folder.path().join("kept");
    assert_eq!(fs::read_dir(kept.join("images")).expect("images").count(), 30);
    assert_eq!(fs::read_dir(kept.join("state/encord")).expect("a ledger").count(), 1);
    let run = encord("demo --keep kept").within(folder.path()).run();
    run.expect(2, "", "error: kept: the folder is not empty\n");
}

#[test]
fn one_file_is_enough() {
    let run = encord("demo --files 1").run();
    assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{}", run.stdout);
    assert!(run.stdout.starts_with("1 image become"), "{}", run.stdout);
    assert!(run.stdout.ends_with("\nchecked: 1 files, 1 items, 1 rows, doubles 0\n"), "{}", run.stdout);
}

/// The signal comes while the first run is under way, which takes seconds more.
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
