//! `encord upload PATH… --folder F`, or `--manifest FILE` for PATH: files become items of a folder and rows of a dataset.

pub(crate) mod args;
mod connect;
mod dry_run;
mod report;
mod show;
mod state;

use std::env;
use std::fmt::Display;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use encord_http_settings::{CloudUploadSettings, EffectiveUploadSettings};
use encord_ingest::replay::Header;
use encord_ingest::{
    Destination, Existing, Finished, Ingest, IngestError, IngestOptions, Ledger, ListedFiles, Metadata, MetadataError,
    Missing, Notice, Problem, Run, UnitList, UnitOutcome, Walk, WalkOptions, plan::Stop, walk,
};
use encord_upload::UploadItem;
use encord_upload::formats::FileLine;

use self::args::{ExistingName, IngestArgs};
use self::report::Lines;
use crate::args::{Stream, UploadArgs, When};
use crate::interrupt::Interrupt;
use crate::output::{Exit, Failure, be_quiet, note, say};
use crate::progress::Progress;
use crate::selection::earlier_report;
use crate::{job, layers, log, runtime, upload, variables};

pub(crate) fn run(args: &UploadArgs) -> Result<Exit, Failure> {
    let ingest = &args.ingest;
    if args.quiet {
        be_quiet();
    }
    variables::warn_of_misspelt(env::vars_os());
    let (runtime, threads) = runtime::start()?;
    let interrupt = Interrupt::listen()?;
    let Some(folder) = &ingest.folder else {
        return Err(Failure::usage("files are uploaded into a folder: name it with --folder"));
    };
    job::refuse_two_from_standard_input(args)?;
    let settings = layers::resolve(&args.settings, env::vars_os())?.settings();
    let walked = find(args)?;
    if args.dry_run {
        return dry_run::run(args, folder, &walked, settings.allow_failures);
    }
    let Files { walk, metadata, skipped } = walked;
    show::problems(&walk.problems, settings.allow_failures)?;

    let progress = Progress::new(if args.quiet { When::Never } else { args.progress }, threads);
    log::start(&progress, upload::least(args))?;
    let lines = args.report.as_ref().map(Lines::open).transpose()?;
    let started = Instant::now();
    let Walk { units, problems, left_out } = walk;
    let job = Job { args, settings, folder, skipped };
    let finished = runtime.block_on(async {
        let run = job.prepare(units, metadata).await?;
        let (view, units) = (run.progress(), run.units().len() as u64);
        progress.show(move || show::bar(&view, units));
        let notice = |notice: Notice<'_>| {
            if let Notice::Failed { error, .. } | Notice::Unresolved { error, .. } = notice {
                tracing::debug!(error, "a unit failed");
            }
        };
        // This thread drives the run; the uploads use the workers of the runtime.
        run.until(interrupt.first()?, notice).await.map_err(|error| failure(&error))
    });
    let elapsed = started.elapsed();
    progress.end();
    let finished = finished?;
    show::left_out(&left_out);
    let exit = conclude(args, settings, &finished, &problems, elapsed, lines);
    runtime.shutdown_background();
    Ok(exit)
}

/// The files to upload.
struct Files {
    walk: Walk,
    metadata: Metadata,
    /// The number of units that an earlier report lists as done.
    skipped: u64,
}

fn find(args: &UploadArgs) -> Result<Files, Failure> {
    let IngestArgs { paths, metadata, include, exclude, kind, group, titles, .. } = &args.ingest;
    let outputs = job::outputs(args)?;
    let metadata_file = metadata.as_ref().and_then(Stream::path);
    metadata_file.map_or(Ok(()), |path| outputs.refuse_input("metadata file", path))?;
    let report = args.report.as_ref().and_then(Stream::path);
    let own_files = [metadata_file, args.journal.as_deref(), report, args.manifest.path()];
    let options = WalkOptions {
        include: include.clone(),
        exclude: exclude.clone(),
        kind: *kind,
        group: group.as_ref().and(args.ingest.group_kind),
        titles: (*titles).into(),
        own_files: own_files.into_iter().flatten().map(ToOwned::to_owned).collect(),
    };
    let mut walk = match paths[..] {
        [] => listed(&args.manifest, &options)?,
        _ => walk(paths, &options).map_err(Failure::usage)?,
    };
    let metadata = metadata.as_ref().map_or_else(|| Ok(Metadata::default()), |stream| known(stream, &walk.units))?;
    if let Some(shard) = args.shard {
        walk.retain(|units, unit| shard.contains(units.name(unit).as_ref()));
        // Only one shard reports the problems.
        walk.problems.retain(|_| shard.contains("".as_ref()));
    }
    let all = walk.units.len();
    if let Some(earlier) = args.retry_from.as_ref().map(earlier_report).transpose()? {
        walk.retain(|units, unit| {
            let mut item = UploadItem::unsigned(units.place(unit));
            item.title = Some(units.title(unit));
            !earlier.has_done(&item)
        });
    }
    let skipped = (all - walk.units.len()) as u64;
    Ok(Files { walk, metadata, skipped })
}

/// The paths, or the manifest, by which the ledger is named.
fn inputs(args: &UploadArgs) -> Vec<PathBuf> {
    match args.ingest.paths[..] {
        [] => vec![args.manifest.path().unwrap_or("-".as_ref()).to_owned()],
        _ => args.ingest.paths.clone(),
    }
}

