//! What is refused before anything is sent, and what is only looked at.

use crate::support::ingest::{Ended, World, report};
use crate::support::until_running;

#[track_caller]
fn refused(world: &World, words: &str, expected: &str) {
    let ended = world.ends(words, 2);
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    assert_eq!(world.platform.store().requests().len(), 0);
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_sent() {
    let world = World::new();
    world.write("a.jpg", "a");
    world.write("unknown.xyz", "?");
    refused(&world, "", "--folder");
    refused(&world, "--folder f --kind scene", "`scene` is no kind");
    refused(&world, "--folder f --kind image-group", "--group-by folder --as image-group");
    refused(&world, "--folder f --group-by folder", "--as");
    refused(&world, "--folder f --group-by folder --as video", "a folder becomes an image-group");
    refused(&world, "--folder f --include {", "unclosed");
    refused(&world, "--folder f --domain nowhere", "not a domain");
    refused(&world, "--folder f --ssh-key-file none", "none");
    std::fs::write(world.home().join("meta.csv"), "path,x\nb.jpg,1\n").unwrap();
    refused(
        &world,
        "--folder f --metadata meta.csv",
        "meta.csv: 1 rows are about files that are not uploaded: b.jpg (line 2)",
    );
    std::fs::write(world.home().join("journal"), "{\"journal\":\"encord-upload\",\"version\":1}\n").unwrap();
    refused(&world, "--folder f --journal journal", "the file is not a ledger");
    assert!(world.platform.requests().iter().all(|request| !request.to_string().starts_with("start-job")));
}

/// Uploads the files of a manifest with these lines.
#[track_caller]
fn manifest(world: &World, lines: &[&str], words: &str, code: i32) -> Ended {
    std::fs::write(world.home().join("items.jsonl"), lines.join("\n")).unwrap();
    let ended = Ended::of(world.encord(&format!("upload --manifest items.jsonl --folder f {words}")));
    assert_eq!(ended.code, Some(code), "{}\n{}", ended.stdout, ended.stderr);
    ended
}

#[test]
fn the_files_of_a_manifest_become_items_and_rows() {
    let world = World::new();
    world.write("a.jpg", "a");
    world.write("x/b.mp4", "bb");
    world.write("c", "ccc");
    let lines = [
        r#"{"path": "../files/a.jpg"}"#,
        r#"{"path": "../files/x/b.mp4", "title": "A film", "signed_url": null}"#,
        r#"{"path": "../files/c", "data_type": "dicom"}"#,
    ];
    std::fs::write(world.home().join("meta.csv"), "path,site\n../files/x/b.mp4,Bern\n").unwrap();
    let words = "--dataset d --metadata meta.csv --report r.jsonl";
    let ended = manifest(&world, &lines, &format!("{words} --dry-run"), 0);
    for expected in ["image: 1 of 1 files", "video: 1 of 1 files", "dicom-series: 1 of 1 files", "1 with metadata"] {
        assert!(ended.stdout.contains(expected), "{}", ended.stdout);
    }
    assert_eq!(world.platform.requests().len(), 0);

    let ended = manifest(&world, &lines, words, 0);
    assert!(ended.stderr.contains("3 files sent, 3 registered, 3 linked, 0 failed; "), "{}", ended.stderr);
    world.check_exact("f", 3);
    let mut items = world.top_items("f");
    items.sort_by(|a, b| a.name.cmp(&b.name));
    let names: Vec<_> = items.iter().map(|item| (&*item.name, &*item.item_type)).collect();
    assert_eq!(names, [("../files/a.jpg", "image"), ("../files/c", "dicomSeries"), ("A film", "video")]);
    assert_eq!(serde_json::Value::Object(items[2].client_metadata.clone()).to_string(), r#"{"site":"Bern"}"#);
    assert_eq!(world.stored(&items[2]), b"bb");

    // The ledger belongs to the manifest, whose lines may change.
    let more = [&lines[1..], &lines[..1], &[r#"{"path": "../files/d.png"}"#]].concat();
    world.write("d.png", "d");
    let ended = manifest(&world, &more, "--dataset d", 0);
    assert!(ended.stderr.contains("1 files sent, 4 registered, 4 linked, 0 failed, 3 done before"), "{}", ended.stderr);
    world.check_exact("f", 4);
    let ended = manifest(&world, &more, "--dataset d --retry-from r.jsonl", 0);
    assert!(ended.stderr.contains("3 are done in the earlier report"), "{}", ended.stderr);
}

#[test]
fn a_line_of_a_manifest_whose_file_cannot_be_had_fails_by_itself() {
    let world = World::new();
    world.write("a.jpg", "a");
    world.write("b.xyz", "?");
    let lines = ["../files/none.jpg", "../files/a.jpg", "../files", "../files/b.xyz", "items.jsonl"].map(|path| {
        format!(r#"{{"path": "{path}", "title": {}}}"#, if path.ends_with("xyz") { "\"B\"" } else { "null" })
    });
    let lines = lines.each_ref().map(|line| &**line);
    let ended = manifest(&world, &lines, "", 1);
    assert!(ended.stderr.contains("none.jpg: No such file") && ended.stderr.contains("nothing was sent"), "{ended:?}");
    assert_eq!(world.platform.requests().len(), 0);
    manifest(&world, &lines, "--allow-failures --titles name --report r.jsonl", 3);
    let lines = report(&world.home().join("r.jsonl"));
    let failed = |line: &serde_json::Value| (line["status"] == "failed").then(|| line["stage"] == "walk");
    let expected = [Some(true), None, Some(true), Some(true), Some(true)];
    assert_eq!(lines.iter().map(failed).collect::<Vec<_>>(), expected, "{lines:?}");
    let places: Vec<_> =
        lines.iter().map(|line| (line["index"].as_u64().unwrap(), line["title"].as_str().unwrap())).collect();
    assert_eq!(places, [(0, "none.jpg"), (1, "a.jpg"), (2, "files"), (3, "B"), (4, "items.jsonl")]);
    assert_eq!(world.items("f").into_iter().collect::<Vec<_>>(), [("a.jpg".to_owned(), 1)]);
}

#[test]
fn what_a_manifest_for_a_folder_cannot_mean_is_refused() {
    let world = World::new();
    world.write("a.jpg", "a");
    let line = r#"{"path": "../files/a.jpg"}"#;
    for (lines, words, expected) in [
        (
            &[line, r#"{"path": "b", "signed_url": "https://h/?s3cret"}"#][..],
            "",
            "line 2: `signed_url`: the platform signs",
        ),
        (&[line, line], "", "line 2: the file is listed already"),
        (&[line, r#"{"path": "..//files/./a.jpg"}"#], "", "line 2: the file is listed already"),
        (&[line, "{\"path\""], "", "line 2: "),
        (&[line], "--include *.jpg", "cannot be used with"),
        (&[line], "--group-by folder --as image-group", "cannot be used with"),
        (&[line], "--sign-with x", "--sign-with"),
        (&[line], "--no-journal", "--no-journal"),
        (&[line], "--report items.jsonl", "the manifest items.jsonl"),
        (&[line], "--shard 0/2", "a shard makes no folder"),
    ] {
        let ended = manifest(&world, lines, words, 2);
        assert!(ended.stderr.contains(expected) && !ended.stderr.contains("s3cret"), "{words}: {}", ended.stderr);
    }
    assert!(world.platform.folders().is_empty());
    // A manifest may come from a pipe, in parts.
    manifest(&world, &[], "", 0);
    for shard in 0..2 {
        let mut command = world.encord(&format!("upload --manifest - --folder f --shard {shard}/2"));
        world.write("list", line);
        let output = command.stdin(std::fs::File::open(world.files().join("list")).unwrap()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(world.items("f").into_values().sum::<usize>(), 1);
}

#[test]
fn two_folders_of_one_name_are_told_apart_by_the_user() {
    let world = World::new();
    world.write("a.jpg", "a");
    world.ends("--folder one/f", 0);
    world.ends("--folder two/f", 0);
    let ids: Vec<String> = world
        .platform
        .folders()
        .into_iter()
        .filter(|folder| folder.name == "f")
        .map(|folder| folder.uuid.to_string())
        .collect();
    assert_eq!(ids.len(), 2);
    let ended = world.ends("--folder f", 2);
    assert!(ids.iter().all(|id| ended.stderr.contains(id)), "{}", ended.stderr);
    let ended = world.ends(&format!("--folder {}", ids[0]), 0);
    assert!(ended.stderr.contains("1 done before"), "{}", ended.stderr);
}

#[test]
fn a_dry_run_asks_nobody_and_says_what_would_be_sent() {
    let world = World::new();
    world.write_images(10);
    world.write("notes.xyz", "?");
    world.write(".hidden", "");
    world.write("b.pdf", "pdf");
    let ended = world.ends("--folder f --dataset d --dry-run", 0);
    for expected in ["image: 10 of 10 files", "pdf: 1 of 1 files", "11 uploads", "1 to link items"] {
        assert!(ended.stdout.contains(expected), "{}", ended.stdout);
    }
    assert!(ended.stderr.contains("left out: 1 of no known kind: ") && ended.stderr.contains("notes.xyz"));
    assert!(ended.stderr.contains("left out: 1 hidden"), "{}", ended.stderr);
    assert_eq!(world.platform.requests().len(), 0);
    assert!(world.ledgers().is_empty());
}

#[test]
fn a_link_that_leads_nowhere_is_left_out_and_what_cannot_be_looked_at_fails_by_itself() {
    let world = World::new();
    world.write("a.jpg", "a");
    for index in 0..7 {
        std::os::unix::fs::symlink("nowhere", world.files().join(format!("broken{index}.jpg"))).unwrap();
    }
    let names = (0..5).map(|index| format!("broken{index}.jpg")).collect::<Vec<_>>();
    for words in ["--folder f --dry-run", "--folder f"] {
        let stderr = world.ends(words, 0).stderr;
        let line =
            stderr.lines().find(|line| line.starts_with("left out: 7 links that lead nowhere: ")).expect(&stderr);
        assert!(line.ends_with(", …"), "{line}");
        assert_eq!(line.matches("broken").count(), names.len(), "{line}");
    }

    // Only a name that no item can have is left: the file may hold data.
    let name = std::os::unix::ffi::OsStrExt::from_bytes(b"\xff.jpg");
    std::fs::write(world.files().join::<&std::ffi::OsStr>(name), "x").unwrap();
    let requests = world.platform.requests().len();
    let ended = world.ends("--folder f", 1);
    assert!(ended.stderr.contains("not UTF-8") && ended.stderr.contains("nothing was sent"), "{}", ended.stderr);
    assert_eq!(world.platform.requests().len(), requests);
    // A dry run exits as the run.
    let dry = world.ends("--folder f --dry-run", 1);
    assert!(dry.stderr.contains("not UTF-8"), "{}", dry.stderr);
    let dry = world.ends("--folder f --dry-run --allow-failures --json", 3);
    let sums: serde_json::Value = serde_json::from_str(&dry.stdout).unwrap();
    assert_eq!(sums, serde_json::json!({"would_upload": 1, "would_fail": 1, "would_skip": 0, "bytes": 1}));
    assert_eq!(world.platform.requests().len(), requests);
    world.ends("--folder f --allow-failures --report r.jsonl", 3);
    let lines = report(&world.home().join("r.jsonl"));
    assert_eq!((&lines[0]["status"], &lines[0]["stage"]), (&"failed".into(), &"walk".into()));
}

#[test]
fn a_report_that_cannot_be_written_is_told_after_an_interruption_too() {
    let world = World::with(|builder| builder.switches("job-time=3600".parse().unwrap()));
    world.write("a.jpg", "a");
    std::fs::create_dir(world.home().join("reports")).unwrap();
    let mut child = world.start("--folder f --report reports/r.jsonl");
    until_running(&mut child, "a job is started", || !world.platform.jobs().is_empty());
    std::fs::remove_dir_all(world.home().join("reports")).unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn one_run_at_a_time_has_the_ledger() {
    // The first run cannot end before its job is run.
    let world = World::with(|builder| builder.switches("job-time=3600".parse().unwrap()));
    world.write("a.jpg", "a");
    let mut child = world.start("--folder f --journal l.jsonl");
    until_running(&mut child, "a job is started", || !world.platform.jobs().is_empty());
    let ended = world.ends("--folder f --journal l.jsonl", 2);
    assert!(ended.stderr.contains("another run is using it"), "{}", ended.stderr);
    world.platform.run_jobs();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
