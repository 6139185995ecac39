//! Each kind of failure once, in one batch.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use socket2::Socket;
use tempfile::TempDir;

use super::{items, object};
use encord_test_server::{Reply, Server, refusing_port, status};

use crate::peers;
use crate::support::encord::{self, Item, Run};
use crate::support::noise;

const STATUSES: [u16; 33] = [
    300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 408, 409, 410, 411, 412, 413, 415, 416, 418, 422,
    429, 451, 500, 501, 502, 503, 504, 505, 507, 599,
];
const RETRIED: [u16; 6] = [408, 429, 500, 502, 503, 504];

/// The misfortunes that are no status and do not take time: their names, how often each is tried under one retry of either kind,
/// with which outcome, and a part of the reason.
const OTHERS: [(&str, &[&str], &str); 8] = [
    ("reset", &["reset"; 2], "the connection was reset"),
    ("refused", &["refused"; 2], "while connecting: connection refused"),
    ("missing", &["payload"], "the payload cannot be read: No such file or directory"),
    ("directory", &["payload"], "the payload cannot be read: not a regular file"),
    ("forbidden", &["payload"], "the payload cannot be read: Permission denied"),
    ("changing", &["changed", "changed"], "changed"),
    ("expired", &["403"], "the signed URL has expired"),
    ("nonsense", &["url"], "the URL cannot be requested"),
];

/// Longer than what loopback takes from a sender before the receiver reads.
const LONG: usize = 32 << 20;

/// Where the silent one stands, which is never answered. It has batches of its own: those of the others have the clocks of a user,
/// of minutes, which do not run out while the machine stands still for a moment.
const SILENT: usize = 50;

/// Longest time without an answer, in a batch with the silent one.
const PATIENCE: Duration = Duration::from_secs(2);

/// There, so that the machine may stand still under a good one that shares the clocks.
const RETRIES: usize = 2;

/// Far above what any batch waits for, far below the clocks of a user.
const SOON: Duration = PATIENCE.saturating_mul(30);

struct Batch {
    server: Server,
    items: Vec<Item>,
    _folder: TempDir,
    _port: Socket,
    has_forbidden: bool,
}

impl Batch {
    /// With all misfortunes, or with one.
    fn new(only: Option<&str>) -> Self {
        let changing = Arc::<std::sync::OnceLock<PathBuf>>::default();
        let shared = Arc::clone(&changing);
        let server = Server::builder().answers_heads().start(move |request, _| match request.path() {
            "/reset" => Reply::reset(),
            "/silent" => Reply::silence(),
            "/expired" => status(403),
            "/changing" => {
                // While the payload is on its way.
                let file = fs::OpenOptions::new().append(true).open(shared.get().unwrap()).unwrap();
                std::io::Write::write_all(&mut &file, b"more").unwrap();
                status(200)
            }
            path => status(path.strip_prefix("/status/").map_or(200, |status| status.parse().unwrap())),
        });
        let (folder, mut items) = items(&server, 100);
        let (port, refused) = refusing_port();
        for (place, status) in STATUSES.iter().enumerate().filter(|_| only.is_none()) {
            items[status_at(place)].url = server.url(&format!("/status/{status}"));
        }
        for (place, (name, ..)) in
            OTHERS.iter().enumerate().filter(|(_, other)| only.is_none_or(|only| only == other.0))
        {
            let item = &mut items[other_at(place)];
            item.url = server.url(&format!("/{name}"));
            match *name {
                "refused" => item.url = format!("http://{refused}/"),
                "missing" => fs::remove_file(&item.path).unwrap(),
                "directory" => {
                    fs::remove_file(&item.path).unwrap();
                    fs::create_dir(&item.path).unwrap();
                }
                "forbidden" => fs::set_permissions(&item.path, fs::Permissions::from_mode(0o000)).unwrap(),
                "changing" => {
                    fs::write(&item.path, noise(1, LONG)).unwrap();
                    changing.set(item.path.clone()).unwrap();
                }
                "expired" => item.url += "?X-Goog-Date=20240101T000000Z&X-Goog-Expires=3600",
                "nonsense" => item.url = "http//nonsense".to_owned(),
                _ => {}
            }
        }
        Self { server, items, _folder: folder, _port: port, has_forbidden: only.is_none_or(|only| only == "forbidden") }
    }

    /// With one that is never answered.
    fn silent() -> Self {
        let mut batch = Self::new(Some("silent"));
        batch.items[SILENT].url = batch.server.url("/silent");
        batch
    }

    /// `None` where root cannot be made to find a file forbidden.
    #[track_caller]
    fn upload(&self, flags: &str) -> Option<Run> {
        let upload = encord::upload(&self.items).flags(&format!("{flags} --max-retries 1 --backoff-factor 0"));
        let mut upload = upload.env("ENCORD_CONNECTION_RETRIES", "1");
        // To root nothing is forbidden, unless it gives that up.
        let forbidden = OTHERS.iter().position(|other| other.0 == "forbidden").unwrap();
        let forbidden = &self.items[other_at(forbidden)].path;
        if self.has_forbidden && fs::File::open(forbidden).is_ok() {
            let is_forbidden = ["sh", "-c", "! cat \"$0\" 2> /dev/null", forbidden.to_str().unwrap()];
            let words = peers::setpriv(&["--bounding-set=-dac_override,-dac_read_search"], &is_forbidden)?;
            upload = upload.within(&words.iter().map(String::as_str).collect::<Vec<_>>());
        }
        Some(upload.run())
    }