/// The files of a manifest.
fn listed(manifest: &Stream, options: &WalkOptions) -> Result<Walk, Failure> {
    let wrong = |error: &dyn Display| Failure::usage(format_args!("manifest {manifest}: {error}"));
    let mut files = ListedFiles::new(".".as_ref(), options).map_err(|error| wrong(&error))?;
    let take = |FileLine { path, title, kind, .. }: FileLine| files.push(&path, title, kind);
    let read = match manifest {
        Stream::Standard => FileLine::read_all(io::stdin().lock(), take),
        Stream::File(path) => FileLine::read_all(File::open(path).map_err(|error| wrong(&error))?, take),
    };
    read.map_err(|error| wrong(&error))?;
    Ok(files.into_walk())
}

/// What the user knows of the files.
fn known(stream: &Stream, units: &UnitList) -> Result<Metadata, Failure> {
    let read = match stream {
        Stream::Standard => Metadata::read(io::stdin().lock(), units),
        Stream::File(path) => Metadata::open(path, units),
    };
    read.map_err(|error| {
        let of = if matches!(error, MetadataError::Line { .. }) { ", " } else { ": " };
        Failure::usage(format_args!("metadata {stream}{of}{error}"))
    })
}

/// The command's arguments and settings.
struct Job<'a> {
    args: &'a UploadArgs,
    settings: EffectiveUploadSettings,
    folder: &'a str,
    skipped: u64,
}

impl Job<'_> {
    async fn prepare(&self, units: UnitList, metadata: Metadata) -> Result<Run, Failure> {
        let Self { args, settings, folder, skipped } = self;
        let ingest = &args.ingest;
        let client = connect::client(&ingest.platform, settings.requests)?;
        let missing = if args.shard.is_some() { Missing::Refuse } else { Missing::Make };
        let destination = Destination::resolve(&client, folder, ingest.dataset.as_deref(), missing, show::made);
        let destination = destination.await.map_err(|error| show::unresolved_name(&error, args.shard.is_some()))?;
        let dataset = destination.dataset.as_ref().map(|dataset| dataset.id().into());
        let header = Header::new(client.domain().to_string(), destination.folder.id().into(), dataset);
        let path = match &args.journal {
            Some(path) => path.clone(),
            None => state::ledger(&header, &inputs(args), args.shard)?,
        };
        let (ledger, replay) = Ledger::open(path, &header).map_err(Failure::usage)?;
        if replay.next_unit() > 0 {
            say(format_args!("going on with {}", ledger.path().display()));
        }
        if *skipped > 0 {
            say(format_args!("{skipped} are done in the earlier report"));
        }
        let options = IngestOptions {
            // The other settings are those of the client.
            settings: CloudUploadSettings { allow_failures: settings.allow_failures, ..CloudUploadSettings::default() },
            concurrency: Some(args.concurrency),
            existing: match ingest.existing {
                None => Existing::Ask,
                Some(ExistingName::Skip) => Existing::Skip,
                Some(ExistingName::Upload) => Existing::Upload,
            },
            repost_unresolved: ingest.repost_unresolved,
            settle: Duration::from_secs(ingest.settle),
            is_shard: args.shard.is_some(),
        };
        let ingest = Ingest { client, destination, units, metadata, options };
        ingest.prepare(ledger, replay).await.map_err(|error| failure(&error))
    }
}

fn failure(error: &IngestError) -> Failure {
    match error {
        IngestError::Exists(exists) => Failure::usage(exists).with_hint(
            "--existing skip takes these items for the files; --existing upload sends the files all the same",
        ),
        IngestError::Ledger(_) => Failure::failed(error),
        _ => Failure::failed(error).with_hint("the same command goes on where this run ended"),
    }
}

/// Writes the result of the run.
fn conclude(
    args: &UploadArgs,
    settings: EffectiveUploadSettings,
    finished: &Finished,
    problems: &[Problem],
    elapsed: Duration,
    lines: Option<Lines>,
) -> Exit {
    let written = lines.map_or(Ok(()), |lines| lines.write(finished, problems));
    let summed = show::sums(finished, problems.len() as u64, elapsed, args);
    show::failures(finished, problems);
    let totals = finished.totals();
    let exit = match finished.stop() {
        Some(Stop::Cancelled) => {
            note("error: interrupted; the same command goes on");
            Exit::Interrupted
        }
        Some(Stop::Platform(error)) => {
            note(format_args!("error: {error}"));
            note("hint: the same command goes on where this run ended");
            Exit::Failed
        }
        Some(Stop::Failure { .. }) => {
            if let Some(UnitOutcome { path, error: Some(error), .. }) = finished.failure() {
                note(format_args!("error: {}: {error}", path.display()));
            }
            note("hint: with --allow-failures the other files are uploaded all the same; the same command goes on");
            Exit::Failed
        }
        None => Exit::with(totals.failed + totals.unresolved + problems.len() as u64, settings.allow_failures),
    };
    if totals.unresolved > 0 {
        say("hint: look into the folder; --repost-unresolved registers again what is not there");
    }
    let problems = [written, summed].into_iter().filter_map(Result::err);
    let exits: Vec<Exit> = problems.map(|problem| problem.show()).collect();
    exits.first().copied().unwrap_or(exit)
}
