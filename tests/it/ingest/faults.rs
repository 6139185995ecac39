//! Faults in every stage end as they should, and an outage burns no item (rules C3 and C8).

use crate::support::ingest::{Ended, World, report};
use crate::support::until_running;

const FAST: &str = "--folder f --dataset d --backoff-factor 0.01 --settle 1";

fn world(faults: &str) -> World {
    let world = World::with(|builder| builder.faults(faults.parse().unwrap()));
    world.write_images(30);
    world
}

/// What `encord report` makes of the report of a run.
fn digest(world: &World) -> serde_json::Value {
    serde_json::from_str(&Ended::of(world.encord("report r.jsonl --json")).stdout).unwrap()
}

#[test]
fn what_passes_is_waited_out() {
    for faults in [
        "sign-upload-urls: 429 retry-after=0 x2",
        "get-job: 503 x3",
        "get-job: garbage x1",
        "link-items: reset-after x1",
        "link-items: reset-before x2",
        "start-job: 429 retry-after=0 x2",
        "list-items: cut x1",
        "list-datasets: 500 x1; search-folders: 502 x1",
        "create-folder: reset-after; create-dataset: reset-after",
    ] {
        let world = world(faults);
        let ended = world.run(FAST);
        assert_eq!(ended.code, Some(0), "{faults}: {}", ended.stderr);
        world.check_exact("f", 30);
    }
}

#[test]
fn a_put_that_fails_in_passing_is_sent_again() {
    for faults in ["*: reset-during x1", "*: reset-before x2", "*: reset-after x1", "*: 500 x1", "*: corrupt x1"] {
        let world = World::with(|builder| builder.store_faults(faults.parse().unwrap()));
        world.write_images(30);
        world.ends(FAST, 0);
        world.check_exact("f", 30);
    }
}

#[test]
fn failures_are_grouped_by_reason_with_the_command_that_tries_them_again() {
    let world = world("unit/1*: fail=Broken x1; unit/2*: fail=Dark x1");
    let ended = world.ends(&format!("{FAST} --allow-failures"), 3);
    let (_, failures) = ended.stderr.split_once(" 21 linked, 9 failed; ").expect(&ended.stderr);
    let lines: Vec<&str> = failures.lines().skip(1).collect();
    let [broken, dark, again] = lines[..] else { panic!("{failures}") };
    assert!(broken.starts_with("5 failed: Broken; such as /") && broken.ends_with("/1/00001.jpg"), "{broken}");
    assert!(dark.starts_with("4 failed: Dark; such as /") && dark.ends_with("/2/00002.jpg"), "{dark}");
    let command = again.strip_prefix("to try them again: encord ").expect(again);
    let ended = Ended::of(world.encord(command));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains(" 30 linked, 0 failed") && !ended.stderr.contains("try"), "{}", ended.stderr);
    world.check_exact("f", 30);
}

#[test]
fn the_report_has_each_attempt_to_send_a_file() {
    for (faults, expected) in [
        ("", &[("200", "done", 0.0)][..]),
        ("*: 500 x2", &[("500", "waiting", 0.0), ("500", "waiting", 0.01), ("200", "done", 0.02)]),
        ("*: 400", &[("400", "waiting", 0.0)]),
    ] {
        let world = World::with(|builder| builder.store_faults(faults.parse().unwrap()));
        world.write_images(30);
        world.run(&format!("{FAST} --allow-failures --report r.jsonl"));
        let lines = report(&world.home().join("r.jsonl"));
        assert_eq!(lines.len(), 30);
        for line in &lines {
            let attempts: Vec<_> = line["attempts"]
                .as_array()
                .unwrap()
                .iter()
                .map(|attempt| {
                    let text = |key: &str| attempt[key].as_str().unwrap();
                    (text("outcome"), text("phase"), attempt["waited_s"].as_f64().unwrap())
                })
                .collect();
            assert_eq!(attempts, expected, "{faults}: {line}");
            assert_eq!(line["retries"], expected.len() - 1);
        }
        assert_eq!(digest(&world)["attempts"], 30 * expected.len());
        // A file that is not sent again has no attempt.
        if !faults.contains("400") {
            world.ends(&format!("{FAST} --report r.jsonl"), 0);
            let lines = report(&world.home().join("r.jsonl"));
            assert!(lines.iter().all(|line| line["status"] == "skipped" && line["attempts"] == serde_json::json!([])));
        }
    }
}

#[test]
fn the_report_names_the_fault_of_an_attempt_without_an_answer() {
    let world = World::with(|builder| builder.store_faults("*: reset-before".parse().unwrap()));
    world.write_images(2);
    world.run(&format!("{FAST} --allow-failures --max-retries 1 --report r.jsonl"));
    for line in report(&world.home().join("r.jsonl")) {
        let attempts = line["attempts"].as_array().unwrap();
        let outcomes: Vec<_> = attempts.iter().map(|attempt| attempt["outcome"].as_str().unwrap()).collect();
        assert_eq!(outcomes, ["reset", "reset"], "{line}");
    }
}

