//! `kill -9`, again and again, and the journal that makes each next run go on.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::peers;
use crate::support::chance::Chance;
use crate::support::encord::{self, Item};
use crate::support::nginx::{Nginx, Options};
use crate::support::{journal, noise};

const KILLS: usize = 5;
const CONCURRENCY: usize = 16;

/// nginx refuses 30 % of all requests, at random.
const REFUSES: Options<'_> = Options {
    authority: None,
    http: "split_clients $request_id $refused { 30% 1; * 0; }",
    server: "if ($refused) { return 503; }",
};

#[test]
fn of_thousands_of_files_five_kills_lose_none_and_none_that_was_done_is_sent_again() {
    let Some(mut nginx) = Nginx::with(&REFUSES) else { return };
    let mut chance = Chance::new();
    let files = peers::sized(20_000, 3_000);
    let folder = tempfile::tempdir().unwrap();
    let mut items = Vec::with_capacity(files);
    for index in 0..files {
        let path = folder.path().join(format!("{index}.jpg"));
        fs::write(&path, noise(index as u64, index % 2_048)).unwrap();
        items.push(Item { path, url: String::new(), data_type: "image" });
    }
    let upload = encord::upload(&[]).flags("--allow-failures --max-retries 100 --backoff-factor 0");
    let upload = upload.flags(&format!("--concurrency {CONCURRENCY} --journal journal.jsonl"));

    // The journal after each run. Every run has URLs of its own, as if signed anew.
    let mut journals = Vec::new();
    let sign = |items: &mut [Item], run: usize| {
        for item in items.iter_mut() {
            let name = item.path.file_name().unwrap().to_str().unwrap();
            item.url = nginx.url(&format!("{}/{name}", name.len())) + &format!("?run={run}");
        }
        upload.rewrite(items);
    };
    let mut moments: Vec<usize> = (0..KILLS).map(|_| chance.between(1, files * 3 / 4)).collect();
    moments.sort_unstable();
    for (run, moment) in moments.into_iter().enumerate() {
        sign(&mut items, run);
        let before = journals.last().map_or(0, BTreeMap::len);
        // Most of a line's bytes; two moments may be the same.
        let enough = bytes(&upload.written("journal.jsonl")).max(1) + (moment.saturating_sub(before) * 100) as u64;
        let mut running = upload.start();
        running.until("the journal has grown", || bytes(&upload.written("journal.jsonl")) >= enough);
        running.kill();
        let done = done(&upload.written("journal.jsonl"));
        assert!(done.len() < files, "it was killed after its work");
        for (name, path) in &done {
            assert!(fs::read(stored(&nginx, name)).unwrap() == fs::read(path).unwrap(), "{name} differs");
        }
        journals.push(done);
    }
    sign(&mut items, KILLS);
    let run = upload.run();
    assert_eq!(run.code, Some(0), "{}", run.summary);
    run.check_order(&items);
    let skipped = journals.last().unwrap().len();
    assert_eq!((run.count("skipped"), run.count("uploaded")), (skipped, files - skipped));
    assert_eq!(done(&upload.written("journal.jsonl")).len(), files);

    for item in &items {
        let name = item.path.file_name().unwrap().to_str().unwrap();
        assert!(fs::read(stored(&nginx, name)).unwrap() == fs::read(&item.path).unwrap(), "{name} differs");
    }
    nginx.end();
    check_answers(&nginx.answers(), &journals, files);
}

/// No request of any run is for a file that the journal had before it.
#[track_caller]
fn check_answers(answers: &str, journals: &[BTreeMap<String, PathBuf>], files: usize) {
    let (mut stored, mut refused) = (0, 0);
    for line in answers.lines() {
        let [status, run, uri] = line.splitn(3, ' ').collect::<Vec<_>>().try_into().unwrap();
        let run: usize = run.parse().unwrap();
        let name = uri.rsplit('/').next().unwrap();
        assert!(run == 0 || !journals[run - 1].contains_key(name), "{name} was done and is sent again by run {run}");
        match status {
            "201" | "204" => stored += 1,
            "503" => refused += 1,
            // 400 and 499: the client was killed meanwhile.
            _ => assert!(matches!(status, "400" | "499"), "{line}"),
        }
    }
    // Each kill costs at most what was under way, and what waited for its line in the journal: four times as many.
    assert!((files..=files + 5 * KILLS * CONCURRENCY).contains(&stored), "{stored} stored");
    let share = refused * 100 / (stored + refused);
    assert!((25..=35).contains(&share), "{share} % refused");
}

/// Names and paths of what is done.
fn done(journal: &Path) -> BTreeMap<String, PathBuf> {
    let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    journal::paths(journal).into_iter().map(|path| (name(&path), path)).collect()
}

fn stored(nginx: &Nginx, name: &str) -> PathBuf {
    nginx.store().join(name.len().to_string()).join(name)
}

fn bytes(path: &Path) -> u64 {
    path.metadata().map_or(0, |file| file.len())
}
