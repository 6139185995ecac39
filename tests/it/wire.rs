//! Compares the requests of the SDK's uploader with ours. Some differences are on purpose.
//!
//! The same server keeps both. A difference stands with its case, under the rule that asks for it; there is no other.

mod content_types;
mod sdk;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use encord_http::{Client, HeaderName, HeaderValue};
use encord_http_settings::{CloudUploadSettings, RequestsSettings};
use encord_test_server::{Request, Server, status};
use encord_upload::{ItemKind, UploadItem, Uploader};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::encord::{self, Item};
use crate::support::noise;

/// Who asks, and what may be answered and how, is each client's own affair. `Host` is checked apart.
const IRRELEVANT: [&str; 5] = ["user-agent", "accept", "accept-encoding", "connection", "host"];

/// A header, or `target`, as the SDK sends it and as we do.
type Difference = (&'static str, Option<&'static str>, Option<&'static str>);

/// One upload.
struct Case {
    file: &'static str,
    length: usize,
    kind: ItemKind,
    target: &'static str,
    headers: &'static [(&'static str, &'static str)],
    differs: &'static [Difference],
}

/// A file of some size for a plain URL, on which there is nothing to differ.
const PLAIN: Case = Case {
    file: "photo.jpg",
    length: 200_000,
    kind: ItemKind::Image,
    target: "/bucket/photo.jpg?X-Goog-Signature=0a1b",
    headers: &[],
    differs: &[],
};

/// Escapes of both cases, needed and not; dots and doubled slashes; signs that stand for themselves; empty names and values.
const ESCAPES: &str = "/b/%2Fa%2fb/%7Eu~/%41+%20c//d/../e/%C3%A9%c3%a9/!$'()*,;:@\
                       ?sig=a%2Bb%2fc%3D%3D&empty=&flag&&q=a=b==&t=%7E~%41&+=+%20&p=/?:@!$'()*,;&%25";

const CASES: [Case; 8] = [
    PLAIN,
    Case { file: "clip.mp4", length: 3_000_001, kind: ItemKind::Video, ..PLAIN },
    Case { file: "scan.dcm", length: 70_000, kind: ItemKind::Dicom, ..PLAIN },
    // Without a type that its name tells, both leave the header out.
    Case { file: "photo", length: 10, ..PLAIN },
    // The name on disk decides, letters of any script and case.
    Case { file: "Straße 猫.PNG", length: 10, ..PLAIN },
    // U8: `Content-Length` always. The SDK sends no length and an empty chunked body, which S3 refuses with 501.
    Case {
        file: "empty.png",
        length: 0,
        differs: &[("content-length", None, Some("0")), ("transfer-encoding", Some("chunked"), None)],
        ..PLAIN
    },
    // U8: byte for byte as given. requests writes escapes in upper case, undoes those that nobody needs and resolves dots,
    // and a server that compares the signed bytes refuses the outcome.
    Case {
        file: "escapes.jpg",
        length: 10,
        target: ESCAPES,
        differs: &[(
            "target",
            Some(
                "/b/%2Fa%2Fb/~u~/A+%20c//e/%C3%A9%C3%A9/!$'()*,;:@\
                 ?sig=a%2Bb%2Fc%3D%3D&empty=&flag&&q=a=b==&t=~~A&+=+%20&p=/?:@!$'()*,;&%25",
            ),
            Some(ESCAPES),
        )],
        ..PLAIN
    },
    // U8: as above. One `%` that begins no escape, and requests escapes every other one in the query again.
    Case {
        file: "percent.jpg",
        length: 10,
        target: "/b/%2fa?sig=a%2Bb%3D&share=100%&x=%zz",
        differs: &[(
            "target",
            Some("/b/%2Fa?sig=a%252Bb%253D&share=100%25&x=%25zz"),
            Some("/b/%2fa?sig=a%2Bb%3D&share=100%&x=%zz"),
        )],
        ..PLAIN
    },
];

/// URLs with headers, which the seed SDK does not have.
const HEADERS: [Case; 2] = [
    Case { headers: &[("x-ms-blob-type", "BlockBlob")], ..PLAIN },
    // They win over those that the uploader sets.
    Case { headers: &[("Content-Type", "image/x-other"), ("Cache-Control", "no-store"), ("x-empty", "")], ..PLAIN },
];

#[test]
fn u8_the_request_is_that_of_the_seed_sdk() {
    check("seed", &CASES.iter().collect::<Vec<_>>());
}

#[test]
fn u8_the_request_is_that_of_the_current_sdk() {
    check("current", &CASES.iter().chain(&HEADERS).collect::<Vec<_>>());
}

/// The SDK adds the password for the host from `~/.netrc` to a request that its signature authorizes already.
#[test]
fn u8_netrc_is_not_read() {
    let folder = folder(&[&PLAIN]);
    let home = tempfile::tempdir().unwrap();
    let netrc = home.path().join(".netrc");
    fs::write(&netrc, "machine 127.0.0.1 login me password mine\n").unwrap();
    for sdk in ["seed", "current"] {
        let server = accepting();
        if sdk::ask(sdk, home.path(), &uploads(&[&PLAIN], &folder, &server)).is_some() {
            // me:mine
            assert_eq!(server.requests()[0].header("authorization"), Some("Basic bWU6bWluZQ=="), "{sdk}");
        }
    }
    let server = accepting();
    let item = Item { path: folder.path().join(PLAIN.file), url: server.url("/photo.jpg"), data_type: "image" };
    let run = encord::upload(&[item]).env("HOME", home.path()).env("NETRC", &netrc).run();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(server.requests()[0].header("authorization"), None);
}

#[track_caller]
fn check(sdk: &str, cases: &[&Case]) {
    let (folder, home) = (folder(cases), tempfile::tempdir().unwrap());
    let (to_theirs, to_ours) = (accepting(), accepting());
    if sdk::ask(sdk, home.path(), &uploads(cases, &folder, &to_theirs)).is_none() {
        return;
    }
    upload(cases, &folder, &to_ours);
    let (theirs, ours) = (to_theirs.requests(), to_ours.requests());
    assert_eq!((theirs.len(), ours.len()), (cases.len(), cases.len()));
    for (case, (theirs, ours)) in cases.iter().zip(theirs.iter().zip(&ours)) {
        for (request, server) in [(theirs, &to_theirs), (ours, &to_ours)] {
            assert_eq!(request.header("host"), Some(&*server.address().to_string()));
            assert!(request.body == noise(0, case.length), "{}: the body is not the file", case.file);
        }
        let expected = case
            .differs
            .iter()
            .map(|(what, theirs, ours)| ((*what).to_owned(), theirs.map(str::to_owned), ours.map(str::to_owned)));
        assert_eq!(differences(theirs, ours), expected.collect::<Vec<_>>(), "{}", case.file);
    }
}

/// What differs between two requests besides the body: its name, theirs, ours.
fn differences(theirs: &Request, ours: &Request) -> Vec<(String, Option<String>, Option<String>)> {
    let [mut theirs, mut ours] = [theirs, ours].map(facts);
    let names: BTreeSet<String> = theirs.keys().chain(ours.keys()).cloned().collect();
    let pairs = names.into_iter().map(|name| {
        let (theirs, ours) = (theirs.remove(&name), ours.remove(&name));
        (name, theirs, ours)
    });
    pairs.filter(|(_, theirs, ours)| theirs != ours).collect()
}

fn facts(request: &Request) -> BTreeMap<String, String> {
    let Request { method, target, version, headers, .. } = request;
    let mut facts = BTreeMap::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        if !IRRELEVANT.contains(&&*name) {
            assert_eq!(facts.insert(name, value.clone()), None, "a header that comes twice");
        }
    }
    facts
        .extend([("method", method), ("target", target), ("version", version)].map(|(k, v)| (k.to_owned(), v.clone())));
    facts
}

