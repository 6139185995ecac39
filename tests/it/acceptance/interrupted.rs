//! Ctrl-C at any moment.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::process::Signal;

use super::{items, object};
use encord_test_server::{Reply, Server, status};

use crate::peers;
use crate::support::chance::Chance;
use crate::support::{encord, journal};

const ITEMS: usize = 120;
const CONCURRENCY: usize = 8;

#[test]
fn u5_ctrl_c_at_any_moment_leaves_a_true_report_and_a_true_journal() {
    let mut chance = Chance::new();
    for _ in 0..peers::sized(20, 5) {
        // The signal comes when so many requests have; of those that follow, so many are still answered before the client ends,
        // and every fourth is refused.
        let moment = chance.between(1, ITEMS);
        let answered = moment + chance.between(0, 12);
        let seen = AtomicUsize::new(0);
        let held = Arc::<Mutex<BTreeSet<String>>>::default();
        let held_here = Arc::clone(&held);
        let server = Server::start(move |request, _| {
            let number = seen.fetch_add(1, Ordering::Relaxed);
            if number >= answered {
                return Reply::silence();
            }
            if number % 4 == 3 {
                return status(503);
            }
            held_here.lock().unwrap().insert(request.path().to_owned());
            status(200)
        });
        let (_folder, items) = items(&server, ITEMS);
        let flags = "--max-retries 100 --backoff-factor 0 --journal journal.jsonl";
        let upload = encord::upload(&items).flags(flags).flags(&format!("--concurrency {CONCURRENCY}"));
        let mut running = upload.start();
        // Not `until`: within its pause the server would get all requests that it answers, and each signal would come at the end.
        while server.count() < moment {
            assert!(!running.has_ended(), "it ended by itself");
            thread::yield_now();
        }
        running.signal(Signal::INT);
        let run = running.end();
        let held = held.lock().unwrap().clone();

        assert_eq!(run.code, Some(130), "{}", run.stderr);
        run.check_order(&items);
        assert_eq!((run.count("failed"), run.count("uploaded") + run.count("cancelled")), (0, ITEMS));
        assert_eq!(run.summary["uploaded"], run.count("uploaded"));
        assert_eq!(run.summary["cancelled"], run.count("cancelled"));
        let uploaded: BTreeSet<_> =
            run.report.iter().filter(|line| line.status == "uploaded").map(|line| line.path.clone()).collect();
        assert_eq!(journal::paths(&upload.written("journal.jsonl")), uploaded);
        for item in items.iter().filter(|item| uploaded.contains(&item.path)) {
            let requests = server.requests_for(&object(item));
            assert!(requests.last().unwrap().body == fs::read(&item.path).unwrap(), "{} differs", item.path.display());
            assert!(held.contains(&object(item)), "{} was never taken", item.path.display());
        }
        // What was under way may have arrived unheard, and no more than that.
        assert!(held.len() <= uploaded.len() + CONCURRENCY, "{} of {}", uploaded.len(), held.len());
    }
}
