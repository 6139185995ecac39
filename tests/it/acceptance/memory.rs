//! Memory follows what is under way, not how much there is.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::encord::{SECRET, binary, has_secret};

const MIB: u64 = 1024 * 1024;

/// Reads what it is sent and throws it away. Its threads end with the test binary.
fn discard() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || drop(serve(&stream)));
        }
    });
    address
}

fn serve(stream: &TcpStream) -> io::Result<()> {
    let mut requests = BufReader::with_capacity(256 * 1024, stream);
    let mut line = String::new();
    loop {
        let (mut length, mut head) = (0, 0);
        loop {
            line.clear();
            if requests.read_line(&mut line)? == 0 {
                return Ok(());
            }
            head += 1;
            line.make_ascii_lowercase();
            match line.strip_prefix("content-length:") {
                Some(value) => length = value.trim().parse().map_err(io::Error::other)?,
                None if line.starts_with("expect:") => (&mut &*stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?,
                None if line == "\r\n" && head > 1 => break,
                None => {}
            }
        }
        if io::copy(&mut (&mut requests).take(length), &mut io::sink())? < length {
            return Ok(());
        }
        (&mut &*stream).write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
    }
}

/// A manifest of so many lines, all of the same file.
fn manifest(lines: usize, length: u64, server: SocketAddr) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file.mp4");
    File::create(&file).unwrap().set_len(length).unwrap();
    let mut manifest = io::BufWriter::new(File::create(folder.path().join("items.jsonl")).unwrap());
    let path = Value::from(file.to_str().unwrap());
    for line in 0..lines {
        let url = format!("http://{server}/bucket/{line}?X-Goog-Signature={SECRET}");
        writeln!(manifest, r#"{{"path": {path}, "signed_url": "{url}", "data_type": "video"}}"#).unwrap();
    }
    manifest.flush().unwrap();
    folder
}

/// Runs `encord upload` of a manifest; its summary and its peak of memory in bytes.
#[track_caller]
fn peak(folder: &TempDir, flags: &str) -> (Value, u64) {
    let peak = folder.path().join("peak");
    let output = Command::new("python3")
        .args([concat!(env!("CARGO_MANIFEST_DIR"), "/python/peak.py").as_ref(), peak.as_os_str(), binary().as_os_str()])
        .args("upload --manifest items.jsonl --json".split(' '))
        .args(flags.split_whitespace())
        .current_dir(folder)
        .env_remove("ENCORD_LOG")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!has_secret(&output.stdout) && !has_secret(&output.stderr));
    let kibibytes: u64 = fs::read_to_string(peak).unwrap().trim().parse().unwrap();
    (serde_json::from_slice(&output.stdout).unwrap(), kibibytes * 1024)
}

#[test]
fn a_million_lines_are_checked_in_64_mib() {
    let folder = manifest(1_000_000, 1, discard());
    let (sums, peak) = peak(&folder, "--dry-run");
    assert_eq!(sums["would_upload"], 1_000_000);
    assert!(peak < 64 * MIB, "{} MiB", peak / MIB);
}

#[test]
fn a_hundred_thousand_files_are_uploaded_in_64_mib() {
    let folder = manifest(100_000, 100, discard());
    let (sums, peak) = peak(&folder, "--report report.jsonl --journal journal.jsonl");
    assert_eq!(sums["uploaded"], 100_000);
    assert!(peak < 64 * MIB, "{} MiB", peak / MIB);
    for name in ["report.jsonl", "journal.jsonl"] {
        let text = fs::read(folder.path().join(name)).unwrap();
        assert!(!has_secret(&text) && text.split(|byte| *byte == b'\n').count() > 100_000, "{name}");
    }
}

/// One byte more than 32 bits can count.
#[test]
fn a_file_of_more_than_4_gib_is_uploaded_in_32_mib() {
    const LENGTH: u64 = 1 + (1 << 32);
    let folder = manifest(1, LENGTH, discard());
    let (sums, peak) = peak(&folder, "");
    assert_eq!(sums["bytes"], LENGTH);
    assert!(peak < 32 * MIB, "{} MiB", peak / MIB);
}