fn accepting() -> Server {
    Server::start(|_, _| status(200))
}

/// A folder with the files of the cases.
fn folder(cases: &[&Case]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for case in cases {
        fs::write(folder.path().join(case.file), noise(0, case.length)).unwrap();
    }
    folder
}

/// The cases as questions to an SDK.
fn uploads(cases: &[&Case], folder: &TempDir, server: &Server) -> Value {
    let upload = |case: &&Case| {
        let kind = match case.kind {
            ItemKind::Image => "image",
            ItemKind::Video => "video",
            ItemKind::Dicom => "dicom",
            other => panic!("wire.py knows no {other:?}"),
        };
        let headers: Value =
            case.headers.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
        json!({
            "path": folder.path().join(case.file),
            "url": server.url(case.target),
            "kind": kind,
            "headers": if case.headers.is_empty() { Value::Null } else { headers },
        })
    };
    json!({"uploads": cases.iter().map(upload).collect::<Vec<_>>(), "names": []})
}

/// Uploads the cases with our uploader, one after the other.
#[track_caller]
fn upload(cases: &[&Case], folder: &TempDir, server: &Server) {
    let items = cases.iter().map(|case| {
        let mut item = UploadItem::new(folder.path().join(case.file), server.url(case.target));
        item.kind = case.kind;
        for (name, value) in case.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            item.headers.insert(name, HeaderValue::from_static(value));
        }
        item
    });
    let client = Client::new(RequestsSettings::default());
    let uploader = Uploader::new(&client, CloudUploadSettings::default()).concurrency(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(uploader.upload(items, |_| ())).unwrap();
}
