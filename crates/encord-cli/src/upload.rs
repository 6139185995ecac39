//! `encord upload`.

use std::env;
use std::time::Instant;

use encord_http::Client;
use encord_http_settings::CloudUploadSettings;
use encord_upload::{Report, Stopped, Uploader};
use tokio::runtime;

use crate::args::{Stream, UploadArgs};
use crate::manifest::Manifest;
use crate::output::{Exit, Failure, json, note, print};
use crate::progress::Progress;
use crate::report::{Sums, Target};
use crate::{dry_run, layers, log};

pub(crate) fn run(args: &UploadArgs) -> Result<Exit, Failure> {
    let settings = layers::resolve(&args.settings, env::vars_os())?.settings();
    let manifest = Manifest::read(&args.manifest)?;
    if args.dry_run {
        return dry_run::run(manifest, settings.allow_failures, args.json);
    }
    if args.report.as_ref() == Some(&args.manifest) && args.manifest != Stream::Standard {
        return Err(Failure::usage(format_args!("the report would overwrite the manifest {}", args.manifest)));
    }
    let progress = Progress::new(args.progress, manifest.len());
    log::start(&progress)?;
    let target = args.report.as_ref().map(Target::open).transpose()?;
    let runtime = runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::failed)?;

    let started = Instant::now();
    let mut items = manifest.into_items();
    let outcome = runtime.block_on(async {
        let interrupt = interrupt()?;
        let client = Client::new(settings.requests);
        // The client has all the other settings.
        let settings =
            CloudUploadSettings { allow_failures: settings.allow_failures, ..CloudUploadSettings::default() };
        let uploader = Uploader::new(&client, settings).concurrency(args.concurrency);
        let mut counts = progress.start();
        Ok(uploader.upload_until(interrupt, &mut items, |item| progress.item(&mut counts, item)).await)
    })?;
    // A file on a slow disk may still be read, for nobody.
    runtime.shutdown_background();
    progress.end();

    let sums = Sums::new(report(&outcome).summary(), started.elapsed());
    let written = target.map_or(Ok(()), |target| target.write(report(&outcome)));
    if args.json {
        print(|out| json(out, &sums))?;
    } else {
        note(sums.sentence());
    }
    let exit = exit(&outcome);
    written?;
    items.finish()?;
    Ok(exit)
}

fn report(outcome: &Result<Report, Stopped>) -> &Report {
    match outcome {
        Ok(report) => report,
        Err(stopped) => stopped.report(),
    }
}

/// The exit code; why the batch was stopped is said here.
fn exit(outcome: &Result<Report, Stopped>) -> Exit {
    match outcome {
        Ok(report) if report.failed().next().is_none() => Exit::Done,
        Ok(_) => Exit::Partial,
        Err(stopped) => {
            let Some(item) = stopped.failure() else {
                note("error: interrupted");
                return Exit::Interrupted;
            };
            let error = item.error.as_ref().map(ToString::to_string).unwrap_or_default();
            note(format_args!("error: {}: {error}", item.path.display()));
            note("hint: with --allow-failures the other items are uploaded all the same");
            Exit::Failed
        }
    }
}

/// Ready when the process is asked to end: by Ctrl-C, or by the SIGTERM of a scheduler.
pub(crate) fn interrupt() -> Result<impl Future<Output = ()>, Failure> {
    #[cfg(unix)]
    {
        use std::future::poll_fn;
        use std::task::Poll;

        use tokio::signal::unix::{SignalKind, signal};

        let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::failed)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(Failure::failed)?;
        Ok(poll_fn(move |context| {
            if interrupt.poll_recv(context).is_ready() || terminate.poll_recv(context).is_ready() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        }))
    }
    #[cfg(not(unix))]
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
