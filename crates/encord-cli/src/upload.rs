//! `encord upload`.

use std::env;
use std::io;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use encord_http::Client;
use encord_http_settings::{CloudUploadSettings, EffectiveUploadSettings};
use encord_upload::formats::Items;
use encord_upload::{ItemError, ItemReport, Journal, Snapshot, StopCause, UploadItem, Uploader};
use futures_util::{Stream, StreamExt, stream};
use tokio::runtime;
use tokio::sync::mpsc;
use tracing_subscriber::filter::LevelFilter;

use crate::args::{self, UploadArgs};
use crate::interrupt::Interrupt;
use crate::manifest::Source;
use crate::output::{Exit, Failure, json, note, print};
use crate::progress::Progress;
use crate::report::{Reporter, Sums, folder};
use crate::selection::{Choice, Selection, earlier_report};
use crate::{dry_run, journal, layers, log};

/// How many items are read at once from the copy of the manifest.
const FED_AT_ONCE: usize = 64;

/// How many times as many are read ahead.
const FED_AHEAD: usize = 4;

pub(crate) fn run(args: &UploadArgs) -> Result<Exit, Failure> {
    refuse_clashes(args)?;
    let runtime = runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::failed)?;
    let interrupt = {
        let _inside = runtime.enter();
        Interrupt::listen()?
    };
    let settings = layers::resolve(&args.settings, env::vars_os())?.settings();
    let retry_from = args.retry_from.as_ref().map(earlier_report).transpose()?;
    let selection = Arc::new(Selection { shard: args.shard, retry_from });
    let (mut taken, mut uploaded) = (0, 0);
    let manifest = Source::read(&args.manifest, |item| match selection.of(item) {
        Choice::Taken => taken += 1,
        Choice::Uploaded => uploaded += 1,
        Choice::OtherShard => {}
    })?;
    if manifest.is_empty() {
        note(format_args!("warning: manifest {}: no items", args.manifest));
    }
    if args.dry_run {
        return dry_run::run(args, settings.allow_failures, &manifest, &selection, SystemTime::now());
    }
    let progress = Progress::new(args.progress);
    log::start(&progress, LevelFilter::WARN)?;
    let journal = args.journal.as_deref().map(journal::open).transpose()?;
    let reporter = args.report.as_ref().map(Reporter::open).transpose()?;

    let reporter = Arc::new(Mutex::new(reporter));
    let batch = Batch {
        settings,
        concurrency: args.concurrency,
        manifest,
        selection,
        taken,
        journal: journal.clone(),
        reporter: Arc::clone(&reporter),
        progress: progress.clone(),
    };
    let started = Instant::now();
    // Driven by a worker of the runtime, and not by this thread, which would have to be woken for each item.
    let outcome = runtime.block_on(runtime.spawn(batch.run(interrupt)));
    let elapsed = started.elapsed();
    progress.end();
    let mut ended = outcome.unwrap_or_else(|error| resume_unwind(error.into_panic()))?;
    ended.snapshot.ended.skipped += uploaded;

    let written = lock(&reporter).take().map_or(Ok(()), Reporter::finish);
    let kept = journal.map_or(Ok(()), |journal| journal.finish().map_err(Failure::failed));
    let summed = summarise(&ended.snapshot, elapsed, args.json);
    let exit = ended.exit();
    if ended.manifest.has_changed() {
        note(format_args!(
            "warning: manifest {}: it changed; this run took the items that it had at the start",
            args.manifest
        ));
    }
    let problems = [written, kept, ended.input, summed].into_iter().filter_map(Result::err);
    let exits: Vec<Exit> = problems.map(|problem| problem.show()).collect();
    // Until here, a second Ctrl-C ends the process at once. A file on a slow disk may still be read, for nobody.
    runtime.shutdown_background();
    Ok(match exit {
        Exit::Interrupted => exit,
        _ => exits.first().copied().unwrap_or(exit),
    })
}

/// A batch to be run.
struct Batch {
    settings: EffectiveUploadSettings,
    concurrency: usize,
    manifest: Source,
    selection: Arc<Selection>,
    /// How many items are selected.
    taken: u64,
    journal: Option<Journal>,
    reporter: Arc<Mutex<Option<Reporter>>>,
    progress: Progress,
}

/// How a batch ended.
struct Ended {
    snapshot: Snapshot,
    stopped: Option<StopCause>,
    /// The item that stopped it.
    failure: Option<ItemReport>,
    manifest: Source,
    /// Whether all items could be read.
    input: Result<(), Failure>,
}

