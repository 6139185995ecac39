//! `encord dev-store` and `encord sign`, with `encord upload` between them.

#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};

use crate::invocation::{Run, encord};

/// A store that runs, and where it listens.
struct Store {
    child: Child,
    url: String,
}

impl Store {
    fn start(arguments: &str) -> Self {
        let mut child = encord(&format!("dev-store --port 0 {arguments}")).start();
        let mut line = String::new();
        // The pipe stays open: nothing more is written to it.
        BufReader::new(child.stdout.as_mut().expect("piped")).read_line(&mut line).expect("a line");
        Self { child, url: line.trim_end().to_owned() }
    }

    /// Asks it to end as Ctrl-C does.
    fn end(self) -> Run {
        kill_process(Pid::from_child(&self.child), Signal::INT).expect("it runs");
        Run::of(self.child)
    }
}

#[test]
fn a_manifest_is_signed_and_uploaded_to_the_store() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join("images/more")).expect("made");
    for name in ["b #1?.jpg", "a%20.jpg", "more/é.jpg"] {
        fs::write(folder.path().join("images").join(name), name).expect("written");
    }
    let objects = folder.path().join("objects");
    let store = Store::start(&format!("--dir {}", objects.display()));
    assert!(store.url.starts_with("http://127.0.0.1:"), "{}", store.url);

    let signed = encord("sign images --manifest").arg(format!("{}/dev/", store.url)).within(folder.path()).run();
    assert_eq!((signed.code, &*signed.stderr), (Some(0), ""));
    let paths: Vec<_> = signed.stdout.lines().map(|line| line.split('"').nth(3).expect("a path")).collect();
    assert_eq!(paths, ["images/a%20.jpg", "images/b #1?.jpg", "images/more/é.jpg"]);

    let uploaded = encord("upload --manifest - --json").stdin(signed.stdout).within(folder.path()).run();
    assert_eq!((uploaded.code, &uploaded.json()["uploaded"]), (Some(0), &3.into()), "{uploaded:?}");

    let ended = store.end();
    assert_eq!((ended.code, &*ended.stdout), (Some(0), ""));
    let mut requests: Vec<_> = ended.stderr.lines().collect();
    requests.sort_unstable();
    assert_eq!(
        requests,
        [
            "PUT dev/images/a%20.jpg 200 (8 bytes)",
            "PUT dev/images/b #1?.jpg 200 (9 bytes)",
            "PUT dev/images/more/é.jpg 200 (11 bytes)",
        ]
    );
    assert_eq!(fs::read(objects.join("dev/images%2Fb%20%231%3F.jpg")).expect("stored"), b"b #1?.jpg");
}

#[test]
fn faults_and_keys_are_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("plan"), "# as asked\na: 503 x1\n").expect("written");
    fs::write(folder.path().join("a"), "x").expect("written");
    let store = Store::start(&format!("--faults @{} --key me:secret", folder.path().join("plan").display()));
    let base = format!("{}/dev", store.url);
    let sign =
        |key: &str| encord("sign a --scheme s3 --key").arg(key).arg("--manifest").arg(&base).within(folder.path());
    let upload = |manifest: Run| {
        encord("upload --manifest - --backoff-factor 0 --json").stdin(manifest.stdout).within(folder.path()).run()
    };
    assert_eq!(upload(sign("me:wrong").run()).code, Some(1));
    let uploaded = upload(sign("me:secret").run());
    assert_eq!((uploaded.code, &uploaded.json()["attempts"]), (Some(0), &2.into()));
    assert_eq!(
        store.end().stderr,
        "PUT dev/a 403 (0 bytes): the signature does not match the request\nPUT dev/a 503 (1 bytes, fault 503)\nPUT dev/a 200 (1 bytes)\n"
    );
}

#[test]
fn urls_are_signed() {
    let run =
        encord("sign --expires 60 --method GET --header Content-Type:image/jpeg http://h/dev/a http://h/dev/b").run();
    assert_eq!((run.code, &*run.stderr), (Some(0), ""));
    let urls: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(urls.len(), 2);
    assert!(
        urls[1].starts_with("http://h/dev/b?X-Goog-Algorithm=GOOG4-HMAC-SHA256&X-Goog-Credential=GOOG1EDEVELOPMENT%2F")
    );
    assert!(urls[1].contains("&X-Goog-Expires=60&X-Goog-SignedHeaders=content-type%3Bhost&X-Goog-Signature="));
}

#[test]
fn links_are_followed_and_what_is_left_out_is_told() {
    use std::os::unix::fs::symlink;
    let folder = crate::upload::folder(&["a.jpg"]);
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("images")).expect("made");
    fs::create_dir_all(path("elsewhere")).expect("made");
    fs::write(path("elsewhere/b.jpg"), "b").expect("written");
    for (target, name) in [("../a.jpg", "a.jpg"), ("../elsewhere", "linked"), ("gone", "gone.jpg"), (".", "linked/up")]
    {
        symlink(target, path("images").join(name)).expect("linked");
    }
    let run = encord("sign --manifest http://127.0.0.1:9000/dev images").within(folder.path()).run();
    let lines = run.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    let paths: Vec<String> =
        lines.map(|line: serde_json::Value| line["path"].as_str().expect("a path").into()).collect();
    assert_eq!((run.code, paths), (Some(0), vec!["images/a.jpg".to_owned(), "images/linked/b.jpg".to_owned()]));
    assert!(run.stderr.contains("images/gone.jpg is left out: No such file"), "{}", run.stderr);
    assert!(run.stderr.contains("images/linked/up is left out: "), "{}", run.stderr);
}

#[test]
fn u9_what_cannot_be_signed_or_started_is_said_without_the_url() {
    let run = encord("sign http://h/a ftp://h/a?sig=s3cret").run();
    run.expect(2, "", "error: URL 2: the URL must begin with http:// or https:// and a host\n");
    let run = encord("sign --expires 0 http://h/a").run();
    run.expect(2, "", "error: --expires: a signed URL can be valid for 1 to 604800 s, not 0 s\n");
    let run = encord("sign Cargo.toml").run();
    let hint = "hint: files are signed with --manifest BASE-URL\n";
    run.expect(2, "", &format!("error: URL 1: the URL must begin with http:// or https:// and a host\n{hint}"));
    let run = encord("sign --manifest 127.0.0.1:9000/dev Cargo.toml").run();
    run.expect(2, "", "error: --manifest: the URL must begin with http:// or https:// and a host\n");
    let run = encord("sign --manifest http://127.0.0.1:9000/ Cargo.toml").run();
    let hint = "hint: any will do, such as `dev` in http://127.0.0.1:9000/dev\n";
    run.expect(2, "", &format!("error: --manifest: the URL names no bucket\n{hint}"));
    let run = encord("dev-store --port 0 --faults").arg("a: explode").run();
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.starts_with("error: --faults: `a: explode`: the fault `explode` is not known;"), "{run:?}");
    let store = Store::start("");
    let (_, port) = store.url.rsplit_once(':').expect("a port");
    let run = encord(&format!("dev-store --port {port}")).run();
    assert_eq!((run.code, run.stderr.lines().count()), (Some(1), 2));
    assert!(run.stderr.ends_with("\nhint: --port 0 takes one that is free\n"), "{run:?}");
    store.end();
    let run = encord("sign --key s3cret http://h/a").run();
    run.expect(2, "", "error: --key is written ID:SECRET\n");
}