/// Starts a run, breaks something once so many files have been put, and gives the code with which it ends.
fn broken_off(world: &World, words: &str, puts: usize, break_it: impl Fn()) -> Option<i32> {
    let mut child = world.start(words);
    until_running(&mut child, "some files are put", || world.platform.store().requests().len() >= puts);
    break_it();
    child.wait().unwrap().code()
}

#[test]
fn c8_an_outage_in_the_middle_of_a_run_burns_nothing() {
    // The jobs take so long that an outage finds some of them under way.
    let world = |files| {
        let world = World::with(|builder| builder.switches("job-time=0.3".parse().unwrap()));
        world.write_images(files);
        world.ends("--folder f --dataset d --include none", 0);
        world
    };
    let words = format!("{FAST} --allow-failures --max-retries 1");
    let stopped = |world: &World, code, fault: &str| {
        assert_eq!(code, Some(1), "{fault}");
        let records = world.records();
        let failed = records.iter().filter(|record| record["event"] == "failed").count();
        let sent = records.iter().filter(|record| record["event"] == "sent").count();
        assert!(failed == 0 && sent > 0, "{fault}: {failed} failed, {sent} sent");
    };
    for fault in ["*: 503", "*: reset-before"] {
        let world = world(400);
        stopped(&world, broken_off(&world, &words, 50, || world.platform.set_faults(fault.parse().unwrap())), fault);
        world.platform.set_faults("".parse().unwrap());
        // A job whose posting was reset may have been taken or not.
        world.run(&words);
        world.ends(&format!("{words} --repost-unresolved"), 0);
        world.check_exact("f", 400);
        // Jobs that ran during the outage failed no unit: it befell the calls.
        assert!(world.records().iter().all(|record| record["event"] != "failed"), "{fault}");
    }
    for fault in ["*: 500", "*: 403", "*: reset-before"] {
        let world = world(400);
        let store = world.platform.store();
        // Slow enough that most files are still to be put when the store breaks.
        store.set_faults("*: slow=0.2".parse().unwrap());
        stopped(&world, broken_off(&world, &words, 50, || store.set_faults(fault.parse().unwrap())), fault);
        store.set_faults("".parse().unwrap());
        world.ends(&words, 0);
        world.check_exact("f", 400);
    }
}

#[test]
fn c3_a_job_without_an_answer_is_looked_up_and_not_posted_twice() {
    for fault in ["reset-after", "cut", "empty", "garbage", "500 after", "shape"] {
        for switches in ["default", "worst, page-limit=50"] {
            let world = World::with(|builder| {
                builder.faults(format!("start-job: {fault} x1").parse().unwrap()).switches(switches.parse().unwrap())
            });
            world.write_images(30);
            let ended = world.run("--folder f --dataset d --backoff-factor 0.01 --settle 5");
            assert_eq!(ended.code, Some(0), "{fault}, {switches}: {}", ended.stderr);
            world.check_exact("f", 30);
            assert_eq!(world.platform.jobs().len(), 1, "{fault}, {switches}");
        }
    }
}

#[test]
fn c3_what_cannot_be_found_is_unresolved_and_posted_again_only_when_asked() {
    let world = world("start-job: reset-before x1");
    let ended = world.ends(&format!("{FAST} --allow-failures --report r.jsonl"), 3);
    assert!(ended.stderr.contains("30 unresolved") && ended.stderr.contains("--repost-unresolved"), "{}", ended.stderr);
    let lines = report(&world.home().join("r.jsonl"));
    assert!(lines.iter().all(|line| line["status"] == "failed" && line["stage"] == "unresolved"));
    let puts = world.platform.store().requests().len();
    world.ends(FAST, 1);
    assert!(world.items("f").is_empty());
    world.ends(&format!("{FAST} --repost-unresolved"), 0);
    world.check_exact("f", 30);
    assert_eq!(world.platform.store().requests().len(), puts, "nothing was sent again");
    world.ends(FAST, 0);
}

#[test]
fn c8_a_platform_that_fails_for_good_stops_the_run_and_burns_nothing() {
    for faults in [
        "sign-upload-urls: 503",
        "get-job: 401",
        "link-items: code=AUTHORISATION_ERROR",
        "start-job: 403",
        "get-job: 503",
    ] {
        let world = world(faults);
        let ended = world.run(&format!("{FAST} --allow-failures --max-retries 1"));
        assert_eq!(ended.code, Some(1), "{faults}: {}", ended.stderr);
        assert!(ended.stderr.contains("the same command goes on where this run ended"), "{}", ended.stderr);
        assert!(ended.stderr.contains("0 failed"), "{faults}: {}", ended.stderr);
        let failed = world.records().into_iter().filter(|record| record["event"] == "failed").count();
        assert_eq!(failed, 0, "{faults}");
        world.platform.set_faults("".parse().unwrap());
        let ended = world.run(FAST);
        assert_eq!(ended.code, Some(0), "{faults}: {}", ended.stderr);
        world.check_exact("f", 30);
    }
}

