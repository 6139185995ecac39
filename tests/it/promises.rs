//! Asks the current SDK for its behaviour that the documents describe.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use encord_test_server::{Reply, Request, Server, status};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::peers;

/// How many files a batch has; each goes to a path of its number.
const FILES: usize = 20;

/// What `promises.py` prints.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Came {
    uploaded: usize,
    raised: Option<String>,
    log: String,
}

/// Has the SDK upload a batch to `server`; `None` where it is not installed.
#[track_caller]
fn sdk(server: &Server, requests: &Value, upload: &Value, iterator: bool) -> Option<Came> {
    let python = peers::sdk_python("current")?;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jpg");
    fs::write(&path, "a file").unwrap();
    let urls: Vec<String> = (0..FILES).map(|index| server.url(&format!("/{index}?sig=s3cret"))).collect();
    let paths = vec![&path; FILES];
    let question = json!({"paths": paths, "urls": urls, "requests": requests, "upload": upload, "iterator": iterator});
    let mut child = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/python/promises.py"))
        // No proxy.
        .env_clear()
        .env("HOME", folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(question.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "promises.py: {}", output.status);
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// Answers the sixth file so, and 200 to the others.
fn one_gets(answer: Reply) -> Server {
    Server::start(move |request, _| if request.path() == "/5" { answer.clone() } else { status(200) })
}

#[test]
fn the_current_sdk_retries_10_times_of_15_and_some_statuses_never() {
    for (code, attempts) in [(503, 11), (408, 1), (504, 1)] {
        let server = one_gets(status(code));
        let requests = json!({"max_retries": 15, "backoff_factor": 0.0001});
        let Some(came) = sdk(&server, &requests, &json!({"allow_failures": true}), false) else { return };
        assert_eq!((came.uploaded, came.raised), (FILES - 1, None));
        assert_eq!(server.requests_for("/5").len(), attempts, "{code}");
    }
}

#[test]
fn the_current_sdk_drops_an_explicit_zero() {
    let server = one_gets(status(503));
    let requests = json!({"max_retries": 3, "backoff_factor": 0.0001});
    let upload = json!({"max_retries": 0, "allow_failures": true});
    if sdk(&server, &requests, &upload, false).is_some() {
        assert_eq!(server.requests_for("/5").len(), 4);
    }
}

#[test]
fn the_current_sdk_allows_a_bad_status_but_no_reset_and_logs_the_secret() {
    let requests = json!({"max_retries": 1, "backoff_factor": 0.0001});
    let Some(came) = sdk(&one_gets(status(403)), &requests, &json!({"allow_failures": true}), false) else {
        return;
    };
    assert_eq!((came.uploaded, came.raised), (FILES - 1, None));
    assert!(came.log.contains("/5?sig=s3cret"), "{}", came.log);

    let came = sdk(&one_gets(Reply::reset()), &requests, &json!({"allow_failures": true}), false).unwrap();
    assert_eq!((came.uploaded, came.raised.as_deref()), (0, Some("ConnectionError")));
    assert!(came.log.contains("/5?sig=s3cret"), "{}", came.log);
}

#[test]
fn the_current_sdk_sends_all_files_before_it_raises() {
    let server = one_gets(status(403));
    let Some(came) = sdk(&server, &json!({}), &json!({}), false) else { return };
    assert_eq!((came.uploaded, came.raised.as_deref()), (0, Some("CloudUploadError")));
    assert_eq!(server.count(), FILES);
}

#[test]
fn the_current_sdk_takes_a_redirected_file_for_uploaded() {
    let server = one_gets(status(302).header("Location", "/elsewhere"));
    let Some(came) = sdk(&server, &json!({}), &json!({}), false) else { return };
    assert_eq!((came.uploaded, came.raised), (FILES, None));
    let followed: Vec<Request> = server.requests_for("/elsewhere");
    assert_eq!((followed[0].method.as_str(), followed[0].body.len()), ("GET", 0));
}

#[test]
fn the_current_sdk_uploads_nothing_of_an_iterator() {
    let server = one_gets(status(200));
    let Some(came) = sdk(&server, &json!({}), &json!({}), true) else { return };
    assert_eq!((came.uploaded, came.raised, server.count()), (0, None, 0));
}
