//! Programs that a test talks to and that a machine may lack.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

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

/// How many a test takes: all of them under `cargo xtask ci`, a part under `cargo test`, which must be quick.
pub(crate) fn sized(full: usize, quick: usize) -> usize {
    if env::var_os("ENCORD_TESTS_FULL").is_some() { full } else { quick }
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

/// A program of the system, of this package; skips where it is not installed.
#[track_caller]
pub(crate) fn program(name: &str, package: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    // Not in the search path of users other than root.
    let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|program| program.is_file());
    if found.is_none() {
        skip(name, &format!("apt-get install {package}"));
    }
    found
}

/// The words that run a program with other rights. Skips where `setpriv` is missing, or where `probe` fails under these words: a
/// container may lack the right or the user, and then `setpriv` fails or changes nothing.
#[track_caller]
pub(crate) fn setpriv(flags: &[&str], probe: &[&str]) -> Option<Vec<String>> {
    let setpriv = program("setpriv", "util-linux")?;
    let words: Vec<_> =
        [setpriv.to_str().unwrap()].iter().chain(flags).chain(&["--"]).map(ToString::to_string).collect();
    let probed = Command::new(&words[0]).args(&words[1..]).args(probe).output().unwrap();
    if probed.status.success() {
        return Some(words);
    }
    let told = format!("{} {}", probed.status, String::from_utf8_lossy(&probed.stderr));
    let what = format!("a right that `{}` needs ({})", words.join(" "), told.trim());
    skip(&what, "run the tests as a user who is not root");
    None
}

#[track_caller]
fn installed(environment: &str, program: &str, what: &str) -> Option<PathBuf> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tests.join("../target/venv").join(environment);
    let path = folder.join("bin").join(program);
    let pins = fs::read(tests.join("python/pins").join(environment).with_extension("txt"));
    // An installation from before the last change of the pins is none.
    let is_current = || fs::read(folder.join("installed")).ok() == pins.ok();
    if path.exists() && is_current() {
        return Some(path);
    }
    skip(what, "cargo xtask ci conformance-live");
    None
}