impl Batch {
    async fn run(self, interrupt: Interrupt) -> Result<Ended, Failure> {
        let client = Client::new(self.settings.requests);
        // The client has all the other settings.
        let settings =
            CloudUploadSettings { allow_failures: self.settings.allow_failures, ..CloudUploadSettings::default() };
        let (selection, reporter) = (Arc::clone(&self.selection), Arc::clone(&self.reporter));
        let select = move |index: usize, item: &_| {
            let choice = selection.of(item);
            if choice == Choice::Uploaded
                && let Some(reporter) = &mut *lock(&reporter)
            {
                reporter.add_skipped(index, item);
            }
            choice == Choice::Taken
        };
        let mut uploader = Uploader::new(&client, settings).concurrency(self.concurrency).select(select);
        if let Some(journal) = self.journal {
            uploader = uploader.journal(journal);
        }
        let (items, input) = feed(self.manifest.items())?;
        let mut batch = uploader.batch(items).until(interrupt.first());
        let selection = Arc::clone(&self.selection);
        let items = self.manifest.items().map_while(Result::ok);
        let taken = items.filter(move |item| selection.of(item) == Choice::Taken);
        let lengths = taken.map(|item| item.path.metadata().map_or(0, |file| file.len()));
        self.progress.follow(batch.progress(), self.taken, lengths);

        let mut failure = None;
        while let Some(item) = batch.next().await {
            if let Some(reporter) = &mut *lock(&self.reporter) {
                reporter.add(&item);
            }
            self.progress.ended(&item);
            if batch.stopped() == Some(StopCause::Failure { index: item.index }) {
                failure = Some(item);
            }
        }
        let (snapshot, stopped) = (batch.progress().snapshot(), batch.stopped());
        drop(batch);
        let input = input.join().unwrap_or_else(|panic| resume_unwind(panic));
        let input = input.map_err(|error| Failure::failed(format_args!("the copy of the manifest: {error}")));
        Ok(Ended { snapshot, stopped, failure, manifest: self.manifest, input })
    }
}

/// Reads the items on a thread of its own, so that a disk that hangs holds no upload that is under way.
fn feed(items: Items) -> Result<(impl Stream<Item = UploadItem>, JoinHandle<io::Result<()>>), Failure> {
    let (sender, mut receiver) = mpsc::channel::<Vec<UploadItem>>(FED_AHEAD);
    let read = move || {
        let mut items = items.peekable();
        while items.peek().is_some() {
            let some = items.by_ref().take(FED_AT_ONCE).collect::<io::Result<_>>()?;
            if sender.blocking_send(some).is_err() {
                break;
            }
        }
        Ok(())
    };
    let reader = thread::Builder::new().name("manifest".to_owned()).spawn(read).map_err(|error| no_thread(&error))?;
    let fed = stream::poll_fn(move |cx| receiver.poll_recv(cx));
    Ok((fed.flat_map(stream::iter), reader))
}

fn no_thread(error: &io::Error) -> Failure {
    Failure::failed(format_args!("cannot start a thread: {error}"))
}

impl Ended {
    /// The exit code; why the batch was stopped is said here.
    fn exit(&self) -> Exit {
        match (self.stopped, &self.failure) {
            (None, _) if self.snapshot.ended.failed == 0 => Exit::Done,
            (None, _) => Exit::Partial,
            (Some(_), Some(item)) => {
                let error = item.error.as_ref().map(ToString::to_string).unwrap_or_default();
                note(format_args!("error: {}: {error}", item.path.display()));
                note(match item.error {
                    Some(ItemError::Expired(_)) => {
                        "hint: a new manifest has URLs that are valid; --retry-from takes what an earlier report leaves to do"
                    }
                    _ => "hint: with --allow-failures the other items are uploaded all the same",
                });
                Exit::Failed
            }
            (Some(_), None) => {
                note("error: interrupted");
                Exit::Interrupted
            }
        }
    }
}

fn lock(reporter: &Mutex<Option<Reporter>>) -> MutexGuard<'_, Option<Reporter>> {
    reporter.lock().unwrap_or_else(PoisonError::into_inner)
}

fn summarise(snapshot: &Snapshot, elapsed: Duration, as_json: bool) -> Result<(), Failure> {
    let sums = Sums::new(snapshot.ended, elapsed);
    if as_json {
        return print(|out| json(out, &sums));
    }
    note(sums.sentence());
    Ok(())
}

/// No file is both read and written, but for the report: the earlier one is read before a new one takes its place.
fn refuse_clashes(args: &UploadArgs) -> Result<(), Failure> {
    let standard = [
        (args.manifest == args::Stream::Standard, "manifest"),
        (args.retry_from == Some(args::Stream::Standard), "earlier report"),
        (layers::read_standard_input(&args.settings, env::vars_os()), "settings file"),
    ];
    let standard: Vec<_> = standard.into_iter().filter(|(is_standard, _)| *is_standard).collect();
    if let [(_, first), (_, second), ..] = standard[..] {
        return Err(Failure::usage(format_args!("{first} and {second} cannot both come from standard input")));
    }
    let place = |stream: &args::Stream| match stream {
        args::Stream::File(path) => Some(canonical(path)),
        args::Stream::Standard => None,
    };
    let manifest = place(&args.manifest);
    let report = args.report.as_ref().and_then(place);
    let journal = args.journal.as_deref().map(canonical);
    if manifest.is_some() && report == manifest {
        return Err(Failure::usage(format_args!("the report would overwrite the manifest {}", args.manifest)));
    }
    if journal.is_some() && report == journal {
        return Err(Failure::usage("the report would overwrite the journal"));
    }
    Ok(())
}

/// The file itself, however it is written, also where it is yet to be made.
fn canonical(path: &Path) -> PathBuf {
    let to_be_made = || Some(folder(path).canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(to_be_made).unwrap_or_else(|| path.to_owned())
}
