//! The emulator of the platform, judged by both SDKs, unmodified: what they do on it is done, and their models read
//! each of its answers.

use std::io::Write;
use std::process::{Command, Stdio};

use encord_dev_platform::{DevPlatform, NewProject, Operation, Running, Switches, Uuid};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::peers;

/// An emulator, and the runtime that it lives on.
struct Platform {
    runtime: Runtime,
    running: Running,
    /// A folder with one item, which is the row of a dataset of a project.
    folder: Uuid,
    item: Uuid,
    dataset: Uuid,
}

impl Platform {
    fn start(switches: Switches) -> Self {
        let runtime = Runtime::new().unwrap();
        let running = runtime.block_on(DevPlatform::builder().switches(switches).demo(true).start()).unwrap();
        let folder = running.add_folder("seeded").unwrap();
        running.add_items(folder, 1).unwrap();
        let item = running.items(folder)[0].uuid;
        let dataset = running.add_dataset("seeded", &[item]).unwrap();
        running
            .add_project(NewProject { title: "With rows".to_owned(), datasets: vec![dataset], ..NewProject::default() })
            .unwrap();
        Self { runtime, running, folder, item, dataset }
    }

    /// What a script prints that is asked this; `None` where its SDK is not installed.
    #[track_caller]
    fn ask(&self, sdk: &str, question: Value) -> Option<Value> {
        self.ask_script(sdk, sdk, question)
    }

    #[track_caller]
    fn ask_script(&self, script: &str, sdk: &str, mut question: Value) -> Option<Value> {
        let python = peers::sdk_python(sdk)?;
        let folder = tempfile::tempdir().unwrap();
        question["domain"] = self.running.domain().into();
        question["folder"] = folder.path().to_str().unwrap().into();
        let mut child = Command::new(python)
            .arg(format!("{}/python/platform_{script}.py", env!("CARGO_MANIFEST_DIR")))
            // No proxy.
            .env_clear()
            .env("HOME", folder.path())
            .env("ENCORD_SSH_KEY", self.running.key().to_openssh())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(question.to_string().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "platform_{script}.py: {}\n{stderr}", output.status);
        Some(serde_json::from_slice(&output.stdout).unwrap())
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        // The emulator ends on its runtime.
        let _inside = self.runtime.enter();
    }
}

#[track_caller]
fn check(answer: &Value, path: &str, expected: &Value) {
    assert_eq!(answer.pointer(path), Some(expected), "{path} of {answer:#}");
}

