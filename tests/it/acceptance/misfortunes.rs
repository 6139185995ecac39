//! Each kind of misfortune once, in one batch.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use socket2::Socket;
use tempfile::TempDir;

use super::{items, object, refusing_port};
use crate::support::encord::{self, Item, Run};
use crate::support::noise;
use crate::support::server::{Answer, Server};

const STATUSES: [u16; 33] = [
    300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 408, 409, 410, 411, 412, 413, 415, 416, 418, 422,
    429, 451, 500, 501, 502, 503, 504, 505, 507, 599,
];
const RETRIED: [u16; 6] = [408, 429, 500, 502, 503, 504];

/// The misfortunes that are no status: their names, how often each is tried under one retry of either kind, with which outcome,
/// and a part of the reason.
const OTHERS: [(&str, &[&str], &str); 9] = [
    ("reset", &["reset"; 2], "the connection was reset"),
    ("refused", &["refused"; 2], "while connecting: connection refused"),
    ("silent", &["timed_out"; 2], "connect_timeout ran out before the first byte of the response"),
    ("missing", &["payload"], "the payload cannot be read: No such file or directory"),
    ("directory", &["payload"], "the payload cannot be read: not a regular file"),
    ("forbidden", &["payload"], "the payload cannot be read: Permission denied"),
    ("changing", &["changed"], "changed"),
    ("expired", &["403"], "the signed URL has expired"),
    ("nonsense", &["url"], "the URL cannot be requested"),
];

/// Longer than what loopback takes from a sender before the receiver reads.
const LONG: usize = 32 << 20;

/// Longest time without an answer.
const PATIENCE: Duration = Duration::from_secs(3);

struct Batch {
    server: Server,
    items: Vec<Item>,
    _folder: TempDir,
    _port: Socket,
}

impl Batch {
    /// With all misfortunes, or with one.
    fn new(only: Option<&str>) -> Self {
        let changing = Arc::<std::sync::OnceLock<PathBuf>>::default();
        let shared = Arc::clone(&changing);
        let server = Server::with_heads(
            move |request| {
                if request.path() == "/changing" {
                    let file = fs::OpenOptions::new().append(true).open(shared.get().unwrap()).unwrap();
                    std::io::Write::write_all(&mut &file, b"more").unwrap();
                }
            },
            |request, _| match request.path() {
                "/reset" => Answer::Reset,
                "/silent" => {
                    thread::sleep(10 * PATIENCE);
                    Answer::Status(200)
                }
                "/expired" => Answer::Status(403),
                path => {
                    let status = path.strip_prefix("/status/").map_or(200, |status| status.parse().unwrap());
                    Answer::Status(status)
                }
            },
        );
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
        Self { server, items, _folder: folder, _port: port }
    }

    #[track_caller]
    fn upload(&self, flags: &str) -> Run {
        let flags = format!("{flags} --max-retries 1 --backoff-factor 0");
        let patience = PATIENCE.as_secs().to_string();
        let upload = encord::upload(&self.items).flags(&flags).env("ENCORD_CONNECT_TIMEOUT", patience);
        let upload = upload.env("ENCORD_CONNECTION_RETRIES", "1");
        // To root nothing is forbidden, unless it gives that up.
        let forbidden = OTHERS.iter().position(|other| other.0 == "forbidden").unwrap();
        if fs::File::open(&self.items[other_at(forbidden)].path).is_err() {
            return upload.run();
        }
        upload.within(&["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"]).run()
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
    let run = batch.upload("--allow-failures --concurrency 32");
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
    for (item, line) in batch.items.iter().zip(&run.report).filter(|(_, line)| line.status == "uploaded") {
        let stored = batch.server.requests_for(&object(item));
        assert!(stored.len() == 1 && stored[0].body == fs::read(&item.path).unwrap(), "{line:?}");
    }
}

#[test]
fn u5_each_misfortune_ends_a_batch_that_allows_none_within_the_time_of_one_item() {
    // Side by side: most of the time is waiting for the silent one.
    thread::scope(|scope| {
        for place in 0..OTHERS.len() {
            scope.spawn(move || ends_a_batch(place));
        }
    });
}

fn ends_a_batch(place: usize) {
    let (name, outcomes, reason) = OTHERS[place];
    let batch = Batch::new(Some(name));
    let run = batch.upload("--concurrency 4");
    // The silent one takes two attempts. By the program's own clock: how long a busy disk takes for the report is no matter.
    let seconds = run.summary["seconds"].as_f64().unwrap();
    assert!(seconds < 3.0 * PATIENCE.as_secs_f64(), "{name}: {seconds} s");
    assert_eq!(run.code, Some(1), "{name}: {}", run.stderr);
    run.check_order(&batch.items);
    assert_eq!((run.count("failed"), run.count("uploaded") + run.count("cancelled")), (1, 99), "{name}");
    let line = &run.report[other_at(place)];
    assert_eq!((&*line.status, &*line.outcomes()), ("failed", outcomes), "{name}: {line:?}");
    assert!(line.error.as_ref().unwrap().contains(reason), "{name}: {line:?}");
    for (item, _) in batch.items.iter().zip(&run.report).filter(|(_, line)| line.status == "uploaded") {
        let stored = batch.server.requests_for(&object(item));
        assert!(stored.len() == 1 && stored[0].body == fs::read(&item.path).unwrap(), "{name}: {item:?}");
    }
}
