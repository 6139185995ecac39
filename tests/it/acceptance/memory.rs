//! Memory depends on the number of running uploads, not on the size of the batch.

use std::fs::{self, File};
use std::io::{self, Write};
use std::process::{Command, Stdio};

use encord_test_server::{Server, status};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::peers;
use crate::support::encord::{SECRET, binary, has_secret};

const MIB: u64 = 1024 * 1024;

fn discard() -> Server {
    Server::builder().discards_payloads().start(|_, _| status(200))
}

/// A manifest of so many lines, all of the same file.
fn manifest(lines: usize, length: u64, server: &Server) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file.mp4");
    File::create(&file).unwrap().set_len(length).unwrap();
    let mut manifest = io::BufWriter::new(File::create(folder.path().join("items.jsonl")).unwrap());
    let path = Value::from(file.to_str().unwrap());
    for line in 0..lines {
        let url = server.url(&format!("/bucket/{line}?X-Goog-Signature={SECRET}"));
        writeln!(manifest, r#"{{"path": {path}, "signed_url": "{url}", "data_type": "video"}}"#).unwrap();
    }
    manifest.flush().unwrap();
    folder
}

/// A list of models of at least so many bytes, in which no more than `distinct` uids stand.
fn models(bytes: u64, distinct: usize) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut file = io::BufWriter::new(File::create(folder.path().join("models.json")).unwrap());
    let (mut written, mut separator) = (0, '[');
    for number in 0.. {
        if written >= bytes {
            break;
        }
        let uids: Vec<String> = (0..100).map(|uid| format!("uid-{:032}", (number * 7 + uid) % distinct)).collect();
        let model =
            json!({"model_uid": format!("model-{number}"), "title": "x".repeat(1_000), "model_iteration_uids": uids});
        let text = format!("{separator}{model}");
        file.write_all(text.as_bytes()).unwrap();
        (written, separator) = (written + text.len() as u64, ',');
    }
    file.write_all(b"]").unwrap();
    file.flush().unwrap();
    folder
}

/// Runs `encord`; what it prints, which is JSON, and its peak of memory in bytes. `None` where there is no Python to measure it.
#[track_caller]
fn peak(folder: &TempDir, arguments: &str) -> Option<(Value, u64)> {
    let peak = folder.path().join("peak");
    let output = Command::new(peers::program("python3", "python3")?)
        // No journal that nobody asks for.
        .env_remove("HOME")
        .args([concat!(env!("CARGO_MANIFEST_DIR"), "/python/peak.py").as_ref(), peak.as_os_str(), binary().as_os_str()])
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .env_remove("ENCORD_LOG")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!has_secret(&output.stdout) && !has_secret(&output.stderr));
    let kibibytes: u64 = fs::read_to_string(peak).unwrap().trim().parse().unwrap();
    Some((serde_json::from_slice(&output.stdout).unwrap(), kibibytes * 1024))
}

#[test]
fn a_million_lines_are_checked_in_64_mib() {
    let lines = peers::sized(1_000_000, 100_000);
    let server = discard();
    let folder = manifest(lines, 1, &server);
    let Some((sums, peak)) = peak(&folder, "upload --manifest items.jsonl --json --dry-run") else { return };
    assert_eq!(sums["would_upload"], lines);
    assert!(peak < 64 * MIB, "{} MiB", peak / MIB);
}

#[test]
fn a_hundred_thousand_files_are_uploaded_in_64_mib() {
    let files = peers::sized(100_000, 5_000);
    let server = discard();
    let folder = manifest(files, 100, &server);
    let arguments = "upload --manifest items.jsonl --json --report report.jsonl --journal journal.jsonl";
    let Some((sums, peak)) = peak(&folder, arguments) else { return };
    assert_eq!(sums["uploaded"], files);
    assert!(peak < 64 * MIB, "{} MiB", peak / MIB);
    for name in ["report.jsonl", "journal.jsonl"] {
        let text = fs::read(folder.path().join(name)).unwrap();
        assert!(!has_secret(&text) && text.split(|byte| *byte == b'\n').count() > files, "{name}");
    }
}

/// One byte more than 32 bits can count, in the full run.
#[test]
fn a_file_of_more_than_4_gib_is_uploaded_in_32_mib() {
    let length = 1 + (peers::sized(4_096, 256) as u64) * MIB;
    let server = discard();
    let folder = manifest(1, length, &server);
    let Some((sums, peak)) = peak(&folder, "upload --manifest items.jsonl --json") else { return };
    assert_eq!(sums["bytes"], length);
    assert!(peak < 32 * MIB, "{} MiB", peak / MIB);
}

#[test]
fn g3_a_hundred_uids_in_256_mib_of_models_are_counted_in_32_mib() {
    let folder = models(peers::sized(256, 48) as u64 * MIB, 100);
    let Some((count, peak)) = peak(&folder, "uids models.json --count") else { return };
    assert_eq!(count, 100);
    assert!(peak < 32 * MIB, "{} MiB", peak / MIB);
}
