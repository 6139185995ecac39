//! Runs the SDK's own uploader through `tests/python/wire.py`.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::Value;

use crate::peers;

/// What `wire.py` prints.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answers {
    sdk: String,
    pub(super) content_types: Vec<Option<String>>,
}

/// Has an SDK, `seed` or `current`, do what `wire.py` is asked, with this home; `None` where it is not installed.
#[track_caller]
pub(super) fn ask(sdk: &str, home: &Path, questions: &Value) -> Option<Answers> {
    let mut child = Command::new(peers::sdk_python(sdk)?)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/python/wire.py"))
        // No proxy, no user's settings.
        .env_clear()
        .envs([("PYTHONUTF8", "1"), ("PYTHONDONTWRITEBYTECODE", "1")])
        .env("HOME", home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Python reads all before it writes, so this cannot block for good.
    child.stdin.take().unwrap().write_all(questions.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "wire.py: {}", output.status);
    let answers: Answers = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answers.sdk, if sdk == "seed" { "0.1.98" } else { "0.1.211" });
    Some(answers)
}
