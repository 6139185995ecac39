//! `encord upload PATH… --folder F`: files become items and rows, whatever happens on the way.

mod faults;
mod kills;
mod kinds;
#[cfg(target_os = "linux")]
mod slurm;
mod usage;

use crate::support::ingest::{World, report};

#[test]
fn files_become_items_and_rows_and_the_next_run_has_nothing_to_do() {
    let world = World::new();
    world.write_images(50);
    let ended = world.ends("--folder photos --dataset cats --report r.jsonl", 0);
    assert!(ended.stderr.contains("made the folder photos\nmade the dataset cats\n"), "{}", ended.stderr);
    assert!(ended.stderr.contains("50 files sent, 50 registered, 50 linked, 0 failed; "), "{}", ended.stderr);
    world.check_exact("photos", 50);
    let lines = report(&world.home().join("r.jsonl"));
    assert_eq!(lines.len(), 50);
    assert!(
        lines.iter().all(|line| line["status"] == "uploaded" && line["stage"] == "done" && line["item"].is_string())
    );
    assert_eq!(lines[8]["title"], "1/00001.jpg");

    let requests = world.platform.requests().len();
    let ended = world.ends("--folder photos --dataset cats --report r.jsonl --json", 0);
    let sums: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((&sums["sent"], &sums["registered"], &sums["skipped"]), (&0.into(), &50.into(), &50.into()));
    assert!(report(&world.home().join("r.jsonl")).iter().all(|line| line["status"] == "skipped"));
    // Names are resolved, and nothing else.
    assert!(world.platform.requests().len() - requests <= 6, "{:?}", &world.platform.requests()[requests..]);
    world.check_exact("photos", 50);

    // Another file is the only one that is sent.
    world.write("new.jpg", "new");
    let ended = world.ends("--folder photos --dataset cats", 0);
    assert!(
        ended.stderr.contains("1 files sent, 51 registered, 51 linked, 0 failed, 50 done before"),
        "{}",
        ended.stderr
    );
    world.check_exact("photos", 51);
}

#[test]
fn metadata_goes_with_its_files() {
    let world = World::new();
    world.write("a.jpg", "a");
    world.write("x/b.png", "b");
    std::fs::write(world.home().join("meta.csv"), "path,site,patient\na.jpg,Bern,7\nx/b.png,,8\n").unwrap();
    world.ends("--folder f --metadata meta.csv", 0);
    let mut items = world.top_items("f");
    items.sort_by(|a, b| a.name.cmp(&b.name));
    let metadata = |at: usize| serde_json::Value::Object(items[at].client_metadata.clone()).to_string();
    assert_eq!(
        (metadata(0).as_str(), metadata(1).as_str()),
        (r#"{"patient":"7","site":"Bern"}"#, r#"{"patient":"8"}"#)
    );
    std::fs::write(world.home().join("meta"), "{\"path\": \"a.jpg\", \"dose\": 9}\n").unwrap();
    let mut command = world.command("--folder g --metadata -");
    command.stdin(std::fs::File::open(world.home().join("meta")).unwrap());
    assert!(command.output().unwrap().status.success());
    let doses: Vec<_> = world.top_items("g").iter().map(|item| item.client_metadata.get("dose").cloned()).collect();
    assert!(doses.contains(&Some(9.into())) && doses.contains(&None), "{doses:?}");
}

#[test]
fn items_that_stand_in_the_folder_stop_a_run_until_the_user_has_decided() {
    let world = World::new();
    world.write("a.jpg", "a");
    world.write("b.jpg", "b");
    world.ends("--folder f --dataset d", 0);
    // The memory of the first run is gone.
    std::fs::remove_file(&world.ledgers()[0]).unwrap();
    world.write("c.jpg", "c");
    let puts = || world.platform.store().requests().len();
    let before = puts();
    let ended = world.ends("--folder f --dataset d", 2);
    let expected = "2 items stand in the folder under the title and with the size of a file that this ledger has not sent: \"a.jpg\", \"b.jpg\"";
    assert!(ended.stderr.contains(expected) && ended.stderr.contains("--existing skip"), "{}", ended.stderr);
    assert_eq!(puts(), before);
    world.ends("--folder f --dataset d --existing skip", 0);
    world.check_exact("f", 3);
    assert_eq!(puts(), before + 1);
    std::fs::remove_file(&world.ledgers()[0]).unwrap();
    world.ends("--folder f --dataset d --existing upload", 0);
    assert_eq!(world.items("f").values().sum::<usize>(), 6);
}

#[test]
fn shards_are_disjoint_and_their_union_is_exact() {
    let world = World::new();
    world.write_images(60);
    let ended = world.ends("--folder f --dataset d --shard 0/3", 2);
    assert!(ended.stderr.contains("hint: a shard makes no folder and no dataset"), "{}", ended.stderr);
    // A run of nothing makes both.
    world.ends("--folder f --dataset d --include none.jpg", 0);
    let mut children: Vec<_> =
        (0..3).map(|shard| world.start(&format!("--folder f --dataset d --shard {shard}/3"))).collect();
    for child in &mut children {
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    world.check_exact("f", 60);
}

#[test]
fn a_report_says_what_is_left_to_do() {
    let world = World::with(|builder| builder.faults("unit/3%2F00003.jpg: fail x1".parse().unwrap()));
    world.write_images(10);
    let ended = world.ends("--folder f --dataset d --allow-failures --report r.jsonl", 3);
    let expected = "1 failed: Corrupted file; such as ";
    assert!(ended.stderr.contains(expected) && ended.stderr.contains("/3/00003.jpg\n"), "{}", ended.stderr);
    let failed: Vec<_> =
        report(&world.home().join("r.jsonl")).into_iter().filter(|line| line["status"] == "failed").collect();
    assert_eq!(failed.len(), 1);
    assert_eq!((&failed[0]["stage"], &failed[0]["error"]), (&"register".into(), &"Corrupted file".into()));
    let ended = world.ends("--folder f --dataset d --retry-from r.jsonl", 0);
    assert!(ended.stderr.contains("9 are done in the earlier report"), "{}", ended.stderr);
    assert!(ended.stderr.contains("1 files sent, 1 registered, 1 linked"), "{}", ended.stderr);
    world.check_exact("f", 10);
}
