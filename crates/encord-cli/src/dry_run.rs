//! `encord upload --dry-run`: all checks that are possible before anything is sent.

mod expiry;

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use encord_http::Proxies;
use encord_upload::UploadItem;
use serde::Serialize;

use self::expiry::Expiry;
use crate::args::UploadArgs;
use crate::job::Job;
use crate::journal;
use crate::mistakes;
use crate::output::{Exit, Failure, json, note, print, say};
use crate::report::{Reporter, human_bytes};
use crate::selection::Choice;

/// The summary for machines.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Sums {
    pub(crate) would_upload: u64,
    pub(crate) would_fail: u64,
    pub(crate) would_skip: u64,
    pub(crate) bytes: u64,
}

pub(crate) fn run(args: &UploadArgs, job: &Job, now: SystemTime) -> Result<Exit, Failure> {
    let journal = job.journal.as_ref().map_or(Ok(None), journal::read)?;
    args.report.as_ref().map_or(Ok(()), Reporter::check)?;
    let (mut sums, mut expiry, mut hint) = (Sums::default(), Expiry::at(now), None);
    let proxies = Proxies::from_env();
    for item in job.manifest.items() {
        let item = item.map_err(Failure::failed)?;
        let is_skipped = match job.selection.of(&item) {
            Choice::Taken => journal.as_ref().is_some_and(|journal| journal.contains(&item)),
            Choice::Uploaded => true,
            Choice::OtherShard => continue,
        };
        if is_skipped {
            sums.would_skip += 1;
            continue;
        }
        match length(&item, &proxies) {
            Ok(bytes) => {
                sums.would_upload += 1;
                sums.bytes += bytes;
                expiry.add(&item);
            }
            Err(error) => {
                sums.would_fail += 1;
                let problem = format!("{}: {error}", item.path.display());
                note(format_args!("error: {problem}"));
                hint = hint.or_else(|| mistakes::meant(&problem));
            }
        }
    }
    if let Some(hint) = hint {
        note(format_args!("hint: {hint}"));
    }
    if let Some(warning) = expiry.warning() {
        say(format_args!("warning: {warning}"));
    }
    let Sums { would_upload, would_fail, would_skip, bytes } = sums;
    print(|out| {
        if args.json {
            json(out, &sums)
        } else {
            let bytes = human_bytes(bytes);
            writeln!(
                out,
                "{would_upload} would be uploaded, {would_fail} would fail, {would_skip} would be skipped; {bytes}; \
                 nothing was sent"
            )
        }
    })?;
    Ok(Exit::with(would_fail, job.settings.allow_failures))
}

/// Returns the length of an item, if its file, its URL and the proxy for it seem usable.
fn length(item: &UploadItem, proxies: &Proxies) -> Result<u64, String> {
    if let Some(url) = &item.signed_url {
        url.check().map_err(|error| error.to_string())?;
        proxies.check(url).map_err(|error| error.to_string())?;
    }
    file_length(&item.path).map_err(|error| error.to_string())
}

/// Returns the length of a file, if it can be read.
fn file_length(path: &Path) -> io::Result<u64> {
    // Checked before the file is opened, because opening a pipe would wait for its other end.
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    Ok(File::open(path)?.metadata()?.len())
}