    #[track_caller]
    fn upload_impatiently(&self, flags: &str) -> Run {
        let flags = format!("{flags} --max-retries {RETRIES} --backoff-factor 0");
        let upload = encord::upload(&self.items).flags(&flags).env("ENCORD_CONNECTION_RETRIES", RETRIES.to_string());
        upload.env("ENCORD_CONNECT_TIMEOUT", PATIENCE.as_secs().to_string()).run()
    }

    /// One item failed, and the others were not waited for.
    #[track_caller]
    fn check_ended_by(&self, run: &Run, name: &str) {
        // By the program's own clock: how long a busy disk takes for the report is no matter.
        let seconds = run.summary["seconds"].as_f64().unwrap();
        assert!(seconds < SOON.as_secs_f64(), "{name}: {seconds} s");
        assert_eq!(run.code, Some(1), "{name}: {}", run.stderr);
        run.check_order(&self.items);
        assert_eq!((run.count("failed"), run.count("uploaded") + run.count("cancelled")), (1, 99), "{name}");
        self.check_stored(run);
    }

    /// What the report calls uploaded is stored whole, and was sent once for each attempt at the most.
    #[track_caller]
    fn check_stored(&self, run: &Run) {
        for (item, line) in self.items.iter().zip(&run.report).filter(|(_, line)| line.status == "uploaded") {
            let stored = self.server.requests_for(&object(item));
            let file = fs::read(&item.path).unwrap();
            assert!(!stored.is_empty() && stored.iter().all(|request| request.body == file), "{line:?}");
            assert!(stored.len() <= line.attempts.len(), "{line:?}");
        }
    }
}

fn status_at(place: usize) -> usize {
    2 * place + 1
}

fn other_at(place: usize) -> usize {
    2 * (STATUSES.len() + place) + 1
}

#[test]
fn u6_each_misfortune_stays_with_its_item_and_is_named() {
    let batch = Batch::new(None);
    let Some(run) = batch.upload("--allow-failures --concurrency 32") else { return };
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    run.check_order(&batch.items);
    let failed = STATUSES.len() + OTHERS.len();
    assert_eq!((run.count("failed"), run.count("uploaded")), (failed, 100 - failed));
    assert_eq!(run.stderr.matches("WARN").count(), failed, "{}", run.stderr);
    for (place, status) in STATUSES.iter().enumerate() {
        let line = &run.report[status_at(place)];
        let attempts = if RETRIED.contains(status) { 2 } else { 1 };
        assert_eq!((&*line.status, line.outcomes()), ("failed", vec![&*status.to_string(); attempts]));
        assert!(line.error.as_ref().unwrap().contains(&status.to_string()), "{line:?}");
        assert_eq!(batch.server.requests_for(&format!("/status/{status}")).len(), attempts);
    }
    for (place, (name, outcomes, reason)) in OTHERS.iter().enumerate() {
        let line = &run.report[other_at(place)];
        assert_eq!((&*line.status, &*line.outcomes()), ("failed", *outcomes), "{name}: {line:?}");
        assert!(line.error.as_ref().unwrap().contains(reason), "{name}: {line:?}");
    }
    for line in run.report.iter().filter(|line| line.status == "uploaded") {
        assert_eq!(line.outcomes(), ["200"]);
    }
    batch.check_stored(&run);
}

#[test]
fn u6_one_that_is_never_answered_stays_with_its_item() {
    let batch = Batch::silent();
    let run = batch.upload_impatiently("--allow-failures --concurrency 32");
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    run.check_order(&batch.items);
    assert_eq!((run.count("failed"), run.count("uploaded")), (1, 99), "{}", run.stderr);
    assert_eq!(run.stderr.matches("WARN").count(), 1, "{}", run.stderr);
    check_silent(&run);
    batch.check_stored(&run);
}

#[test]
fn u5_each_misfortune_ends_a_batch_that_allows_none_within_the_time_of_one_item() {
    // Side by side: most of the time is waiting for the silent one.
    thread::scope(|scope| {
        for (place, (name, outcomes, reason)) in OTHERS.into_iter().enumerate() {
            scope.spawn(move || {
                let batch = Batch::new(Some(name));
                let Some(run) = batch.upload("--concurrency 4") else { return };
                batch.check_ended_by(&run, name);
                let line = &run.report[other_at(place)];
                assert_eq!((&*line.status, &*line.outcomes()), ("failed", outcomes), "{name}: {line:?}");
                assert!(line.error.as_ref().unwrap().contains(reason), "{name}: {line:?}");
            });
        }
        scope.spawn(|| {
            let batch = Batch::silent();
            let run = batch.upload_impatiently("--concurrency 4");
            batch.check_ended_by(&run, "silent");
            check_silent(&run);
        });
    });
}

/// The silent one was tried as often as it had retries. A try that did not get as far as being silent is one more.
#[track_caller]
fn check_silent(run: &Run) {
    let line = &run.report[SILENT];
    assert_eq!(line.status, "failed");
    assert!(line.attempts.iter().all(|attempt| attempt.outcome == "timed_out"), "{line:?}");
    assert_eq!(line.attempts.iter().filter(|attempt| attempt.phase == "waiting").count(), 1 + RETRIES, "{line:?}");
    let reason = "connect_timeout ran out before the first byte of the response";
    assert!(line.error.as_ref().unwrap().contains(reason), "{line:?}");
}