/// What does not depend on any switch.
fn check_current(answer: &Value) {
    let mut names = vec![
        "renamed.jpg",
        "b.mp4",
        "group",
        "sequence",
        "series",
        "c.mp3",
        "d.nii",
        "e.txt",
        "f.pdf",
        "t.csv",
        "s.ply",
        "empty.jpg",
    ];
    names.sort_unstable();
    let listed: Vec<_> = answer["storage"]["names"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for name in &names {
        assert!(listed.contains(name), "{name} in {listed:?}");
    }
    for kind in ["image", "video", "imageGroup", "imageSequence", "dicomSeries", "audio", "nifti", "plainText", "pdf"] {
        assert!(answer["storage"]["types"].as_array().unwrap().contains(&json!(kind)), "{kind}");
    }
    check(answer, "/storage/by_id", &json!(["renamed.jpg", "series"]));
    check(answer, "/storage/size", &json!(5));
    check(answer, "/storage/frames", &json!(["1.dcm", "2.dcm"]));
    check(answer, "/storage/metadata", &json!({ "k": 2 }));
    check(answer, "/storage/searched", &json!(["series"]));
    check(answer, "/storage/in_groups", &json!(1));
    check(answer, "/storage/group", &json!("group"));
    check(answer, "/storage/files", &json!(13));
    check(answer, "/storage/folders/found", &json!(["inner"]));
    check(answer, "/storage/folders/roots", &json!(["seeded", "renamed", "inner"]));
    check(answer, "/storage/folders/children", &json!([]));
    check(answer, "/storage/folders/again", &json!({ "x": null }));
    check(answer, "/jobs/ignored", &json!(["DONE", 1, [["uploads/not-there"]]]));
    check(answer, "/jobs/failed", &json!(["ERROR", ["The file was not found in storage"], 1]));
    check(answer, "/jobs/cloud", &json!([1, 2, 7]));
    check(answer, "/datasets/linked", &json!(4));
    check(answer, "/datasets/refused", &json!("ResourceExistsError"));
    check(
        answer,
        "/datasets/rows",
        &json!([
            ["renamed.jpg", "image"],
            ["b.mp4", "video"],
            ["series", "dicom"],
            ["group", "img_group"],
            ["renamed.jpg", "image"],
        ]),
    );
    check(answer, "/datasets/kept", &json!(4));
    check(answer, "/datasets/liked", &json!(["series"]));
    check(answer, "/datasets/used", &json!(["b.mp4", "group", "renamed.jpg", "series"]));
    check(answer, "/datasets/mirror", &json!(["m.jpg", "m.mp4", "m group", "m series", "follows.jpg"]));
    check(answer, "/datasets/listed", &json!(["a dataset", "a mirror", "seeded"]));
    check(answer, "/datasets/one", &json!(["a mirror"]));
    check(answer, "/projects/title", &json!("Demo project"));
    check(answer, "/projects/older", &json!(["Demo project", "With rows"]));
    check(answer, "/projects/models", &json!(["Demo fasterRcnn", "Demo resnet18"]));
    check(answer, "/projects/model", &json!("Demo fasterRcnn"));
    check(
        answer,
        "/more",
        &json!({
            "moved": ["new 1.jpg", "private.jpg"],
            "folders": ["new two"],
            "found": ["new 1.jpg"],
            "done": ["DONE", 0],
            "cancelled": 0,
            "refused": "InvalidArgumentsError",
            "linked": ["private.jpg"],
            "liked": ["Demo project"],
        }),
    );
    let trainings = answer["projects"]["trainings"].as_array().unwrap();
    assert_eq!((trainings.len(), &trainings[1]), (4, &trainings[2]));
    check(
        answer,
        "/errors",
        &json!({
            "folder": "AuthorisationError",
            "item": "AuthorisationError",
            "dataset": "ResourceNotFoundError",
            "project": "ResourceNotFoundError",
            "job": "ResourceNotFoundError",
        }),
    );
}

#[test]
fn the_current_sdk_does_its_work_under_the_default_switches() {
    let platform = Platform::start(Switches::default());
    let Some(answer) = platform.ask("current", json!({ "token": null })) else { return };
    check_current(&answer);
    check(&answer, "/projects/label_rows", &json!([["item 0", "image", platform.item]]));
    assert_eq!(platform.running.items(platform.folder).len(), 1);
    check(&answer, "/storage/images", &json!(["renamed.jpg", "empty.jpg"]));
    check(&answer, "/datasets/again", &json!(4));
    // What the failed job had is gone.
    check(&answer, "/left", &json!(["group 1", "in the cloud.jpg"]));
    assert_eq!(answer["token"].as_str(), Some(platform.running.token()));

    let signed = answer["storage"]["signed"].as_str().unwrap();
    assert!(signed.starts_with(&platform.running.store().base_url()), "{signed}");
    let folder = platform.running.folders().into_iter().find(|folder| folder.name == "renamed").unwrap();
    assert_eq!(platform.running.items(folder.uuid).len(), 2);
    // A held poll is one poll.
    assert_eq!(platform.running.count(Operation::GetJob), platform.running.count(Operation::StartJob) + 1);
}

#[test]
fn the_current_sdk_does_its_work_under_the_worst_switches() {
    let platform = Platform::start(Switches::worst());
    let Some(answer) = platform.ask("current", json!({ "token": null })) else { return };
    check_current(&answer);
    check(&answer, "/datasets/again", &json!(0));
    let left = answer["left"].as_array().unwrap();
    // Both jobs kept the unit that was good.
    assert_eq!(left.iter().filter(|name| *name == "in the cloud.jpg").count(), 2, "{left:?}");
}

#[test]
fn the_current_sdk_does_its_work_with_a_token() {
    let platform = Platform::start(Switches::default());
    let Some(answer) = platform.ask("current", json!({ "token": platform.running.token() })) else { return };
    check_current(&answer);
}

/// The seed's SDK, with an item that is there.
#[track_caller]
fn seed(switches: Switches) {
    let platform = Platform::start(switches);
    let Some(answer) = platform.ask("seed", json!({ "items": [platform.item] })) else { return };
    for part in ["hashes", "group", "series"] {
        check(&answer, &format!("/{part}"), &json!(true));
    }
    check(
        &answer,
        "/rows",
        &json!([
            ["renamed.jpg", "image", null],
            ["b.mp4", "video", null],
            ["group", "img_group", true],
            ["still", "img_group", false],
            ["series", "dicom", null],
        ]),
    );
    check(&answer, "/sizes", &json!([5, 5]));
    check(&answer, "/linked", &json!(1));
    check(&answer, "/listed", &json!(6));
    check(&answer, "/kept", &json!(5));
    check(&answer, "/liked", &json!(["renamed.jpg"]));
    check(&answer, "/datasets", &json!(["seed dataset"]));
    check(&answer, "/project", &json!("Demo project"));
    let [first, second, third] = ["1", "2", "3"].map(|digit| {
        let part = |length| digit.repeat(length);
        format!("{}-{}-4{}-8{}-{}", part(8), part(4), part(3), part(3), part(12))
    });
    check(&answer, "/uids", &json!([[first, second], [second, third]]));
    check(&answer, "/kinds", &json!(["faster_rcnn", "resnet18"]));
    check(&answer, "/losses", &json!([0.25, 0.25]));
    let unknown = "ResourceNotFoundError";
    check(&answer, "/errors", &json!({ "dataset": unknown, "project": unknown, "again": unknown }));
}

#[test]
fn the_seed_sdk_does_its_work_under_the_default_switches() {
    seed(Switches::default());
}

#[test]
fn the_seed_sdk_does_its_work_under_the_worst_switches() {
    seed(Switches::worst());
}

/// What the SDK raises for one request after the other: each rule of the plan is used once.
#[track_caller]
fn check_errors(sdk: &str, newer: &[(&str, &str, &str)], older: &[(&str, &str, &str)]) {
    let platform = Platform::start(Switches::default());
    let rules = newer.iter().map(|(fault, ..)| format!("get-folder: {fault} x1"));
    let rules = rules.chain(older.iter().map(|(fault, ..)| format!("get-dataset: {fault} x1")));
    platform.running.set_faults(rules.collect::<Vec<_>>().join("\n").parse().unwrap());
    let question = json!({
        "storage_folder": platform.folder,
        "newer": newer.len(),
        "dataset": platform.dataset,
        "older": older.len(),
    });
    let Some(answer) = platform.ask_script("errors", sdk, question) else { return };
    for (protocol, expected) in [("newer", newer), ("older", older)] {
        for (raised, (fault, name, text)) in answer[protocol].as_array().unwrap().iter().zip(expected) {
            let shown = raised[1].as_str().unwrap_or_default();
            assert_eq!(raised[0], json!(name), "{sdk}, {protocol}: {fault}: {shown}");
            assert!(shown.contains(text), "{sdk}, {protocol}: {fault}: {shown}");
        }
    }
}

/// The codes of the older protocol that both SDKs know, each with what they raise and whether they show the server's words.
const CODES: &[(&str, &str, &str)] = &[
    ("code=AUTHENTICATION_ERROR", "AuthenticationError", ""),
    ("code=AUTHORISATION_ERROR", "AuthorisationError", ""),
    ("code=METHOD_NOT_ALLOWED_ERROR", "MethodNotAllowedError", ""),
    ("code=UNKNOWN_ERROR", "UnknownException", ""),
    ("code=OPERATION_NOT_ALLOWED", "OperationNotAllowed", ""),
    ("code=FILE_TYPE_NOT_SUPPORTED_ERROR", "FileTypeNotSupportedError", ""),
    ("code=FILE_SIZE_NOT_SUPPORTED_ERROR", "FileSizeNotSupportedError", ""),
    ("code=UPLOAD_OPERATION_NOT_SUPPORTED_ERROR", "UploadOperationNotSupportedError", ""),
    ("code=INVALID_DATE_FORMAT_ERROR", "InvalidDateFormatError", ""),
    ("code=DUPLICATE_SSH_KEY_ERROR", "DuplicateSshKeyError", ""),
    ("code=SSH_KEY_NOT_FOUND_ERROR", "SshKeyNotFound", ""),
    ("code=RESOURCE_NOT_FOUND_ERROR message=why", "ResourceNotFoundError", "why"),
    ("code=INVALID_ARGUMENTS_ERROR message=why", "InvalidArgumentsError", "why"),
    ("code=RESOURCE_EXISTS_ERROR message=why", "ResourceExistsError", "why"),
    ("code=WRONG_PROJECT_TYPE_ERROR message=why", "WrongProjectTypeError", "why"),
    ("code=SOMETHING_NEW", "GenericServerError", ""),
];

#[test]
fn the_current_sdk_raises_what_each_error_stands_for() {
    let newer = [
        ("400 message=why", "InvalidArgumentsError", "why"),
        ("401 message=why", "AuthenticationError", "why"),
        ("403 message=why", "AuthorisationError", "why"),
        ("404 message=why", "ResourceNotFoundError", "The requested resource was not found."),
        ("405 message=why", "MethodNotAllowedError", "HTTP method is not allowed."),
        ("409 message=why", "ResourceExistsError", "why"),
        ("413 message=why", "PayloadTooLargeError", "why"),
        ("429 retry-after=7", "RateLimitExceededError", ""),
        ("201", "UnknownException", ""),
        ("202", "UnknownException", ""),
        ("408 message=why", "UnknownException", "why"),
        ("422 message=why", "UnknownException", "why"),
        ("500 message=why", "UnknownException", "why"),
        ("502 message=why", "UnknownException", "why"),
        ("503 message=why", "UnknownException", "why"),
        ("504 message=why", "UnknownException", "why"),
        ("204", "RequestException", ""),
        ("reset-before", "RequestException", ""),
        ("garbage", "RequestException", ""),
        ("empty", "RequestException", ""),
        ("cut", "RequestException", ""),
        ("shape", "EncordException", ""),
    ];
    let more = [
        ("code=RATE_LIMIT_ERROR message=why", "RateLimitExceededError", ""),
        ("413 message=why", "PayloadTooLargeError", "why"),
        ("429 retry-after=7", "RateLimitExceededError", ""),
        ("401", "AuthenticationError", ""),
        ("reset-before", "RequestException", ""),
        ("garbage", "RequestException", ""),
        ("empty", "RequestException", ""),
    ];
    check_errors("current", &newer, &[CODES, &more].concat());
}

#[test]
fn the_seed_sdk_raises_what_each_error_stands_for() {
    let more = [
        ("reset-before", "ConnectionError", ""),
        ("garbage", "RequestException", ""),
        ("empty", "RequestException", ""),
    ];
    check_errors("seed", &[], &[CODES, &more].concat());
}
