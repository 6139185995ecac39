//! `encord whoami`, `folders`, `datasets`, `projects` and `models`, against the emulator of the platform.

use std::fs;
use std::path::Path;

use encord_dev_platform::{DevPlatform, Running};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::invocation::{Invocation, Run, encord};

struct Platform {
    runtime: Runtime,
    running: Option<Running>,
    key: String,
    domain: String,
}

impl Platform {
    fn start() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let running = runtime.block_on(DevPlatform::builder().demo(true).start()).expect("the emulator starts");
        let (key, domain) = (running.key().to_openssh(), running.domain());
        Self { runtime, running: Some(running), key, domain }
    }

    fn encord(&self, arguments: &str) -> Invocation {
        encord(arguments).env("ENCORD_SSH_KEY", &self.key).env("ENCORD_DOMAIN", &self.domain)
    }

    fn run(&self, arguments: &str) -> Run {
        let run = self.encord(arguments).run();
        for shown in [&run.stdout, &run.stderr] {
            assert!(!shown.contains(&self.key[40..60]), "a piece of the key: {shown}");
        }
        run
    }

    fn json(&self, arguments: &str) -> Value {
        let run = self.run(&format!("{arguments} --json"));
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{run:?}");
        run.json()
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.shutdown());
        }
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {value}"))
}

#[test]
fn a_new_user_asks_makes_and_lists() {
    let platform = Platform::start();
    let whoami = platform.json("whoami");
    assert_eq!(whoami["authenticated"], true);
    assert_eq!(whoami["domain"], platform.domain);
    assert_eq!(text(&whoami, "/key_id").len(), 64);
    assert!(platform.run("whoami").stdout.contains("authenticated  yes\n"));

    let photos = platform.json("folders create photos");
    let year = platform.json("folders create 2024 --parent photos --description of-2024");
    assert_eq!(text(&year, "/parent"), text(&photos, "/uuid"));
    let folders = platform.json("folders list");
    assert!(folders.as_array().expect("an array").iter().any(|folder| folder["name"] == "photos"), "{folders}");
    let below = platform.json("folders list photos");
    assert_eq!(text(&below, "/0/uuid"), text(&year, "/uuid"));
    let shown = platform.json("folders show photos/2024");
    assert_eq!(text(&shown, "/folder/description"), "of-2024");
    assert_eq!(shown["summary"]["images"], 0);
    let table = platform.run("folders list photos");
    assert_eq!(table.code, Some(0));
    let lines: Vec<_> = table.stdout.lines().collect();
    assert!(lines[0].starts_with("UUID "), "{table:?}");
    assert!(lines[1].starts_with(text(&year, "/uuid")) && lines[1].ends_with("photos/2024"), "{table:?}");
    assert_eq!(platform.json("folders show photos --items"), serde_json::json!([]));

    let dataset = platform.json("datasets create cats");
    let datasets = platform.json("datasets list --title c%");
    assert_eq!(text(&datasets, "/0/datasetUuid"), text(&dataset, "/datasetUuid"));
    assert_eq!(text(&platform.json("datasets show cats"), "/title"), "cats");
    assert_eq!(platform.json("datasets show cats --rows"), serde_json::json!([]));
}

#[test]
fn the_uids_of_a_project_are_the_same_in_both_forms() {
    let platform = Platform::start();
    let projects = platform.json("projects list");
    let project = text(&projects, "/0/projectHash").to_owned();
    assert_eq!(text(&platform.json(&format!("projects show {project}")), "/projectHash"), project);
    let uids = platform.run(&format!("models {project} --uids"));
    let legacy = platform.run(&format!("models {project} --uids --legacy"));
    assert_eq!(uids.code, Some(0), "{uids:?}");
    assert!(uids.stdout.lines().count() >= 2, "{uids:?}");
    assert_eq!(uids, legacy);
    // What `models --json` prints `uids` reads, in both forms.
    for form in ["", " --legacy"] {
        let models = platform.run(&format!("models {project} --json{form}"));
        assert_eq!(encord("uids").stdin(models.stdout).run(), uids, "{form}");
    }
}

#[test]
fn errors_say_what_to_do() {
    #[track_caller]
    fn check(run: &Run, code: i32, parts: &[&str]) {
        assert_eq!((run.code, run.stdout.as_str()), (Some(code), ""), "{run:?}");
        for part in parts {
            assert!(run.stderr.contains(part), "no {part:?} in {}", run.stderr);
        }
    }
    let platform = Platform::start();
    let domain = &platform.domain;
    check(
        &encord("whoami").env("ENCORD_DOMAIN", domain).run(),
        2,
        &["there is no private key; set ENCORD_SSH_KEY_FILE to the path of the key, or ENCORD_SSH_KEY to its text"],
    );
    check(
        &encord("whoami").env("ENCORD_SSH_KEY", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n").run(),
        2,
        &["the private key is not of the kind Ed25519; make a key with `ssh-keygen -t ed25519`"],
    );
    check(&platform.encord("whoami --domain mars").run(), 2, &["not a domain", "`eu`, `us` or a URL"]);
    // A key that this installation does not know.
    let other = Platform::start();
    let stranger = encord("whoami").env("ENCORD_SSH_KEY", &other.key).env("ENCORD_DOMAIN", domain).run();
    check(&stranger, 1, &["check the region: this went to", "your account may be at https://api.encord.com"]);
    platform.json("folders create photos");
    check(&platform.run("folders show photo"), 2, &["no folder is called \"photo\"; the nearest: \"photos\""]);
    platform.json("folders create photos");
    check(&platform.run("folders show photos"), 2, &["2 folders are called \"photos\"; say which one: "]);
    check(&platform.run("datasets show cats"), 2, &["no dataset is called \"cats\""]);
    check(&platform.run("models nothing"), 2, &["no project is called \"nothing\""]);
}

#[cfg(unix)]
#[test]
fn c4_a_key_file_that_everybody_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;

    fn allow(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("permitted");
    }
    let platform = Platform::start();
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("key");
    fs::write(&path, &platform.key).expect("written");
    allow(&path, 0o644);
    let shown = path.display().to_string();
    let expected = format!(
        "error: {shown}: everybody on this machine can read or change the private key; run `chmod 600 {shown}`\n"
    );
    let by_flag = || encord("whoami --ssh-key-file").arg(&path).env("ENCORD_DOMAIN", &platform.domain);
    let by_variable = || encord("whoami").env("ENCORD_SSH_KEY_FILE", &shown).env("ENCORD_DOMAIN", &platform.domain);
    by_flag().run().expect(2, "", &expected);
    by_variable().run().expect(2, "", &expected);
    allow(&path, 0o600);
    assert_eq!(by_flag().run().code, Some(0));
    assert_eq!(by_variable().run().code, Some(0));
}
