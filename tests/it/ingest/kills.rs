//! `kill -9` at random moments: items and rows are exact, and no file is sent twice after its record (rules C2 and C3).

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde_json::Value;

use crate::support::chance::Chance;
use crate::support::ingest::World;

const FILES: usize = 400;
const FAST: &str = "--folder f --dataset d --backoff-factor 0.01 --settle 2 --allow-failures";

/// Kills runs until so many have been killed or one has come to its end, and then runs to the end. Gives the number of kills.
fn kill_and_go_on(switches: &str, chance: &mut Chance, kills: usize) -> usize {
    let world = World::with(|builder| builder.switches(switches.parse().unwrap()));
    world.write_images(FILES);
    // So that no kill falls between making the folder and knowing it, where the next run would find it by its name.
    world.ends("--folder f --dataset d --include none", 0);
    let mut killed = 0;
    for _ in 0..kills {
        let mut child = world.start(FAST);
        let moment = Duration::from_millis(chance.between(5, 900) as u64);
        std::thread::sleep(moment);
        if child.try_wait().unwrap().is_none() {
            killed += 1;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        never_sent_twice(&world.records());
    }
    let ended = world.run(FAST);
    // A kill between the intent and the call leaves what nobody can know.
    if ended.code != Some(0) {
        assert_eq!(ended.code, Some(3), "{}", ended.stderr);
        let unresolved = world.records().iter().filter(|record| record["event"] == "unresolved").count();
        assert!(unresolved > 0, "{}", ended.stderr);
        world.ends(&format!("{FAST} --repost-unresolved"), 0);
    }
    never_sent_twice(&world.records());
    world.check_exact("f", "d", FILES);
    killed
}

fn never_sent_twice(records: &[Value]) {
    let mut sent: HashSet<(u64, u64)> = HashSet::new();
    let mut signed: HashMap<(u64, u64), String> = HashMap::new();
    for record in records {
        let key = || (record["unit"].as_u64().unwrap(), record["file"].as_u64().unwrap());
        match record["event"].as_str().unwrap() {
            "signed" => {
                assert!(!sent.contains(&key()), "signed again after it was sent: {record}");
                signed.insert(key(), record["item"].as_str().unwrap().to_owned());
            }
            "sent" => {
                assert!(signed.contains_key(&key()), "sent without having been signed: {record}");
                assert!(sent.insert(key()), "sent twice: {record}");
            }
            "failed" => sent.retain(|(unit, _)| *unit != record["unit"].as_u64().unwrap()),
            _ => {}
        }
    }
}

#[test]
fn c2_c3_kills_at_random_moments_lose_and_double_nothing() {
    let mut chance = Chance::new();
    let mut killed = 0;
    for switches in ["default", "worst, page-limit=100, url-life=3600", "job-time=0.2, item-id=new, unknown-ids=reject"]
    {
        killed += kill_and_go_on(switches, &mut chance, 6);
    }
    assert!(killed > 0, "no run was killed");
}
