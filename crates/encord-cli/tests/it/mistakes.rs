//! Mistakes that people make, and what the program answers: what to type instead.

use std::fs;

use crate::invocation::encord;
use crate::upload::folder;

/// Arguments and variables, separated by blanks; what standard error has; the exit code.
const MISTAKES: &[(&str, &str, &str, i32)] = &[
    ("upload items.jsonl", "", "encord upload --manifest items.jsonl", 2),
    ("upload a.jpg b.jpg", "", "files for signed URLs are listed in a manifest", 2),
    ("upload", "", "--manifest <FILE>", 2),
    ("upload items.csv", "", "a manifest is JSON Lines", 2),
    ("upload gs://bucket/a.jpg", "", "names an object in a cloud", 2),
    ("upload s3://bucket/a.jpg", "", "names an object in a cloud", 2),
    ("upload --manifest s3://bucket/items.jsonl", "", "copy what is in a cloud", 2),
    ("upload gs://bucket/photos --folder f", "", "copy what is in a cloud", 2),
    ("upload --manifest good.jsonl --allow-failures false", "", "write --allow-failures=false", 2),
    ("settings --allow-failures false", "", "write --allow-failures=false", 2),
    ("settings --max_retries 5", "", "--max-retries", 2),
    ("settings --retries 5", "", "--max-retries", 2),
    ("settings --connect-timout 5", "", "--connect-timeout", 2),
    ("settings --max-retries five", "", "`--max-retries` must be a whole number", 2),
    ("settings --max-retries -1", "", "`--max-retries` must be a whole number", 2),
    ("settings --max-retries=", "", "`--max-retries` is empty", 2),
    ("settings --backoff-factor nan", "", "`--backoff-factor` must be a finite number", 2),
    ("settings --read-timeout 0", "", "`--read-timeout`", 2),
    ("settings --write-timeout -5", "", "`--write-timeout`", 2),
    ("settings --connection-retries 1.5", "", "`--connection-retries` must be a whole number", 2),
    ("settings", "ENCORD_MAX_RETRY=8", "did you mean ENCORD_MAX_RETRIES?", 0),
    ("settings", "encord_max_retries=8", "did you mean ENCORD_MAX_RETRIES?", 0),
    ("settings", "ENCORD_READTIMEOUT=8", "did you mean ENCORD_READ_TIMEOUT?", 0),
    ("settings", "ENCORD_MAX_RETRIES=many", "`ENCORD_MAX_RETRIES` must be a whole number", 2),
    ("settings", "ENCORD_SETTINGS=gone.toml", "settings file gone.toml (from ENCORD_SETTINGS): No such file", 2),
    ("settings --settings top.toml", "", "write `max_retries` below [requests] or [upload]", 2),
    ("settings --settings top.json", "", "write `read_timeout` below [requests]", 2),
    ("upload --manifest gone.jsonl", "", "manifest gone.jsonl: No such file", 2),
    ("upload --manifest pretty.jsonl", "", "use `jq -c .`", 2),
    ("upload --manifest list.jsonl", "", "`jq -c '.[]'` makes a line of each item", 2),
    ("upload --manifest table.csv", "", "a table (CSV) is not taken", 2),
    ("upload --manifest report.jsonl", "", "a line of a report, for --retry-from", 2),
    ("upload --manifest journal.jsonl", "", "this is a journal, for --journal", 2),
    ("upload --manifest url.jsonl", "", "unknown key `url`: write `signed_url`", 2),
    ("upload --manifest file.jsonl", "", "unknown key `filename`: write `path`", 2),
    ("upload --manifest upper.jsonl", "", "unknown `data_type` `Image`: write `image`", 2),
    ("upload --manifest cloud.jsonl", "", "`path` is an object in a cloud (s3://)", 2),
    ("upload --manifest target.jsonl", "", "gs://, s3:// and paths are no signed URLs", 1),
    ("upload --manifest target.jsonl --dry-run", "", "gs://, s3:// and paths are no signed URLs", 1),
    ("upload --manifest home.jsonl", "", "only a shell replaces ~", 1),
    ("upload --manifest home.jsonl --dry-run", "", "only a shell replaces ~", 1),
    ("upload --manifest good.jsonl --report=~/r.jsonl", "", "only a shell replaces ~", 2),
    ("upload --manifest good.jsonl --retry-from good.jsonl", "", "this is a line of a manifest, for --manifest", 2),
    ("upload --manifest good.jsonl --retry-from journal.jsonl", "", "this is a journal, for --journal", 2),
    ("upload --manifest good.jsonl --journal -", "", "the journal must be a file", 2),
    ("upload --manifest good.jsonl --journal table.csv", "", "the file is not a journal of uploads", 2),
    ("upload --manifest good.jsonl --shard 4/4", "", "the first is 0/4, and I must be below N", 2),
    ("upload --manifest good.jsonl --shard 4", "", "a shard is written I/N, as in 0/4", 2),
    ("upload --manifest good.jsonl --concurrency 0", "", "it must be a whole number of 1 or more", 2),
    ("upload --manifest good.jsonl --report -", "TMPDIR=nowhere", "TMPDIR names another folder", 1),
    ("upload --manifest good.jsonl --report -", "TMPDIR=nowhere", "cannot make a temporary file in nowhere", 1),
    ("upload --manifest - --settings -", "", "cannot both come from standard input", 2),
    ("upload --manifest - --retry-from -", "", "cannot both come from standard input", 2),
    ("upload --manifest - --folder f --metadata -", "", "cannot both come from standard input", 2),
    (
        "upload --manifest - --folder f --max-retries five",
        "ENCORD_SETTINGS=-",
        "cannot both come from standard input",
        2,
    ),
    ("upload a.jpg --folder f --metadata - --retry-from -", "", "cannot both come from standard input", 2),
    ("upload a.jpg --folder f --retry-from - --settings -", "", "cannot both come from standard input", 2),
    ("upload --manifest good.jsonl", "ENCORD_LOG=encord_http=loud", "a level, such as debug", 2),
    ("report good.jsonl", "", "line 1: not a line of a report", 2),
    ("data-type Image", "", "unknown data type \"Image\"", 2),
    ("uplaod", "", "upload", 2),
];