#[test]
fn the_files_of_a_group_are_no_retries_of_each_other() {
    let world = World::with(|builder| builder.store_faults("*: 500 x1".parse().unwrap()));
    for name in ["a/1", "a/2", "a/3", "b/1"] {
        world.write(&format!("{name}.jpg"), name);
    }
    world.ends(&format!("{FAST} --group-by folder --as image-group --report r.jsonl"), 0);
    let lines = report(&world.home().join("r.jsonl"));
    assert_eq!(lines.iter().map(|line| &line["retries"]).collect::<Vec<_>>(), [3, 1]);
    let said: Vec<_> = lines[0]["attempts"].as_array().unwrap().iter().map(|attempt| attempt.get("retry")).collect();
    let first = Some(&false.into());
    assert_eq!(said, [None, None, first, None, first, None]);
    let of_report = digest(&world);
    assert_eq!(
        (&of_report["retries"]["500"]["count"], of_report["retries"].as_object().unwrap().len()),
        (&4.into(), 1)
    );
    // The times are those of the uploads, so the throughput and the slowest units are known.
    assert!(lines.iter().all(|line| line["ended_at"].is_string() && line["seconds"].as_f64() > Some(0.0)), "{lines:?}");
    let slowest = of_report["slowest"].as_array().unwrap();
    let buckets = of_report["throughput"].as_array().unwrap();
    let items: u64 = buckets.iter().map(|bucket| bucket["items"].as_u64().unwrap()).sum();
    assert_eq!((slowest.len(), items), (2, 2));

    world.ends(&format!("{FAST} --group-by folder --as image-group --report r.jsonl"), 0);
    let lines = report(&world.home().join("r.jsonl"));
    assert!(lines.iter().all(|line| line["status"] == "skipped" && line.get("ended_at").is_none()), "{lines:?}");
}

#[test]
fn c8_a_unit_that_fails_stays_with_itself() {
    let world = world("unit/2%2F00002.jpg: fail; unit/3%2F00003.jpg: fail=Too%20dark");
    let ended = world.ends(&format!("{FAST} --allow-failures"), 3);
    assert!(ended.stderr.contains("1 failed: Too dark; such as /"), "{}", ended.stderr);
    world.check_exact("f", 28);
    // The next run tries them again, and those alone.
    world.platform.set_faults("".parse().unwrap());
    let ended = world.ends(FAST, 0);
    assert!(ended.stderr.contains("2 files sent, 30 registered, 30 linked"), "{}", ended.stderr);
    world.check_exact("f", 30);
}

#[test]
fn the_first_failure_ends_a_run_that_allows_none() {
    let world = world("unit/2%2F00002.jpg: fail");
    let ended = world.ends(FAST, 1);
    assert!(ended.stderr.contains("/2/00002.jpg: Corrupted file\nhint: with --allow-failures"), "{}", ended.stderr);
    world.platform.set_faults("".parse().unwrap());
    world.ends(FAST, 0);
    world.check_exact("f", 30);
}

#[test]
fn a_platform_that_takes_little_at_once_gets_little() {
    let world = World::with(|builder| {
        builder.switches("job-limit=7, ids-limit=4, sign-limit=200, page-limit=3, empty-pages=yes".parse().unwrap())
    });
    world.write_images(40);
    world.ends(FAST, 0);
    world.check_exact("f", 40);
    assert!(world.platform.jobs().iter().all(|job| job.done <= 7));
}

#[test]
fn urls_that_expire_or_serve_once_are_renewed() {
    // Four in a row for one file, which would fail it, once in thousands of runs.
    let faults = "3%: expire".parse().unwrap();
    let world = World::with(|builder| {
        builder.switches("url-once=yes, placeholders=listed".parse().unwrap()).store_faults(faults)
    });
    world.write_images(300);
    world.ends(FAST, 0);
    world.check_exact("f", 300);
    assert!(world.records().iter().any(|record| record["abandoned"].is_string()));
}

#[test]
fn ctrl_c_ends_in_order_and_the_next_run_goes_on() {
    // No job ends before the interrupt.
    let world = World::with(|builder| builder.switches("job-time=3600".parse().unwrap()));
    world.write_images(400);
    let mut child = world.start(FAST);
    until_running(&mut child, "a job is started", || !world.platform.jobs().is_empty());
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    world.platform.set_switches("default".parse().unwrap());
    world.platform.run_jobs();
    world.ends(FAST, 0);
    world.check_exact("f", 400);
}
