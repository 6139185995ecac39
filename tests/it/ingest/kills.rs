//! `kill -9` at random moments: items and rows are exact, and no file is sent twice after its record (rules C2 and C3).
//!
//! Few kills of small runs in `cargo test`, more of larger ones in `cargo xtask ci`. `ENCORD_TESTS_KILLS=100` has so many with each
//! set of switches, of runs of 2,000 files.

use std::collections::{HashMap, HashSet};
use std::env;
use std::fs;
use std::time::{Duration, Instant};

use encord_dev_platform::Operation;
use encord_dev_platform::encord_dev_store::Outcome;

use crate::peers::sized;
use crate::support::chance::Chance;
use crate::support::ingest::World;

const FAST: &str = "--folder f --dataset d --backoff-factor 0.01 --settle 2 --allow-failures";

/// About so many kills befall the runs of one list of files.
const KILLS_OF_ONE_LIST: usize = 8;

/// What is waited for before a kill.
enum Moment {
    Time(Duration),
    /// So many more bytes in the ledger.
    Written(u64),
    /// So many more calls that are never made twice.
    Called(Operation, usize),
}

impl Moment {
    fn draw(chance: &mut Chance, files: usize) -> Self {
        match chance.between(0, 4) {
            0 => Self::Time(Duration::from_millis(chance.between(0, 600 + files / 2) as u64)),
            // A file has about 350 bytes in the ledger.
            1 | 2 => Self::Written(chance.between(0, 2 * 350 * files / KILLS_OF_ONE_LIST) as u64),
            _ => {
                let of = [Operation::StartJob, Operation::GetJob, Operation::LinkItems, Operation::SignUploadUrls];
                Self::Called(of[chance.between(0, of.len())], chance.between(1, 4))
            }
        }
    }
}

fn ledger_bytes(world: &World) -> u64 {
    world.ledgers().first().map_or(0, |ledger| fs::metadata(ledger).unwrap().len())
}

/// Kills one run, unless it ends before. `true` if it was killed.
fn kill(world: &World, chance: &mut Chance, files: usize) -> bool {
    let moment = Moment::draw(chance, files);
    let (began, written, counts) = (Instant::now(), ledger_bytes(world), world.platform.counts());
    let before = |operation| counts.get(&operation).copied().unwrap_or_default();
    let mut child = world.start(FAST);
    let has_come = || match moment {
        Moment::Time(time) => began.elapsed() >= time,
        Moment::Written(bytes) => ledger_bytes(world) >= written + bytes,
        Moment::Called(operation, calls) => world.platform.count(operation) >= before(operation) + calls,
    };
    // Not `until_running`: a run may end before, and its steps follow each other within less than the pause of that.
    let ended = loop {
        if child.try_wait().unwrap().is_some() {
            break true;
        }
        if has_come() {
            break false;
        }
        std::thread::sleep(Duration::from_micros(500));
    };
    // Between a call and what is written of it are microseconds.
    std::thread::sleep(Duration::from_micros(chance.between(0, 3_000) as u64));
    child.kill().unwrap();
    child.wait().unwrap().code().is_none() && !ended
}

/// Kills runs until one has come to its end, or there were so many kills, and then runs to the end. Gives the number of kills, and
/// of units that were unresolved.
fn kill_and_go_on(switches: &str, chance: &mut Chance, files: usize, most: usize) -> (usize, usize) {
    let world = World::with(|builder| builder.switches(switches.parse().unwrap()));
    world.write_images(files);
    // So that no kill falls between making the folder and knowing it, where the next run would find it by its name.
    world.ends("--folder f --dataset d --include none", 0);
    let (mut killed, mut puts) = (0, HashMap::new());
    while killed < most && kill(&world, chance, files) {
        killed += 1;
        never_sent_twice(&world, &mut puts);
    }
    let ended = world.run(FAST);
    // A kill between the intent and the call leaves what nobody can know.
    let records = world.records();
    let unresolved = records.iter().filter(|record| record["event"] == "unresolved").map(|record| &record["unit"]);
    let unresolved = unresolved.map(|unit| unit.as_u64().unwrap()).collect::<HashSet<_>>().len();
    if ended.code != Some(0) {
        assert_eq!(ended.code, Some(3), "{}", ended.stderr);
        assert!(unresolved > 0, "{}", ended.stderr);
        world.ends(&format!("{FAST} --repost-unresolved"), 0);
    }
    never_sent_twice(&world, &mut puts);
    world.check_exact("f", files);
    (killed, unresolved)
}

/// Compares the ledger with what the store has seen. `puts` has of each object that was sent how often it was put until then.
fn never_sent_twice(world: &World, puts: &mut HashMap<String, usize>) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for request in world.platform.store().requests() {
        if request.outcome == Outcome::Answered(200) {
            *counts.entry(request.object().unwrap().to_owned()).or_default() += 1;
        }
    }
    let mut sent: HashSet<(u64, u64)> = HashSet::new();
    let mut signed: HashMap<(u64, u64), String> = HashMap::new();
    for record in world.records() {
        let key = || (record["unit"].as_u64().unwrap(), record["file"].as_u64().unwrap());
        match record["event"].as_str().unwrap() {
            "signed" => {
                assert!(!sent.contains(&key()), "signed again after it was sent: {record}");
                signed.insert(key(), record["object"].as_str().unwrap().to_owned());
            }
            "sent" => {
                assert!(sent.insert(key()), "sent twice: {record}");
                let object = signed.get(&key()).unwrap_or_else(|| panic!("sent without having been signed: {record}"));
                let count = counts.get(object).copied().unwrap_or_default();
                assert_eq!(*puts.entry(object.clone()).or_insert(count), count, "put after it was sent: {object}");
                assert_eq!(count, 1, "{object}");
            }
            "failed" => panic!("nothing fails here: {record}"),
            _ => {}
        }
    }
}

#[test]
fn c2_c3_kills_at_random_moments_lose_and_double_nothing() {
    let given: Option<usize> = env::var("ENCORD_TESTS_KILLS").ok().map(|kills| kills.parse().unwrap());
    let kills = given.unwrap_or_else(|| sized(10, 5));
    let files = if given.is_some() { 2_000 } else { sized(400, 200) };
    let mut chance = Chance::new();
    for switches in ["default", "worst"] {
        let (mut killed, mut lists, mut unresolved, began) = (0, 0, 0, Instant::now());
        while killed < kills {
            let (more, unknown) = kill_and_go_on(switches, &mut chance, files, kills - killed);
            (killed, lists, unresolved) = (killed + more, lists + 1, unresolved + unknown);
        }
        let time = began.elapsed().as_secs();
        eprintln!("{switches}: {killed} kills over {lists} lists of {files} files, {unresolved} unresolved, {time} s");
    }
}
