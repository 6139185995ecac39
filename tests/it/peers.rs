//! Programs that a test talks to and that a machine may lack.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

/// Called by a test that cannot run here, before it returns: says why to `cargo xtask ci`, and fails under `--strict`.
///
/// `install` is what to type to get the peer.
#[track_caller]
pub(crate) fn skip(what: &str, install: &str) {
    let message = format!("{what} is missing; to get it: {install}");
    assert!(env::var_os("ENCORD_TESTS_STRICT").is_none(), "{message}");
    eprintln!("skipped: {message}");
    if let Some(path) = env::var_os("ENCORD_TESTS_SKIPPED") {
        // One write, so that lines of tests that run at the same time do not mix.
        let line = format!("{message}\n");
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
}

/// The Python that has an SDK, `seed` or `current`; skips where it is not installed.
#[track_caller]
pub(crate) fn sdk_python(sdk: &str) -> Option<PathBuf> {
    installed(sdk, "python", &format!("the {sdk} SDK"))
}

/// A program, `python` or `rclone`, of the environment that has the clouds' own libraries; skips where it is not installed.
#[track_caller]
pub(crate) fn storage_program(name: &str) -> Option<PathBuf> {
    installed("storage", name, "boto3 and google-cloud-storage with rclone")
}

/// Waits until a program takes connections on a port that was free a moment ago; false when it ended instead, because another
/// was faster to take the port.
pub(crate) fn listens(program: &mut Child, port: u16) -> bool {
    let deadline = Instant::now() + Duration::from_secs(30);
    while Instant::now() < deadline && program.try_wait().unwrap().is_none() {
        if TcpStream::connect(("127.0.0.1", port)).is_ok_and(|stream| !is_connected_to_itself(&stream)) {
            // A moment for it to find the port taken by another.
            return program.try_wait().unwrap().is_none();
        }
        thread::sleep(Duration::from_millis(5));
    }
    false
}

/// Where nobody listens a connection may meet itself: its own port is picked from the same range (RFC 9293 §3.5, simultaneous open).
fn is_connected_to_itself(stream: &TcpStream) -> bool {
    matches!((stream.local_addr(), stream.peer_addr()), (Ok(local), Ok(peer)) if local == peer)
}

#[track_caller]
fn installed(environment: &str, program: &str, what: &str) -> Option<PathBuf> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path: PathBuf =
        [tests, Path::new("../target/venv"), Path::new(environment), Path::new("bin"), Path::new(program)]
            .iter()
            .collect();
    if path.exists() {
        return Some(path);
    }
    skip(what, "cargo xtask ci conformance-live");
    None
}
