//! `encord upload`.

mod feed;
mod lines;

use std::env;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use encord_http::Client;
use encord_http_settings::CloudUploadSettings;
use encord_upload::{ItemError, ItemReport, Journal, Snapshot, StopCause, Uploader};
use tracing_subscriber::filter::LevelFilter;

use self::lines::{Lines, SharedReporter, lock};
use crate::args::{self, UploadArgs, When};
#[cfg(target_os = "linux")]
use crate::child;
use crate::failures::{self, Failures};
use crate::interrupt::Interrupt;
use crate::job::{self, Job};
use crate::manifest::Source;
use crate::output::{Exit, Failure, be_quiet, json, note, print, say};
use crate::progress::Progress;
use crate::report::{Reporter, Sums};
use crate::runtime::{self, Threads};
use crate::selection::Choice;
use crate::sign_with::SignCommand;
use crate::{dry_run, journal, log, mistakes, variables};

pub(crate) fn run(args: &UploadArgs) -> Result<Exit, Failure> {
    #[cfg(target_os = "linux")]
    child::run_as_child_if_disks_can_hang()?;
    if args.quiet {
        be_quiet();
    }
    variables::warn_of_misspelt(env::vars_os());
    let (runtime, threads) = runtime::start()?;
    let interrupt = Interrupt::listen()?;
    let job = job::prepare(args)?;
    if args.dry_run {
        return dry_run::run(args, &job, SystemTime::now());
    }
    let progress = Progress::new(if args.quiet { When::Never } else { args.progress }, threads);
    log::start(&progress, least(args))?;
    let journal = job.journal.as_ref().map_or(Ok(None), journal::open)?;
    let reporter: SharedReporter = Arc::default();
    *lock(&reporter) = args.report.as_ref().map(Reporter::open).transpose()?;

    let uploaded = job.uploaded;
    let has_journal = journal.is_some();
    let batch = Batch {
        job,
        concurrency: args.concurrency,
        source: args.sign_with.as_deref().map(SignCommand::new),
        journal: journal.clone(),
        reporter: Arc::clone(&reporter),
        progress: progress.clone(),
        threads,
    };
    let started = Instant::now();
    // A worker of the runtime drives the batch. This thread would have to be woken for each item.
    let outcome = runtime.block_on(runtime.spawn(batch.run(interrupt)));
    let elapsed = started.elapsed();
    progress.end();
    let mut ended = outcome.unwrap_or_else(|error| resume_unwind(error.into_panic()))?;
    ended.snapshot.ended.skipped += uploaded;

    let written = lock(&reporter).take().map_or(Ok(()), Reporter::finish);
    let kept = journal.map_or(Ok(()), |journal| journal.finish().map_err(Failure::failed));
    let summed = summarise(&ended.snapshot, elapsed, args);
    let exit = ended.exit();
    ended.tell_failures(args, has_journal);
    if ended.manifest.has_changed() {
        let manifest = &args.manifest;
        say(format_args!("warning: manifest {manifest}: it changed; this run took the items that it had at the start"));
    }
    let problems = [written, kept, ended.input, summed].into_iter().filter_map(Result::err);
    let exits: Vec<Exit> = problems.map(|problem| problem.show()).collect();
    // A read of a file on a slow disk may still run; nothing needs its result, so the runtime does not wait for it.
    runtime.shutdown_background();
    Ok(exits.first().copied().unwrap_or(exit))
}

/// Returns the log level if the variable is not set.
pub(crate) fn least(args: &UploadArgs) -> LevelFilter {
    match (args.quiet, args.verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::DEBUG,
        (false, _) => LevelFilter::TRACE,
    }
}

/// A batch to be run.
struct Batch {
    job: Job,
    concurrency: usize,
    source: Option<SignCommand>,
    journal: Option<Journal>,
    reporter: SharedReporter,
    progress: Progress,
    threads: Threads,
}

/// How a batch ended.
struct Ended {
    snapshot: Snapshot,
    stopped: Option<StopCause>,
    /// The item that stopped the batch.
    failure: Option<ItemReport>,
    failures: Failures,
    manifest: Source,
    /// Whether all items could be read.
    input: Result<(), Failure>,
}

impl Batch {
    async fn run(self, interrupt: Interrupt) -> Result<Ended, Failure> {
        let Job { settings, manifest, selection, taken, .. } = self.job;
        let client = Client::new(settings.requests);
        // The other settings are those of the client.
        let upload = CloudUploadSettings { allow_failures: settings.allow_failures, ..CloudUploadSettings::default() };
        let selection = Arc::new(selection);
        let chosen = Arc::clone(&selection);
        let mut uploader = Uploader::new(&client, upload)
            .concurrency(self.concurrency)
            .select(move |_, item| chosen.of(item) == Choice::Taken);
        if let Some(journal) = self.journal {
            uploader = uploader.journal(journal);
        }
        if let Some(source) = self.source {
            uploader = uploader.source(source);
        }
        let (items, input) = feed::items(&manifest, &selection, &self.reporter, self.threads)?;
        let mut batch = uploader.batch(items).until(interrupt.first()?);
        self.progress.follow(batch.progress(), taken, feed::lengths(&manifest, &selection));

        let (mut failure, mut failures) = (None, Failures::default());
        let mut lines = Lines::new(self.reporter);
        while let Some(item) = batch.next().await {
            lines.add(&item).await;
            self.progress.ended(&item);
            failures.observe(&item);
            if batch.stopped() == Some(StopCause::Failure { index: item.index }) {
                failure = Some(item);
            }
        }
        lines.flush().await;
        let (snapshot, stopped) = (batch.progress().snapshot(), batch.stopped());
        drop(batch);
        Ok(Ended { snapshot, stopped, failure, failures, manifest, input: input.finish() })
    }
}

impl Ended {
    /// Shows the failures by reason, and how to upload the failed items again.
    fn tell_failures(&self, args: &UploadArgs, has_journal: bool) {
        if self.snapshot.ended.failed == 0 || self.failure.is_some() {
            return;
        }
        self.failures.tell();
        let report = match &args.report {
            Some(args::Stream::File(path)) if path.is_file() => Some(path.as_path()),
            _ => None,
        };
        failures::tell_how_to_try_again(report, has_journal);
    }

    /// Returns the exit code, and says why the batch was stopped.
    fn exit(&self) -> Exit {
        match (self.stopped, &self.failure) {
            (None, _) if self.snapshot.ended.failed == 0 => Exit::Done,
            (None, _) => Exit::Partial,
            (Some(_), Some(item)) => {
                let error = item.error.as_ref().map(ToString::to_string).unwrap_or_default();
                note(format_args!("error: {}: {error}", item.path.display()));
                let hint = match item.error {
                    Some(ItemError::Expired(_)) => {
                        "a new manifest has URLs that are valid; --retry-from takes what an earlier report leaves to do"
                    }
                    _ => mistakes::meant(&format!("{}: {error}", item.path.display()))
                        .unwrap_or("with --allow-failures the other items are uploaded all the same"),
                };
                note(format_args!("hint: {hint}"));
                Exit::Failed
            }
            (Some(_), None) => {
                note("error: interrupted");
                Exit::Interrupted
            }
        }
    }
}

fn summarise(snapshot: &Snapshot, elapsed: Duration, args: &UploadArgs) -> Result<(), Failure> {
    let sums = Sums::new(snapshot.ended, elapsed);
    if args.json {
        return print(|out| json(out, &sums));
    }
    say(sums.sentence());
    Ok(())
}
