//! The block in both READMEs is what a run really says.

use std::fmt::Write;
use std::fs;

use encord_test_server::{Server, status};

use crate::invocation::encord;
use crate::upload::{folder, manifest};

const READMES: [&str; 2] = [include_str!("../../README.md"), include_str!("../../../../README.md")];

const UPLOAD: &str = "upload --manifest items.jsonl --allow-failures --backoff-factor 0.1 --report report.jsonl";

#[test]
fn the_run_in_the_readme_is_a_real_one() {
    let server = Server::start(|request, before| match request.path() {
        "/b.jpg" => status(403),
        "/c.jpg" if before == 0 => status(503),
        _ => status(200),
    });
    let names = ["a.jpg", "b.jpg", "c.jpg"];
    let folder = folder(&names);
    let items = manifest(names.map(|name| (name, server.signed_url(&format!("/{name}")))));
    fs::write(folder.path().join("items.jsonl"), items).expect("written");
    let mut block = String::new();
    for command in [UPLOAD, "report report.jsonl"] {
        let run = encord(command).within(folder.path()).run();
        // Which of them was slowest is another one each time.
        let (shown, _) = run.stdout.split_once("\nslowest items:").unwrap_or((&run.stdout, ""));
        writeln!(block, "$ encord {command}\n{}{shown}", run.stderr).expect("a string");
    }
    let block = same_every_time(&block, &server.host());
    for readme in READMES {
        let (_, readme) = readme.split_once("```text\n").expect("a block");
        let (readme, _) = readme.split_once("```\n").expect("its end");
        assert_eq!(same_every_time(readme, "127.0.0.1:9000"), block, "the README is to have:\n{block}");
    }
}

/// The text without what another run has otherwise: times, the port of the server, and the account of the attempts.
fn same_every_time(text: &str, host: &str) -> String {
    let is_seconds = |word: &str| word.contains('.') && word.parse::<f64>().is_ok();
    let is_time = |word: &str| word.len() == 8 && word.bytes().filter(|byte| *byte == b':').count() == 2;
    let word = |word: &str| match word {
        word if is_time(word) => "12:03:04".to_owned(),
        word if is_seconds(word) => "0.1".to_owned(),
        word => word.to_owned(),
    };
    let line = |line: &str| {
        let line = line.split_once(" (1 attempt").map_or(line, |(line, _)| line);
        line.split(' ').map(word).collect::<Vec<_>>().join(" ") + "\n"
    };
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with("in 0:"));
    lines.map(line).collect::<String>().replace(host, "127.0.0.1:9000")
}
