//! `encord dev-platform`.

#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};

use crate::invocation::{Run, encord};

/// An emulator that runs, and what it told the shell.
struct Platform {
    child: Child,
    domain: String,
    key_file: String,
}

impl Platform {
    fn start(arguments: &str) -> Self {
        let mut child = encord(&format!("dev-platform --port 0 {arguments}")).start();
        // The pipe stays open: nothing more is written to it.
        let mut lines = BufReader::new(child.stdout.as_mut().expect("piped")).lines();
        let mut value = |name: &str| {
            let line = lines.next().expect("a line").expect("read");
            line.strip_prefix(&format!("export {name}=")).unwrap_or_else(|| panic!("{line}")).to_owned()
        };
        let (domain, key_file) = (value("ENCORD_DOMAIN"), value("ENCORD_SSH_KEY_FILE"));
        Self { child, domain, key_file }
    }

    /// Asks it to end as Ctrl-C does.
    fn end(self) -> Run {
        kill_process(Pid::from_child(&self.child), Signal::INT).expect("it runs");
        Run::of(self.child)
    }
}

#[track_caller]
fn key(path: &str) -> String {
    let mode = fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600, "{mode:o}");
    let key = fs::read_to_string(path).expect("read");
    assert!(key.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----"));
    key
}

#[test]
fn it_prints_what_to_export_and_its_key_goes_with_it() {
    let platform = Platform::start("");
    assert!(platform.domain.starts_with("http://127.0.0.1:"), "{}", platform.domain);
    key(&platform.key_file);
    let path = platform.key_file.clone();
    let ended = platform.end();
    assert_eq!((ended.code, &*ended.stdout, &*ended.stderr), (Some(0), "", ""));
    assert!(!fs::exists(path).expect("asked"));
}

#[test]
fn with_a_folder_the_key_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("platform");
    let first = Platform::start(&format!("--dir {}", dir.display()));
    let before = key(&first.key_file);
    first.end();
    let second = Platform::start(&format!("--dir {}", dir.display()));
    assert_eq!(key(&second.key_file), before);
    second.end();
}

/// Takes two ports, one after the other.
fn two_ports() -> [TcpListener; 2] {
    loop {
        let first = TcpListener::bind("127.0.0.1:0").expect("a port");
        let next = first.local_addr().expect("bound").port().saturating_add(1);
        if let Ok(second) = TcpListener::bind(("127.0.0.1", next)) {
            return [first, second];
        }
    }
}

#[test]
fn what_is_wrong_is_said() {
    let run = encord("dev-platform --port 0 --switches worst,second-job=maybe").run();
    let hint = "hint: encord dev-platform --help has the form\n";
    let error = "error: --switches: second-job=maybe: the positions are duplicate, no-op, error\n";
    assert_eq!((run.code, run.stderr), (Some(2), format!("{error}{hint}")));
    let run = encord("dev-platform --port 0 --faults").arg("get-job: 100").run();
    let error = "error: --faults: `get-job: 100`: `100` is not a status from 200 to 599\n";
    assert_eq!((run.code, run.stderr), (Some(2), format!("{error}{hint}")));
    let run = encord("dev-platform --port 0 --store-faults").arg("a: explode").run();
    assert_eq!(run.code, Some(2));

    // The store's port is the next one. Both are taken here, so that no other program can have the one that should be free.
    let [_first, store] = two_ports();
    let taken = store.local_addr().expect("bound").port();
    let run = encord(&format!("dev-platform --port {}", taken - 1)).run();
    assert!(run.stderr.starts_with(&format!("error: cannot listen on 127.0.0.1:{taken}: ")), "{}", run.stderr);
    assert_eq!((run.code, run.stderr.ends_with("hint: --port 0 takes two that are free\n")), (Some(1), true));
}