/// The files that the mistakes name.
const FILES: &[(&str, &str)] = &[
    ("good.jsonl", "{\"path\": \"a.jpg\", \"signed_url\": \"http://127.0.0.1:1/a\"}\n"),
    ("top.toml", "max_retries = 5\n"),
    ("top.json", "{\"read_timeout\": 5}"),
    ("pretty.jsonl", "{\n  \"path\": \"a.jpg\",\n  \"signed_url\": \"http://h/a\"\n}\n"),
    ("list.jsonl", "[{\"path\": \"a.jpg\", \"signed_url\": \"http://h/a\"}]\n"),
    ("table.csv", "path,signed_url\na.jpg,http://h/a\n"),
    (
        "report.jsonl",
        "{\"index\": 0, \"path\": \"a\", \"title\": \"a\", \"status\": \"failed\", \"bytes\": 0, \"attempts\": [], \"error\": null}\n",
    ),
    ("journal.jsonl", "{\"journal\":\"encord-upload\",\"version\":1}\n"),
    ("url.jsonl", "{\"path\": \"a.jpg\", \"url\": \"http://h/a\"}\n"),
    ("file.jsonl", "{\"filename\": \"a.jpg\", \"signed_url\": \"http://h/a\"}\n"),
    ("upper.jsonl", "{\"path\": \"a.jpg\", \"signed_url\": \"http://h/a\", \"data_type\": \"Image\"}\n"),
    ("cloud.jsonl", "{\"path\": \"s3://b/a.jpg\", \"signed_url\": \"http://h/a\"}\n"),
    ("target.jsonl", "{\"path\": \"a.jpg\", \"signed_url\": \"gs://b/a.jpg\"}\n"),
    ("home.jsonl", "{\"path\": \"~/a.jpg\", \"signed_url\": \"http://127.0.0.1:1/a\"}\n"),
];

#[test]
fn every_mistake_is_answered_with_what_to_type_instead() {
    let folder = folder(&["a.jpg"]);
    for (name, text) in FILES {
        fs::write(folder.path().join(name), text).expect("written");
    }
    let mut unanswered = Vec::new();
    for (arguments, variables, expected, code) in MISTAKES {
        let mut command = encord(arguments).within(folder.path());
        for (name, value) in variables.split(' ').filter_map(|variable| variable.split_once('=')) {
            command = command.env(name, value);
        }
        let run = command.run();
        if run.code != Some(*code) || !run.stderr.contains(expected) {
            unanswered.push(format!("{arguments} {variables}: {:?}, {}", run.code, run.stderr));
        }
    }
    assert!(MISTAKES.len() >= 40);
    assert!(unanswered.is_empty(), "{}", unanswered.join("\n"));
}
