//! `encord upload` among failures: how often it tries, how long it waits, what it leaves alone.

mod expiring;
mod flipped;
mod interrupted;
mod killed;
mod memory;
mod misfortunes;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use encord_test_server::{Reply, Server, refusing_port, status};
use socket2::Socket;
use tempfile::TempDir;

use crate::peers::{program, setpriv};
use crate::support::encord::{self, Attempt, Item, Run};
use crate::support::noise;

#[test]
fn r1_r2_u7_two_503_cost_each_file_two_waits() {
    let server = Server::start(|_, before| status(if before < 2 { 503 } else { 200 }));
    let (_folder, items) = items(&server, 40);
    let run = encord::upload(&items).flags("--backoff-factor 0.05").run();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    run.check_order(&items);
    let attempt =
        |outcome: &str, phase: &str, waited_s| Attempt { outcome: outcome.into(), phase: phase.into(), waited_s };
    for (line, item) in run.report.iter().zip(&items) {
        assert_eq!(line.status, "uploaded");
        assert_eq!(
            line.attempts,
            [attempt("503", "waiting", 0.0), attempt("503", "waiting", 0.05), attempt("200", "done", 0.1)]
        );
        let requests = server.requests_for(&object(item));
        let [first, second, third] = requests.as_slice() else { panic!("{} requests", requests.len()) };
        assert!(second.at - first.at >= Duration::from_millis(50), "{:?}", second.at - first.at);
        assert!(third.at - second.at >= Duration::from_millis(100), "{:?}", third.at - second.at);
        // Each attempt sends the whole file.
        assert!(requests.iter().all(|request| request.body == fs::read(&item.path).unwrap()));
    }
}

#[test]
fn r1_max_retries_are_exact_for_each_file() {
    let server = Server::start(|_, _| status(503));
    for (retries, attempts) in [(0, 1), (1, 2), (15, 16)] {
        let before = server.requests().len();
        let (_folder, items) = items(&server, 5);
        let flags = format!("--max-retries {retries} --backoff-factor 0 --allow-failures");
        let run = encord::upload(&items).flags(&flags).run();
        assert_eq!(run.code, Some(3), "{}", run.stderr);
        for line in &run.report {
            assert_eq!((&*line.status, line.outcomes()), ("failed", vec!["503"; attempts]));
        }
        assert_eq!(server.requests().len() - before, 5 * attempts);
    }
}

#[test]
fn u6_four_that_cannot_arrive_leave_96_that_do() {
    let batch = Batch::new();
    let run = batch.upload("--allow-failures");
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    run.check_order(&batch.items);
    assert_eq!((run.count("uploaded"), run.count("failed")), (96, 4));
    assert_eq!((&run.summary["uploaded"], &run.summary["failed"]), (&96.into(), &4.into()));

    let failure = |index: usize| {
        let line = &run.report[index];
        (line.outcomes(), line.error.clone().unwrap())
    };
    let (outcomes, error) = failure(REFUSED);
    assert_eq!(outcomes, ["refused"; 3]);
    assert!(error.contains("while connecting: connection refused (3 attempts: "), "{error}");
    let (outcomes, error) = failure(RESET);
    assert_eq!(outcomes, ["reset"; 2]);
    assert!(error.contains(": the connection was reset (2 attempts: "), "{error}");
    let (outcomes, error) = failure(DIRECTORY);
    assert_eq!(outcomes, ["payload"]);
    assert!(error.contains("the payload cannot be read: not a regular file (1 attempt: "), "{error}");
    let (outcomes, error) = failure(MISSING);
    assert_eq!(outcomes, ["payload"]);
    assert!(error.contains("the payload cannot be read: No such file or directory"), "{error}");

    for (index, item) in batch.items.iter().enumerate() {
        let stored = batch.server.requests_for(&object(item));
        match index {
            // On a connection that had been used before, an attempt is repeated once on a new one (rule R5).
            RESET => assert!((2..=4).contains(&stored.len()), "{}", stored.len()),
            REFUSED | DIRECTORY | MISSING => assert_eq!(stored.len(), 0),
            _ => {
                assert_eq!(run.report[index].outcomes(), ["200"]);
                assert_eq!(stored.len(), 1);
                assert!(stored[0].body == fs::read(&item.path).unwrap());
            }
        }
    }
    // Once each, at WARN.
    assert_eq!(run.stderr.matches("WARN").count(), 4, "{}", run.stderr);
}

#[test]
fn u5_the_first_that_cannot_arrive_ends_the_batch() {
    let batch = Batch::new();
    let run = batch.upload("--concurrency 1");
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    run.check_order(&batch.items);
    // While it waited for its next attempt, others took its place (rule U10).
    let uploaded = run.count("uploaded");
    assert_eq!((run.count("failed"), run.count("cancelled")), (1, 99 - uploaded));
    assert!(run.report[..REFUSED].iter().all(|line| line.status == "uploaded"));
    assert_eq!(run.report[REFUSED].status, "failed");
    // One at the most was under way when the batch was stopped.
    assert!(batch.server.requests().len() <= uploaded + 1);

    // Of several under way, some may have arrived that the report calls cancelled, but never the other way round.
    let batch = Batch::new();
    let run = batch.upload("--concurrency 16");
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    run.check_order(&batch.items);
    assert!(run.count("failed") > 0);
    assert!(run.count("cancelled") > 0);
    assert_eq!(run.count("uploaded") + run.count("failed") + run.count("cancelled"), 100);
    for (line, item) in run.report.iter().zip(&batch.items).filter(|(line, _)| line.status == "uploaded") {
        let stored = batch.server.requests_for(&object(item));
        assert!(stored.len() == 1 && stored[0].body == fs::read(&item.path).unwrap(), "{line:?}");
    }
}

