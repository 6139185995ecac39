//! What is refused before anything is sent, and what is only looked at.

use crate::support::ingest::World;

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

#[test]
fn a_manifest_is_not_uploaded_into_a_folder_without_a_word() {
    let world = World::new();
    let mut command = std::process::Command::new(crate::support::encord::binary());
    command.args("upload --manifest items.jsonl --folder f".split(' '));
    world.at_home(&mut command);
    // If --folder were ignored, this would end well.
    std::fs::write(world.home().join("items.jsonl"), "").unwrap();
    let ended = crate::support::ingest::Ended::of(command);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("'--manifest <FILE>' cannot be used with '--folder <F>'"), "{}", ended.stderr);
    assert_eq!(world.platform.requests().len(), 0);
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
fn what_cannot_be_looked_at_fails_by_itself() {
    let world = World::new();
    world.write("a.jpg", "a");
    std::os::unix::fs::symlink("nowhere", world.files().join("broken.jpg")).unwrap();
    let ended = world.ends("--folder f", 1);
    assert!(
        ended.stderr.contains("broken.jpg: No such file") && ended.stderr.contains("nothing was sent"),
        "{}",
        ended.stderr
    );
    assert_eq!(world.platform.requests().len(), 0);
    world.ends("--folder f --allow-failures --report r.jsonl", 3);
    let lines = crate::support::ingest::report(&world.home().join("r.jsonl"));
    assert_eq!((&lines[1]["status"], &lines[1]["stage"]), (&"failed".into(), &"walk".into()));
}

#[test]
fn one_run_at_a_time_has_the_ledger() {
    let world = World::with(|builder| builder.faults("sign-upload-urls: slow=2".parse().unwrap()));
    world.write("a.jpg", "a");
    let mut child = world.start("--folder f --journal l.jsonl");
    while !world.home().join("l.jsonl").exists() {
        assert_eq!(child.try_wait().unwrap(), None, "it ended by itself");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let ended = world.ends("--folder f --journal l.jsonl", 2);
    assert!(ended.stderr.contains("another run is using it"), "{}", ended.stderr);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