#[test]
fn u9_whatever_is_logged_names_no_query() {
    for log in ["off", "warn", "debug", "trace"] {
        for flags in ["--allow-failures", ""] {
            // The run looks for itself.
            let run = Batch::new().start(flags).env("ENCORD_LOG", log).run();
            assert_eq!(run.code, Some(if flags.is_empty() { 1 } else { 3 }));
        }
    }
}

/// To root the limit is none, so root gives itself up, but not its access to the files.
#[test]
fn few_threads_are_enough_or_are_told() {
    let programs = [("prlimit", "util-linux"), ("timeout", "coreutils")];
    let [Some(prlimit), Some(timeout)] = programs.map(|(name, package)| program(name, package)) else { return };
    let is_root = rustix::process::geteuid().is_root();
    // No other process has a user of this number.
    let user = format!("--reuid={}", 1_000_000 + std::process::id());
    let rights = [&*user, "--clear-groups", "--inh-caps=+dac_override", "--ambient-caps=+dac_override"];
    let Some(as_user) = (if is_root { setpriv(&rights, &["true"]) } else { Some(Vec::new()) }) else { return };
    let as_user: Vec<_> = as_user.iter().map(String::as_str).collect();
    let server = Server::start(|_, _| status(200));
    let (_folder, items) = items(&server, 20);
    // Another user has threads already, and gets no further one.
    for threads in 1..=if is_root { 14 } else { 1 } {
        let limit = format!("--nproc={threads}");
        let [prlimit, timeout] = [&prlimit, &timeout].map(|path| path.to_str().unwrap());
        // A run that hangs ends with 124.
        let wrapper = [&[timeout, "60"][..], &as_user, &[prlimit, &limit]].concat();
        let ended = encord::upload(&items).within(&wrapper).start().end_in_words();
        let told = "error: the system lets this process start no further thread, and it needs one\n\
                    hint: `ulimit -u` shows how many processes and threads a user may have\n";
        match ended {
            Ok(run) if threads > 1 => {
                assert_eq!((run.code, run.count("uploaded")), (Some(0), 20), "{threads}: {}", run.stderr);
            }
            Err((code, stderr)) if threads == 1 => {
                assert_eq!((code, &*stderr), (Some(1), told));
                for server in ["dev-store", "dev-platform"] {
                    let mut command = Command::new(wrapper[0]);
                    command.args(&wrapper[1..]).arg(encord::binary()).args([server, "--port", "0"]).env_clear();
                    let ended = command.output().unwrap();
                    assert_eq!((ended.status.code(), &*String::from_utf8_lossy(&ended.stderr)), (Some(1), told));
                }
            }
            ended => panic!("{threads}: {ended:?}"),
        }
    }
}

/// Where the bad ones stand in a [`Batch`].
const REFUSED: usize = 20;
const RESET: usize = 40;
const DIRECTORY: usize = 60;
const MISSING: usize = 80;

/// 100 items, four of which cannot arrive.
struct Batch {
    server: Server,
    items: Vec<Item>,
    _folder: TempDir,
    /// The one that refuses.
    _port: Socket,
}

impl Batch {
    fn new() -> Self {
        let reset = format!("/{RESET}.jpg");
        let server =
            Server::start(move |request, _| if request.path() == reset { Reply::reset() } else { status(200) });
        let (folder, mut items) = items(&server, 100);
        let (port, refused) = refusing_port();
        items[REFUSED].url = format!("http://{refused}{}", object(&items[REFUSED]));
        for index in [DIRECTORY, MISSING] {
            fs::remove_file(&items[index].path).unwrap();
        }
        fs::create_dir(&items[DIRECTORY].path).unwrap();
        Self { server, items, _folder: folder, _port: port }
    }

    fn start(&self, flags: &str) -> encord::Upload {
        let upload = encord::upload(&self.items).flags("--max-retries 1 --backoff-factor 0.001").flags(flags);
        upload.env("ENCORD_CONNECTION_RETRIES", "2")
    }

    #[track_caller]
    fn upload(&self, flags: &str) -> Run {
        self.start(flags).run()
    }
}

/// Files of some sizes, for URLs of a server by their names.
fn items(server: &Server, count: usize) -> (TempDir, Vec<Item>) {
    let folder = tempfile::tempdir().unwrap();
    let item = |index: usize| {
        let path = folder.path().join(format!("{index}.jpg"));
        fs::write(&path, noise(index as u64, index * 997)).unwrap();
        let url = server.url(&object_of(&path));
        Item { path, url, data_type: "image" }
    };
    let items = (0..count).map(item).collect();
    (folder, items)
}

/// The path of an item's URL.
fn object(item: &Item) -> String {
    object_of(&item.path)
}

fn object_of(path: &Path) -> String {
    format!("/{}", path.file_name().unwrap().to_str().unwrap())
}
